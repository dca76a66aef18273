"""Faults in place of an answer or in its body, and the limits that every fault takes."""

import json
import time
from typing import Any

import pytest

from emag_pipeline.sandbox import FaultError, SandboxServer
from emag_pipeline_tests.sandbox.reader import Reader
from emag_pipeline_tests.sandbox.sandboxes import OpenSandbox


def statuses(reader: Reader, number: int) -> list[int]:
    return [reader.call().status_code for _ in range(number)]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_server_error_is_a_gateways_html_page(sandbox: SandboxServer, reader: Reader, status: int) -> None:
    sandbox.add_fault("server_error", status=status)
    answer = reader.call()
    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("text/html")


def test_a_server_error_is_503_unless_told_otherwise(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("server_error")
    assert reader.call().status_code == 503


def test_html_200_looks_like_success_and_is_none(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("html_200")
    answer = reader.call()
    assert answer.status_code == 200
    assert answer.text.startswith("<!DOCTYPE html>")


def test_is_error_says_so_in_the_marketplaces_frame(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("is_error", message="Bază de date indisponibilă", status=500)
    answer = reader.call()
    assert answer.status_code == 500
    assert answer.json() == {"isError": True, "messages": ["Bază de date indisponibilă"], "results": []}


def test_storm_429_asks_for_patience(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("storm_429", retry_after=7)
    answer = reader.call()
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert answer.json() == {"message": "API rate limit exceeded"}


def test_storm_429_says_nothing_of_patience_by_default(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("storm_429")
    assert "Retry-After" not in reader.call().headers


def test_wrong_credentials_refuses_good_ones(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("wrong_credentials")
    answer = reader.call()
    assert answer.status_code == 401
    assert answer.json()["messages"] == ["Invalid username or password"]


def test_ip_not_whitelisted_names_the_address(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("ip_not_whitelisted")
    answer = reader.call()
    assert answer.status_code == 403
    assert "127.0.0.1 is not whitelisted" in answer.json()["messages"][0]


def test_missing_is_error_leaves_the_rest_intact(sandbox: SandboxServer, reader: Reader) -> None:
    whole = reader.call("vat/read").json()
    sandbox.add_fault("missing_is_error")
    assert reader.call("vat/read").json() == {name: whole[name] for name in ("messages", "results")}


def test_truncated_json_is_complete_http_and_half_a_body(sandbox: SandboxServer, reader: Reader) -> None:
    whole = reader.call("vat/read").content
    sandbox.add_fault("truncated_json", keep=0.25)
    answer = reader.call("vat/read")
    assert answer.content == whole[: len(whole) // 4]
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.content)


def test_a_fault_without_limits_happens_until_it_is_cleared(sandbox: SandboxServer, reader: Reader) -> None:
    fault = sandbox.add_fault("server_error")
    assert statuses(reader, 3) == [503] * 3
    assert sandbox.clear_faults(fault) == 1
    assert statuses(reader, 1) == [200]


def test_a_count_ends_a_fault(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("server_error", count=2)
    assert statuses(reader, 3) == [503, 503, 200]


def test_after_lets_some_calls_pass_first(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("server_error", after=2, count=1)
    assert statuses(reader, 4) == [200, 200, 503, 200]


def test_for_seconds_ends_a_fault(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("server_error", for_seconds=0)
    time.sleep(0.01)
    assert statuses(reader, 1) == [200]


def test_a_page_limit_spares_other_pages_counts_and_reads_by_id(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("server_error", pages=[2])
    offer_id = sandbox.ids("main")[0]
    wishes: list[dict[str, Any]] = [{}, {"currentPage": 2}, {"currentPage": 3}, {"id": offer_id}]
    answers = [reader.call("product_offer/read", **wish).status_code for wish in wishes]
    assert [*answers, *statuses(reader, 1)] == [200, 503, 200, 200, 200]


def test_a_resource_limit_is_a_prefix(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("server_error", resource="product_offer/")
    assert [reader.call(one).status_code for one in ("vat/read", "product_offer/count")] == [200, 503]


def test_an_account_limit_spares_the_others(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(accounts={"main": 1, "fbe": 1})
    sandbox.add_fault("server_error", account="fbe")
    assert [*statuses(Reader(sandbox), 1), *statuses(Reader(sandbox, "fbe"), 1)] == [200, 503]


def test_an_offer_limit_meets_the_reads_of_that_offer(sandbox: SandboxServer, reader: Reader) -> None:
    first, second = sandbox.ids("main")[:2]
    sandbox.add_fault("server_error", offer_ids=[second])
    answers = [reader.call("product_offer/read", id=offer_id).status_code for offer_id in (first, second)]
    assert answers == [200, 503]


def test_a_probability_strikes_the_same_calls_for_the_same_seed(open_sandbox: OpenSandbox) -> None:
    struck = []
    for _ in range(2):
        sandbox = open_sandbox(seed=5)
        sandbox.add_fault("server_error", probability=0.4)
        struck.append(statuses(Reader(sandbox), 40))
    assert struck[0] == struck[1]
    assert 5 < struck[0].count(503) < 30


def test_the_first_fault_added_happens_first(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("is_error", status=500, count=1)
    sandbox.add_fault("reset", count=0)
    sandbox.add_fault("server_error", count=1)
    assert statuses(reader, 3) == [500, 503, 200]


def test_a_fault_tells_how_often_it_matched_and_happened(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("server_error", after=1)
    statuses(reader, 3)
    (fault,) = sandbox.faults()
    assert (fault["kind"], fault["matched"], fault["done"], fault["status"]) == ("server_error", 3, 2, 503)


def test_faults_are_cleared_by_kind(sandbox: SandboxServer) -> None:
    for kind in ("slow", "hang", "slow"):
        sandbox.add_fault(kind)
    assert sandbox.clear_faults(kind="slow") == 2
    assert [fault["kind"] for fault in sandbox.faults()] == ["hang"]


def test_the_list_of_requests_names_the_fault(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("server_error")
    reader.call("product_offer/read", currentPage=2)
    (seen,) = sandbox.requests("main")
    expected = {"resource": "product_offer/read", "page": 2, "status": 503, "fault": "server_error"}
    assert expected.items() <= seen.items()


def test_a_faulty_call_counts_against_the_budget(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(requests_per_minute=1)
    sandbox.add_fault("server_error")
    assert statuses(Reader(sandbox), 2) == [503, 429]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"kind": "flood"}, "Unknown fault 'flood'; the known ones are breaks_page, "),
        ({"kind": ["hang"]}, "Unknown fault"),
        ({"kind": "hang", "second": 5}, "The fault hang has no option 'second'; its options are account, "),
        ({"kind": "poison", "row": "nil"}, "The fault poison has no row 'nil', only huge_id, "),
        ({"kind": "truncated_json", "cut": 5}, "has no cut 5, only connection, json"),
        (
            {"kind": "hang", "seconds": "long"},
            "option seconds of the fault hang must be a number of seconds, not 'long'",
        ),
        ({"kind": "hang", "pages": 3}, "option pages of the fault hang must be a list of whole numbers, not 3"),
        (
            {"kind": "hang", "probability": 30},
            "probability of the fault hang must be a number from 0 to 1, not 30",
        ),
        ({"kind": "server_error", "status": 42}, "an HTTP status from 200 to 599, not 42"),
        (
            {"kind": "repeated_page", "shows": 0},
            "shows of the fault repeated_page must be a whole number from 1, not 0",
        ),
    ],
)
def test_a_wrong_description_says_what_is_known(sandbox: SandboxServer, wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(FaultError) as caught:
        sandbox.add_fault(**wrong)
    assert words in str(caught.value)
    assert sandbox.faults() == []
