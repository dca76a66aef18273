"""Which answer is believed, and what every other one means."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from emag_pipeline.errors import (
    AccessRefused,
    ApiUnavailable,
    ParametersIgnored,
    PipelineError,
    RateLimited,
    RequestRefused,
)
from emag_pipeline.marketplace.pages import Count, count_of, offer_of, page_of
from emag_pipeline.marketplace.responses import results_of
from emag_pipeline.model import Offer

_RATE = {"message": "API rate limit exceeded"}


def error_of(status: int, content: Any, **headers: str) -> PipelineError:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with pytest.raises(PipelineError) as caught:
        results_of(status, named, body)
    return caught.value


def failed(*messages: object) -> dict[str, object]:
    return {"isError": True, "messages": list(messages), "results": []}


def test_only_is_error_false_is_success() -> None:
    assert results_of(200, {}, b'{"isError": false, "messages": ["by the way"], "results": [1]}') == [1]


@pytest.mark.parametrize("flag", ["false", 0, None, "", [], "no"])
def test_nothing_like_false_is_false(flag: object) -> None:
    error = error_of(200, {"isError": flag, "results": []})
    assert type(error) is ApiUnavailable
    assert "isError is" in error.why


@pytest.mark.parametrize(
    ("status", "content", "expected"),
    [
        (429, _RATE, RateLimited),
        (429, b"<html>slow down</html>", RateLimited),
        (200, _RATE, RateLimited),
        (403, _RATE, RateLimited),
        (503, _RATE, RateLimited),
        (200, failed("API rate limit exceeded"), RateLimited),
        (401, b"", AccessRefused),
        (403, b"<html>Forbidden</html>", AccessRefused),
        (401, failed("whatever"), AccessRefused),
        (200, failed("Invalid username or password"), AccessRefused),
        (400, failed("Invalid credentials"), AccessRefused),
        (200, failed("You are not authorized: IP 1.2.3.4 is not in the whitelist"), AccessRefused),
        (400, failed("x must be an integer"), RequestRefused),
        (404, failed("Unknown resource"), RequestRefused),
        (405, failed("Only POST"), RequestRefused),
        (422, failed(), RequestRefused),
        (200, failed("Maximum input vars of 4000 exceeded"), RequestRefused),
        (301, b"", RequestRefused),
        (308, b"", RequestRefused),
        (302, b"", ApiUnavailable),
        (304, b"", ApiUnavailable),
        (404, b"<html>Not Found</html>", ApiUnavailable),
        (408, failed("too slow"), ApiUnavailable),
        (418, b"{}", ApiUnavailable),
        (500, failed("Invalid username or password"), ApiUnavailable),
        (502, b"<html>Bad Gateway</html>", ApiUnavailable),
        (503, {"isError": False, "results": []}, ApiUnavailable),
        (200, failed("Deadlock found"), ApiUnavailable),
        (200, failed(), ApiUnavailable),
        (200, b"", ApiUnavailable),
        (204, b"", ApiUnavailable),
        (200, b"[]", ApiUnavailable),
        (200, b"null", ApiUnavailable),
        (200, b'{"isError": false, "results": [', ApiUnavailable),
        (200, b'{"isError": false}', ApiUnavailable),
        (200, b"\xff\xfe\xfd", ApiUnavailable),
        (200, b"[" * 100_000, ApiUnavailable),
        (200, b"<!DOCTYPE html><p>Revenim</p>", ApiUnavailable),
    ],
)
def test_an_answer_means(status: int, content: Any, expected: type[PipelineError]) -> None:
    error = error_of(status, content)
    assert type(error) is expected
    assert error.remedy


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("0", 0.0), ("1.5", 1.5), ("86400", 120.0), ("99999999999", 1.0), ("soon", 1.0), ("-5", 1.0)],
)
def test_retry_after_is_honoured_within_reason(header: str, seconds: float) -> None:
    error = error_of(429, _RATE, Retry_After=header)
    assert isinstance(error, RateLimited)
    assert error.wait_seconds == seconds


def test_retry_after_may_be_a_date() -> None:
    error = error_of(429, _RATE, Retry_After=format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True))
    assert isinstance(error, RateLimited)
    assert 50 < (error.wait_seconds or 0) <= 60


def test_retry_after_counts_for_a_server_that_is_down_too() -> None:
    error = error_of(503, b"", Retry_After="9")
    assert isinstance(error, ApiUnavailable)
    assert error.wait_seconds == 9.0


def test_messages_of_any_form_are_quoted_each_once() -> None:
    error = error_of(200, failed("One.", {"code": 5, "text": "two\n lines"}, [["three", "One"]]))
    assert error.why == "HTTP 200, isError is true, One; two lines; three"


@pytest.mark.parametrize(
    ("results", "count"),
    [
        ({"noOfItems": 250, "noOfPages": 3, "itemsPerPage": 100}, Count(250, 100)),
        ({"noOfItems": "250", "noOfPages": "250", "itemsPerPage": "1"}, Count(250, 1)),
        ({"noOfItems": 250, "itemsPerPage": 0}, Count(250, 0)),
        ({"noOfItems": 250, "itemsPerPage": [1]}, Count(250, None)),
        ({"noOfItems": 250}, Count(250, None)),
        ({"noOfItems": 0, "noOfPages": 0, "itemsPerPage": 100}, Count(0, 100)),
    ],
)
def test_a_count_is_read(results: object, count: Count) -> None:
    assert count_of(results) == count


@pytest.mark.parametrize(
    "results",
    [None, [], 5, {}, {"noOfItems": ""}, {"noOfItems": "many"}, {"noOfItems": -1}],
)
def test_a_count_that_is_none_proves_nothing(results: object) -> None:
    with pytest.raises(ApiUnavailable):
        count_of(results)


def test_rows_may_come_as_a_keyed_object() -> None:
    assert [one.emag_offer_id for one in page_of(1, 100, {"0": {"id": 1}, "1": {"id": 2}}).offers] == [1, 2]


@pytest.mark.parametrize("results", [None, {}, "", 5, {"id": 1}, False])
def test_rows_that_are_no_list_prove_nothing(results: object) -> None:
    with pytest.raises(ApiUnavailable):
        page_of(1, 100, results)
    with pytest.raises(ApiUnavailable):
        offer_of(1, results)


def test_more_rows_than_were_asked_for_are_refused_before_they_are_looked_at() -> None:
    with pytest.raises(ApiUnavailable, match="the response has 3 rows instead of 2") as caught:
        page_of(1, 2, [{"id": 1}, {"id": 2}, {"id": 3}])
    assert caught.value.page_tries == 1


def test_a_row_too_many_that_stands_there_twice_costs_itself() -> None:
    page = page_of(1, 3, [{"id": 1}, {"id": 2}, {"id": 1, "name": "again"}, {"id": 3}])
    assert (page.ids, [one.emag_offer_id for one in page.offers]) == ((1, 2, 3), [1, 2, 3])
    assert [(one.emag_offer_id, one.reason) for one in page.rejects] == [(1, "id 1 appears on this page already")]
    with pytest.raises(ApiUnavailable, match="the response has 3 rows instead of 2"):
        page_of(1, 2, [{"id": 1}, {"id": 2}, {"id": 1}, {"id": 3}])


@pytest.mark.parametrize("bad", [{"id": 2, "sale_price": "call us"}, {"sale_price": 3}, None, {"id": "two"}])
@pytest.mark.parametrize("size", [1, 2])
def test_of_a_bad_row_and_a_good_one_the_good_one_takes_the_place(bad: Any, size: int) -> None:
    others = [{"id": 1}][: size - 1]
    page = page_of(1, size, [*others, bad, {"id": 2, "sale_price": 5}])
    assert page.ids == (1, 2)[-size:]
    assert (page.offers[-1].sale_price, page.offers[-1].unreadable, page.surprises) == (5, (), ())
    (reject,) = page.rejects
    assert json.loads(reject.payload) == bad
    found = offer_of(2, [bad, {"id": 2, "sale_price": 5}])
    assert isinstance(found, Offer)
    assert (found.sale_price, found.unreadable) == (5, ())


def test_of_a_good_row_and_a_bad_one_the_good_one_stays() -> None:
    page = page_of(1, 1, [{"id": 2, "sale_price": 5}, {"id": 2, "sale_price": "call us"}])
    assert [(one.sale_price, one.unreadable) for one in page.offers] == [(5, ())]
    assert [one.reason for one in page.rejects] == ["id 2 appears on this page again, with readable sale_price"]


def test_a_row_without_an_id_that_bears_the_part_number_of_another_one_is_the_row_too_many() -> None:
    strange, copy = {"part_number_key": "B"}, {"part_number_key": "A"}
    page = page_of(1, 3, [strange, copy, {"id": 1, "part_number_key": "A"}, {"id": 2}])
    assert (page.ids[0] < 0, page.ids[1:], len(page.rejects)) == (True, (1, 2), 2)
    assert page.source[0] == strange


def test_many_rows_without_an_id_explain_no_page_that_is_too_long() -> None:
    with pytest.raises(ApiUnavailable, match="the response has 6 rows instead of 3") as caught:
        page_of(1, 3, [{"name": str(one)} for one in range(4)] + [{"id": 1}, {"id": 2}])
    assert caught.value.rows_too_many == 3


def test_a_second_row_goes_to_quarantine_without_what_it_holds_about_people() -> None:
    (reject,) = page_of(1, 2, [{"id": 1}, {"id": 1, "manufacturer": [{"name": "Ana", "email": "a@b.ro"}]}]).rejects
    assert json.loads(reject.payload) == {"id": 1, "manufacturer": True}


def test_of_a_page_all_rows_are_told_in_their_order_and_those_without_an_id_by_a_number_of_their_own() -> None:
    page = page_of(3, 20, [{"id": 7}, {"name": "x"}, {"id": 5}, {"name": "y"}, {"id": 5}, {"name": "x"}])
    first, second = page.ids[1], page.ids[3]
    assert page.ids == (7, first, 5, second, 5, first)
    assert -(2**62) <= min(first, second) < max(first, second) < 0
    assert ([one.emag_offer_id for one in page.offers], len(page.rejects)) == ([7, 5], 4)
    assert page.position == 40


def test_many_other_offers_than_the_one_asked_for_mean_that_the_filter_is_ignored() -> None:
    with pytest.raises(
        ParametersIgnored, match="the marketplace ignores the filter id: asked for offer 1, it returned"
    ):
        offer_of(1, [{"id": 2}, {"id": 3}])


@pytest.mark.parametrize("results", [[{"id": 2}], [{"id": 1}, {"id": 2}], [{"id": 2, "name": []}]])
def test_another_offer_than_the_one_asked_for_proves_nothing(results: object) -> None:
    with pytest.raises(ApiUnavailable):
        offer_of(1, results)


def test_of_an_offer_that_comes_twice_the_first_row_counts() -> None:
    found = offer_of(1, [{"id": 1, "name": "first"}, {"id": 1, "name": "second"}])
    assert isinstance(found, Offer)
    assert found.name == "first"


@pytest.mark.parametrize(
    ("status", "content", "is_slow"),
    [(504, b"", True), (200, b'{"isError":false,"results":[{"id', True), (500, b"", False), (200, b"<p>", False)],
)
def test_an_answer_that_was_too_slow_or_is_cut_off_is_asked_for_once_more_at_its_size(
    status: int, content: bytes, is_slow: bool
) -> None:
    error = error_of(status, content)
    assert isinstance(error, ApiUnavailable)
    assert (error.is_slow, error.page_tries) == ((True, 2) if is_slow else (False, 5))
