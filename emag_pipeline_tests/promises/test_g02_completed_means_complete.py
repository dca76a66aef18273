"""G2: a sync is completed only if every offer that was there throughout its scan is accounted for, with the proof."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import pytest

from emag_pipeline.errors import PageBoundExceeded, ScanNotProven, SyncTimedOut
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.audit import audit_scan
from emag_pipeline.sync.context import SyncContext
from emag_pipeline.sync.publish import publish_scan
from emag_pipeline.sync.scan import stage_account
from emag_pipeline_tests.promises.watching import newest, versions, wait_for_pages
from emag_pipeline_tests.sync.refresh import Contexts, refresh
from emag_pipeline_tests.sync.syncs import rows
from emag_pipeline_tests.sync.truth import assert_published_exactly

_STANDING = "SELECT emag_offer_id FROM emag_product_offers WHERE deleted_at IS NULL"
_LIES = {
    "the count is too low": {"kind": "count_lies", "difference": -7},
    "the count is too low by whole pages": {"kind": "count_lies", "difference": -220},
    "the count is too high": {"kind": "count_lies", "difference": 7},
    "the count says that there is nothing": {"kind": "count_lies", "offers": 0},
    "a page is short": {"kind": "short_page", "missing": 30, "pages": [2]},
    "the last page is short": {"kind": "short_page", "missing": 3, "pages": [4]},
    "a page is empty": {"kind": "empty_page", "pages": [2]},
    "the last page is empty": {"kind": "empty_page", "pages": [4]},
    "a page shows another one's rows": {"kind": "repeated_page", "pages": [3]},
    "pages never end": {"kind": "endless_pages"},
}


def _published_or_refused(context: SyncContext) -> bool:
    """Whether a whole run published; False when the scan was not proven or the audit refused it."""
    try:
        stage_account(context)
    except ScanNotProven:
        return False
    if not audit_scan(context).accepted:
        return False
    publish_scan(context)
    return True


def _assert_truth_or_nothing(market: SandboxServer, database: Database, main: Contexts) -> None:
    before = versions(database, "emag_product_offers", "emag_products", "emag_offer_states")
    if _published_or_refused(main()):
        assert_published_exactly(database, market, "main")
        return
    assert newest(database).status == "failed"
    assert versions(database, "emag_product_offers", "emag_products", "emag_offer_states") == before


@pytest.mark.parametrize("lie", _LIES.values(), ids=_LIES)
def test_g2_a_first_scan_that_is_lied_to_publishes_the_truth_or_nothing(
    small: SandboxServer, database: Database, main: Contexts, lie: dict[str, object]
) -> None:
    small.add_fault(**lie)  # type: ignore[arg-type]
    _assert_truth_or_nothing(small, database, main)


@pytest.mark.usefixtures("already_published")
@pytest.mark.parametrize("times", [{}, {"count": 1}], ids=["always", "once"])
@pytest.mark.parametrize("lie", _LIES.values(), ids=_LIES)
def test_g2_a_later_scan_that_is_lied_to_publishes_the_truth_or_nothing(
    small: SandboxServer, database: Database, main: Contexts, lie: dict[str, object], times: dict[str, object]
) -> None:
    small.advance(changes=30, account="main")
    small.add_fault(**lie, **times)  # type: ignore[arg-type]
    _assert_truth_or_nothing(small, database, main)


def _swap_while_it_is_read(market: SandboxServer, database: Database, place: Literal["front", "end"]) -> None:
    """Once four pages are durable, and before the others are read: three offers depart, three arrive."""
    wait_for_pages(database, 4)
    market.remove("main", market.ids("main")[:3])
    market.add("main", 3, place=place)


def _assert_moved(market: SandboxServer, database: Database, before: set[int]) -> None:
    """What was there throughout is published, and nothing that was there at no moment, in one reading."""
    after = set(market.ids("main"))
    published = {row.emag_offer_id for row in rows(database, _STANDING)}
    assert before & after <= published <= before | after
    row = newest(database)
    assert (row.status, row.proof["proven"], row.proof["rounds"]) == ("completed", 1, 1)


def _refresh_meanwhile(context: SyncContext, meanwhile: Callable[[], None]) -> None:
    with ThreadPoolExecutor(1) as aside:
        swap = aside.submit(meanwhile)
        refresh(context)
        swap.result()


@pytest.mark.parametrize("place", ["front", "end"])
def test_g2_a_first_scan_is_not_deceived_by_changes_that_leave_the_count_as_it_was(
    market: SandboxServer, database: Database, market_main: Contexts, place: Literal["front", "end"]
) -> None:
    before = set(market.ids("main"))
    market.add_fault("slow", seconds=0.7, pages=list(range(5, 12)), count=7)
    _refresh_meanwhile(market_main(), lambda: _swap_while_it_is_read(market, database, place))
    _assert_moved(market, database, before)


@pytest.mark.parametrize("place", ["front", "end"])
def test_g2_a_later_scan_loses_neither_standing_nor_new_offers_to_changes_that_leave_the_count_as_it_was(
    market: SandboxServer, database: Database, market_main: Contexts, place: Literal["front", "end"]
) -> None:
    new = market.ids("main")[400:700]
    market.remove("main", new)
    refresh(market_main())
    market.show("main", new)  # on pages 5 to 7, which are read after the departures: their first ones slip to page 4
    before = set(market.ids("main"))
    market.add_fault("slow", seconds=0.7, pages=list(range(5, 12)), count=7)
    _refresh_meanwhile(market_main(), lambda: _swap_while_it_is_read(market, database, place))
    _assert_moved(market, database, before)


@pytest.mark.parametrize("change", ["arrival", "departure"])
def test_g2_a_catalogue_that_moves_with_every_page_is_published_at_every_sync(
    small: SandboxServer, database: Database, main: Contexts, change: str
) -> None:
    for _ in range(3):
        before = set(small.ids("main"))
        small.add_fault("drift", change=change, offers=2)
        refresh(main())
        small.clear_faults()
        _assert_moved(small, database, before)


@pytest.mark.usefixtures("already_published")
def test_g2_what_is_completed_carries_the_numbers_that_prove_it(
    small: SandboxServer, database: Database, main: Contexts
) -> None:
    small.remove("main", small.ids("main")[:3])
    small.hide("main", small.ids("main")[3:5])
    small.add_fault("poison", row="price", pages=[1])
    refresh(main())
    row = newest(database)
    proof = row.proof
    assert row.status == "completed"
    assert proof["pages_staged"] == proof["pages_expected"] == 4
    assert proof["count_before"] == proof["count_after"] == 315
    assert (proof["distinct_ids"], proof["rejected"], proof["rows"]) == (315, 0, 315)
    assert proof["unreadable_rows"] == 1
    assert (proof["found_by_id"], proof["confirmed_gone"], proof["missing"]) == (2, 3, 0)
    assert (proof["proven"], proof["unstaged"], proof["rounds"], proof["marks"]) == (1, 0, 1, [])
    assert (proof["head_reached"], proof["tail_reached"]) == (1, 1)
    assert (proof["windows"], proof["anchors"] >= 9, proof["compared"] > 300) == (5, True, True)


def test_g2_a_catalogue_beyond_the_page_bound_is_an_error_and_not_a_shorter_success(
    database: Database, main: Contexts
) -> None:
    with pytest.raises(PageBoundExceeded):
        stage_account(main(EMAG_SYNC_MAX_PAGES="3"))
    assert (newest(database).status, newest(database).error_class) == ("failed", "PageBoundExceeded")


def test_g2_a_deadline_that_passes_between_pages_is_an_error(
    small: SandboxServer, database: Database, main: Contexts
) -> None:
    small.add_fault("slow", seconds=0.5, pages=[4])
    with pytest.raises(SyncTimedOut):
        stage_account(main(EMAG_SYNC_TIMEOUT_HOURS="0.0001"))
    assert newest(database).status == "timeout"


@pytest.mark.usefixtures("already_published")
def test_g2_a_deadline_that_passes_while_missing_offers_are_asked_for_is_an_error(
    small: SandboxServer, database: Database, main: Contexts
) -> None:
    gone = small.ids("main")[:5]
    small.remove("main", gone)
    small.add_fault("slow", seconds=1.5, offer_ids=gone)
    with pytest.raises(SyncTimedOut):
        refresh(main(EMAG_SYNC_TIMEOUT_HOURS="0.0003"))
    assert newest(database).status == "timeout"
