"""A catalogue that moves or lies while it is read: published with what was seen of it, or refused with the reason."""

from typing import Any

import pytest

from emag_pipeline.errors import PageBoundExceeded, ScanNotProven
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.scan import stage_account
from emag_pipeline_tests.sync.refresh import Contexts, ledger_row, refresh
from emag_pipeline_tests.sync.syncs import rows
from emag_pipeline_tests.sync.truth import assert_published_exactly, published


@pytest.mark.parametrize("change", ["arrival", "departure"])
def test_a_catalogue_that_moved_once_is_read_once_and_its_movement_is_recorded(
    market: SandboxServer, database: Database, main: Contexts, change: str
) -> None:
    market.add_fault("drift", change=change, offers=3, pages=[3], count=1)
    done = refresh(main())
    proof = done.sync.proof
    assert (proof["rounds"], proof["proven"], proof["head_reached"], proof["tail_reached"]) == (1, 1, 1, 1)
    assert proof["count_after"] - proof["count_before"] == (3 if change == "arrival" else -3)
    assert proof["anchors"] >= 3


@pytest.mark.parametrize("change", ["arrival", "departure"])
def test_a_catalogue_that_never_holds_still_is_published_at_every_sync(
    market: SandboxServer, database: Database, main: Contexts, change: str
) -> None:
    for _ in range(3):
        before = set(market.ids("main"))
        market.clear_faults()
        market.add_fault("drift", change=change, offers=2)  # with every page that is read
        assert refresh(main()).sync.status == "completed"
        market.clear_faults()
        after = set(market.ids("main"))
        found = {row["emag_offer_id"] for row in published(database, "main") if row["deleted_at"] is None}
        assert before & after <= found <= before | after


@pytest.mark.parametrize("is_first", [True, False], ids=["first", "later"])
def test_of_an_offer_that_stands_at_two_places_the_second_row_is_in_quarantine(
    market: SandboxServer, database: Database, main: Contexts, *, is_first: bool
) -> None:
    if not is_first:
        refresh(main())
    (doubled,) = market.ids("main")[300:301]
    market.double("main", [doubled])
    proof = refresh(main()).sync.proof
    assert_published_exactly(database, market, "main")
    assert (proof["doubled"], proof["rounds"], proof["remainder"], proof["marks"]) == (1, 1, 0, [])
    assert (proof["quarantined"], proof["rejected"], proof["rows"]) == (1, 0, 520)
    (row,) = rows(database, "SELECT emag_offer_id, reason, payload FROM emag_offer_rejects")
    assert (row.emag_offer_id, row.reason) == (doubled, f"id {doubled} appears at another place in the listing already")
    assert f'"id":{doubled}' in row.payload.replace(" ", "")


_EXACT: dict[str, tuple[dict[str, Any], str]] = {
    "the count is too low": ({"kind": "count_lies", "difference": -120}, ""),
    "the count is too high": ({"kind": "count_lies", "difference": 120}, "the count itself is wrong"),
    "a page shows another one": ({"kind": "repeated_page", "pages": [4]}, ""),
    "a page is empty": ({"kind": "empty_page", "pages": [4]}, ""),
    "a page is short": ({"kind": "short_page", "pages": [4]}, ""),
    "the last page is short": ({"kind": "short_page", "missing": 3, "pages": [6]}, ""),
}


@pytest.mark.parametrize(("fault", "mark"), _EXACT.values(), ids=_EXACT)
def test_what_other_reads_get_around_is_published_exactly(
    market: SandboxServer, database: Database, main: Contexts, fault: dict[str, Any], mark: str
) -> None:
    market.add_fault(**fault)
    proof = refresh(main()).sync.proof
    assert_published_exactly(database, market, "main")
    assert mark in (proof["marks"] or [""])


def test_pages_that_do_not_end_are_refused_with_the_reason(market: SandboxServer, main: Contexts) -> None:
    market.add_fault("endless_pages")
    context = main()
    with pytest.raises(ScanNotProven, match=r"cannot be proven complete: the pages do not end: .* 520 were seen"):
        stage_account(context)
    row = ledger_row(context)
    assert (row.status, row.error_class) == ("failed", "ScanNotProven")


@pytest.mark.usefixtures("already_published")
def test_a_listing_that_keeps_its_order_is_read_once_and_its_order_is_kept(
    market: SandboxServer, database: Database, main: Contexts
) -> None:
    market.reset_stats()
    proof = refresh(main()).sync.proof
    assert proof["compared"] >= 519
    assert (proof["inversions"], proof["rounds"], proof["heads"]) == (0, 1, 0)
    resources = [request["resource"] for request in market.requests("main")]
    assert resources.count("product_offer/read") <= 8  # six windows, and one behind the end
    assert resources.count("product_offer/count") == 2


def test_a_catalogue_beyond_the_page_bound_is_not_read_at_all(market: SandboxServer, main: Contexts) -> None:
    context = main(EMAG_SYNC_MAX_PAGES="5")
    with pytest.raises(PageBoundExceeded, match="520 offers = 6 pages"):
        stage_account(context)
    assert {request["resource"] for request in market.requests("main")} == {"product_offer/count"}
    assert ledger_row(context).error_class == "PageBoundExceeded"
