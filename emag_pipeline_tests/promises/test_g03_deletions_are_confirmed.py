"""G3: an offer is tombstoned only after a complete scan did not show it *and* a read by its id did not find it."""

from typing import Any

import pytest

from emag_pipeline.errors import AccessRefused, ApiUnavailable
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.scan import stage_account
from emag_pipeline_tests.promises.watching import newest
from emag_pipeline_tests.sandbox.sandboxes import unlimited_sandbox
from emag_pipeline_tests.sync.refresh import Contexts, context_for, refresh, refused
from emag_pipeline_tests.sync.syncs import rows
from emag_pipeline_tests.sync.truth import assert_published_exactly

_TOMBSTONES = "SELECT emag_offer_id FROM emag_product_offers WHERE deleted_at IS NOT NULL ORDER BY 1"
_STATES = """SELECT valid_from, valid_to FROM emag_offer_history
             WHERE emag_offer_id = :id ORDER BY valid_from"""


def _tombstones(database: Database) -> list[int]:
    return [row.emag_offer_id for row in rows(database, _TOMBSTONES)]


def _asked(market: SandboxServer) -> list[int]:
    return sorted({request["offer_id"] for request in market.requests("main") if request["offer_id"]})


def test_g3_of_500_offers_hidden_from_pages_but_found_by_id_none_is_tombstoned(database: Database) -> None:
    """Nor of 100 that the marketplace still counts."""
    with unlimited_sandbox(accounts={"main": 2600}) as market:
        refresh(context_for(database, market.url))
        known = market.ids("main")
        for hidden, counted in ((known[100:600], False), (known[700:800], True)):
            market.show("main", known)
            market.reset_stats()
            market.hide("main", hidden, counted=counted)
            done = refresh(context_for(database, market.url))
            assert (done.published.deleted, done.published.offers, done.published.unchanged) == (0, 2600, 2600)
            assert _tombstones(database) == []
            assert _asked(market) == sorted(hidden)


@pytest.mark.usefixtures("already_published")
def test_g3_departed_offers_are_tombstoned_once_a_read_by_id_has_not_found_them(
    small: SandboxServer, database: Database, main: Contexts
) -> None:
    gone = small.ids("main")[150:157]
    small.remove("main", gone)
    stage_account(main(run_ended=True))
    assert _tombstones(database) == []
    assert _asked(small) == sorted(gone)
    refresh(main(run_ended=True))
    assert _tombstones(database) == sorted(gone)
    assert_published_exactly(database, small, "main")


_FAILURES: list[dict[str, Any]] = [
    {"kind": "server_error"},
    {"kind": "html_200"},
    {"kind": "truncated_json", "keep": 0},
    {"kind": "missing_is_error"},
    {"kind": "hang", "seconds": 0.2},
]


@pytest.mark.usefixtures("already_published")
def test_g3_no_failure_of_a_read_by_id_is_taken_for_absence(
    small: SandboxServer, database: Database, main: Contexts
) -> None:
    offer_id = small.ids("main")[42]
    small.hide("main", [offer_id])
    for failure in _FAILURES:  # one for each of the client's tries
        small.add_fault(**failure, offer_ids=[offer_id], count=1)
    with pytest.raises(ApiUnavailable, match="tried 5 times"):
        stage_account(main())
    assert [fault["done"] for fault in small.faults()] == [1] * len(_FAILURES)
    assert (newest(database).status, newest(database).phase) == ("failed", "confirming")
    assert refresh(main()).published.deleted == 0
    assert _tombstones(database) == []


@pytest.mark.usefixtures("already_published")
def test_g3_a_read_by_id_that_is_refused_tombstones_nothing_and_the_next_run_asks_again(
    small: SandboxServer, database: Database, main: Contexts
) -> None:
    first, second = small.ids("main")[42:44]
    small.hide("main", [first, second])
    small.add_fault("wrong_credentials", offer_ids=[second], count=1)
    with pytest.raises(AccessRefused):
        stage_account(main())
    assert refresh(main()).published.deleted == 0
    assert _tombstones(database) == []


@pytest.mark.usefixtures("already_published")
def test_g3_against_a_count_that_one_reading_does_not_explain_nothing_is_tombstoned_before_a_second_one(
    small: SandboxServer, database: Database, main: Contexts
) -> None:
    hidden = small.ids("main")[42:45]
    small.hide("main", hidden, counted=True)
    small.add_fault("empty_page", offer_ids=hidden)
    sync = refresh(main()).sync
    assert sync.proof["marks"] == ["the count itself is wrong", "the count leaves a remainder of 3"]
    assert (sync.proof["confirmed_gone"], sync.proof["remainder"], sync.proof["rounds"]) == (3, 3, 2)
    assert _tombstones(database) == sorted(hidden)


@pytest.mark.usefixtures("already_published")
def test_g3_in_a_catalogue_that_moves_each_tombstone_was_asked_for_by_its_id_and_is_gone(
    small: SandboxServer, database: Database, main: Contexts
) -> None:
    small.add_fault("drift", change="departure", offers=2)
    refresh(main())
    small.clear_faults()
    tombstones = _tombstones(database)
    assert tombstones
    assert set(tombstones).isdisjoint(small.ids("main"))
    assert set(tombstones) <= set(_asked(small))


@pytest.mark.usefixtures("already_published")
def test_g3_more_than_may_vanish_is_refused_with_nothing_tombstoned_or_published(
    small: SandboxServer, database: Database, main: Contexts
) -> None:
    small.remove("main", small.ids("main")[:65])
    small.advance(changes=50, kind="price", account="main")
    before = rows(database, "SELECT * FROM emag_product_offers ORDER BY 2")
    audit = refused(main())
    assert [verdict.name for verdict in audit.verdicts if not verdict.passed] == ["volume_has_not_collapsed"]
    assert rows(database, "SELECT * FROM emag_product_offers ORDER BY 2") == before
    assert _asked(small) == []


@pytest.mark.usefixtures("already_published")
def test_g3_an_offer_that_returns_is_revived_and_its_history_tells_of_the_gap(
    small: SandboxServer, database: Database, main: Contexts
) -> None:
    offer_id = small.ids("main")[7]
    small.remove("main", [offer_id])
    gone_since = refresh(main()).published.published_at
    small.show("main", [offer_id])
    back_since = refresh(main()).published.published_at
    assert _tombstones(database) == []
    first, second = rows(database, _STATES, id=offer_id)
    assert (first.valid_to, second.valid_from, second.valid_to) == (gone_since, back_since, None)
    assert_published_exactly(database, small, "main")
