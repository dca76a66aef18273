"""A page that holds a certain offer breaks, whatever its size; and pages that ignore what was asked for."""

import time
from collections.abc import Callable

import pytest
import requests

from emag_pipeline.sandbox import SandboxServer
from emag_pipeline_tests.sandbox.reader import Reader
from emag_pipeline_tests.sandbox.sandboxes import OpenSandbox

BROKEN = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)


def statuses(reader: Reader, size: int, pages: range) -> list[int]:
    read = "product_offer/read"
    return [reader.call(read, currentPage=page, itemsPerPage=size).status_code for page in pages]


@pytest.fixture
def broken(sandbox: SandboxServer) -> Callable[..., int]:
    """Breaks the pages that hold the 121st offer; returns its id."""

    def break_pages(**options: object) -> int:
        offer_id = sandbox.ids("main")[120]
        sandbox.add_fault("breaks_page", offer_ids=[offer_id], **options)
        return offer_id

    return break_pages


def test_only_the_page_that_holds_the_offer_breaks(broken: Callable[..., int], reader: Reader) -> None:
    broken()
    assert statuses(reader, 100, range(1, 5)) == [200, 500, 200, 200]


@pytest.mark.parametrize(("size", "page"), [(50, 3), (20, 7), (10, 13), (5, 25), (1, 121)])
def test_it_breaks_at_every_page_size_and_its_neighbours_do_not(
    broken: Callable[..., int], reader: Reader, size: int, page: int
) -> None:
    broken(status=504)
    assert statuses(reader, size, range(page - 1, page + 2)) == [200, 504, 200]


def test_a_read_by_its_id_breaks_too(sandbox: SandboxServer, broken: Callable[..., int], reader: Reader) -> None:
    answers = [reader.call("product_offer/read", id=one).status_code for one in (broken(), sandbox.ids("main")[0])]
    assert answers == [500, 200]


def test_a_read_by_its_id_may_answer(broken: Callable[..., int], reader: Reader) -> None:
    offer = reader.by_id(broken(by_id=False))
    assert offer is not None
    assert statuses(reader, 100, range(2, 3)) == [500]


def test_counts_do_not_break(broken: Callable[..., int], reader: Reader) -> None:
    broken()
    assert reader.results("product_offer/count")["noOfItems"] == 250


def test_the_break_moves_with_the_offer(sandbox: SandboxServer, broken: Callable[..., int], reader: Reader) -> None:
    broken()
    sandbox.remove("main", sandbox.ids("main")[:30])
    assert statuses(reader, 100, range(1, 4)) == [500, 200, 200]


def test_a_hidden_offer_breaks_no_page(sandbox: SandboxServer, broken: Callable[..., int], reader: Reader) -> None:
    sandbox.hide("main", [broken()])
    assert statuses(reader, 100, range(1, 4)) == [200, 200, 200]


def test_it_may_break_by_silence(broken: Callable[..., int], reader: Reader) -> None:
    broken(how="hang")
    with pytest.raises(requests.ReadTimeout):
        reader.session.post(f"{reader.url}/product_offer/read", json={"currentPage": 2}, timeout=0.3)


@pytest.mark.parametrize(("how", "words"), [("reset", "reset by peer"), ("cut", "IncompleteRead")])
def test_it_may_break_the_connection(broken: Callable[..., int], reader: Reader, how: str, words: str) -> None:
    broken(how=how)
    with pytest.raises(BROKEN, match=words):
        reader.page(2)
    assert len(reader.page(1)) == 100


def test_the_list_of_requests_names_the_fault(
    sandbox: SandboxServer, broken: Callable[..., int], reader: Reader
) -> None:
    broken()
    reader.call("product_offer/read", currentPage=2)
    (seen,) = sandbox.requests()
    assert (seen["status"], seen["fault"]) == (500, "breaks_page")


def test_it_ends_like_any_fault(broken: Callable[..., int], reader: Reader) -> None:
    broken(count=1)
    assert statuses(reader, 100, range(2, 3)) + statuses(reader, 100, range(2, 3)) == [500, 200]


def test_ignores_page_always_shows_the_first(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("ignores_page")
    assert reader.ids(3, itemsPerPage=20) == sandbox.ids("main")[:20]
    assert sandbox.requests()[0]["page"] == 3


def test_ignores_page_meets_categories_too(sandbox: SandboxServer, reader: Reader) -> None:
    first = reader.results("category/read")
    sandbox.add_fault("ignores_page", resource="category/")
    assert reader.results("category/read", currentPage=2) == first
    assert reader.ids(2) == sandbox.ids("main")[100:200]


def test_ignores_filters_answers_a_read_by_id_with_a_page(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("ignores_filters")
    ids = sandbox.ids("main")
    assert [row["id"] for row in reader.results("product_offer/read", id=ids[200])] == ids[:100]
    assert reader.results("product_offer/count", id=ids[200])["noOfItems"] == 250
    assert sandbox.requests()[0]["offer_id"] == ids[200]


def test_too_many_rows_are_pages_of_another_size(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("too_many_rows", rows=120)
    ids = sandbox.ids("main")
    assert [reader.ids(number, itemsPerPage=10) for number in (1, 2, 3)] == [ids[:120], ids[120:240], ids[240:]]


def test_a_fault_may_meet_some_page_sizes_only(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("too_many_rows", rows=100, sizes=[97, 30])
    sandbox.add_fault("server_error", sizes=[5])
    assert [len(reader.ids(1, itemsPerPage=size)) for size in (97, 50, 30, 10)] == [100, 50, 100, 10]
    assert reader.call("product_offer/read", itemsPerPage=5).status_code == 503


def test_too_many_rows_leave_counts_alone(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("too_many_rows")
    assert reader.results("product_offer/count", itemsPerPage=10)["itemsPerPage"] == 10


def seconds_of(reader: Reader, resource: str = "product_offer/read", **parameters: object) -> float:
    began = time.monotonic()
    reader.call(resource, **parameters)
    return time.monotonic() - began


def test_a_read_takes_seconds_per_offer_that_it_returns(open_sandbox: OpenSandbox) -> None:
    reader = Reader(open_sandbox(seconds_per_offer=0.01))
    assert seconds_of(reader, itemsPerPage=100) >= 1.0
    assert 0.2 <= seconds_of(reader, itemsPerPage=20) < 1.0


def test_a_count_takes_no_seconds_per_offer(open_sandbox: OpenSandbox) -> None:
    reader = Reader(open_sandbox(seconds_per_offer=0.05))
    assert max(seconds_of(reader, "product_offer/count"), seconds_of(reader, "category/read")) < 1.0


def test_a_page_that_breaks_takes_the_same_time(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(seconds_per_offer=0.01)
    sandbox.add_fault("breaks_page")
    assert seconds_of(Reader(sandbox), itemsPerPage=50) >= 0.5


def test_nothing_is_sent_meanwhile(open_sandbox: OpenSandbox) -> None:
    reader = Reader(open_sandbox(seconds_per_offer=0.05))
    with pytest.raises(requests.ReadTimeout):
        reader.session.post(f"{reader.url}/product_offer/read", json={}, timeout=0.5, stream=True)


def test_others_are_answered_meanwhile(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(seconds_per_offer=0.05)
    with pytest.raises(requests.ReadTimeout):
        requests.post(f"{sandbox.url}/product_offer/read", auth=Reader(sandbox).session.auth, json={}, timeout=0.2)
    assert seconds_of(Reader(sandbox), itemsPerPage=2) < 1.0
