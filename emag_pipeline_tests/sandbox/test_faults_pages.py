"""Faults in what pages and counts say: pages that lie, counts that lie, catalogues that move meanwhile."""

import pytest

from emag_pipeline.sandbox import SandboxServer
from emag_pipeline_tests.sandbox.reader import Reader


def test_endless_pages_begin_anew_past_the_end(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("endless_pages")
    assert [reader.ids(number) for number in (4, 5, 6, 7)] == [reader.ids(number) for number in (1, 2, 3, 1)]


def test_endless_pages_leave_the_count_alone(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("endless_pages")
    assert reader.results("product_offer/count")["noOfPages"] == 3


def test_endless_pages_do_not_happen_before_the_end(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("endless_pages", count=1)
    assert reader.all_ids() == sandbox.ids("main")
    assert sandbox.faults()[0]["done"] == 0


def test_repeated_page_shows_another_page_instead(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("repeated_page", pages=[3], shows=2)
    assert reader.ids(3) == reader.ids(2)
    assert reader.ids(1) == sandbox.ids("main")[:100]


def test_empty_page_is_empty(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("empty_page", pages=[2], count=1)
    assert [len(reader.page(2)) for _ in range(2)] == [0, 100]


def test_a_page_fault_without_pages_meets_reads_by_id_too(sandbox: SandboxServer, reader: Reader) -> None:
    offer_id = sandbox.ids("main")[0]
    fault = sandbox.add_fault("empty_page")
    assert reader.by_id(offer_id) is None
    sandbox.clear_faults(fault)
    sandbox.add_fault("empty_page", pages=[1, 2, 3])
    assert reader.by_id(offer_id) is not None


def test_short_page_lacks_its_last_rows(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("short_page", pages=[1], missing=3)
    assert reader.ids(1) == sandbox.ids("main")[:97]


def test_short_page_may_lack_all_rows_and_more(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("short_page", missing=500)
    assert reader.page(1) == []


def test_short_page_may_lack_nothing(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("short_page", missing=0)
    assert len(reader.page(1)) == 100


@pytest.mark.parametrize(("lie", "expected"), [({"difference": 7}, 257), ({"difference": -300}, 0), ({"offers": 9}, 9)])
def test_count_lies_about_items_and_pages(
    sandbox: SandboxServer, reader: Reader, lie: dict[str, int], expected: int
) -> None:
    sandbox.add_fault("count_lies", **lie)
    counted = reader.results("product_offer/count")
    assert (counted["noOfItems"], counted["noOfPages"]) == (expected, -(-expected // 100))


def test_count_lies_leaves_truth_and_pages_alone(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("count_lies", difference=-50)
    assert sandbox.count("main") == 250
    assert len(reader.page(3)) == 50


def test_drift_by_departure_shifts_later_pages_forwards(sandbox: SandboxServer, reader: Reader) -> None:
    before = sandbox.ids("main")
    sandbox.add_fault("drift", pages=[2], change="departure", offers=5, count=1)
    assert reader.ids(1) == before[:100]
    assert reader.ids(2) == before[105:205]
    assert reader.by_id(before[0]) is None


def test_drift_by_arrival_shifts_later_pages_backwards(sandbox: SandboxServer, reader: Reader) -> None:
    before = sandbox.ids("main")
    sandbox.add_fault("drift", pages=[2], change="arrival", offers=3, count=1)
    assert reader.ids(1) == before[:100]
    assert reader.ids(2) == before[97:197]
    assert sandbox.count("main") == 253


@pytest.mark.parametrize(
    ("change", "field"),
    [("price", "sale_price"), ("stock", "general_stock"), ("standing", "handling_time"), ("edition", "description")],
)
def test_drift_may_change_offers_where_they_stand(sandbox: SandboxServer, change: str, field: str) -> None:
    before = list(sandbox.truth("main"))
    sandbox.add_fault("drift", change=change, offers=60, count=1)
    Reader(sandbox).page(1)
    after = list(sandbox.truth("main"))
    assert [offer["id"] for offer in after] == [offer["id"] for offer in before]
    assert [offer[field] for offer in after] != [offer[field] for offer in before]


def test_page_faults_happen_on_top_of_those_at_the_door(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.add_fault("missing_is_error")
    sandbox.add_fault("short_page", missing=99)
    answer = reader.call("product_offer/read").json()
    assert "isError" not in answer
    assert len(answer["results"]) == 1
