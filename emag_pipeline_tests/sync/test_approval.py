"""A person may accept a shrunken or dirty scan; then that very scan is published."""

from uuid import uuid4

import pytest

from emag_pipeline.db.engine import Database
from emag_pipeline.errors import RefusedError
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.sync import stage_account
from emag_pipeline.sync.approval import approve
from emag_pipeline_tests.db.syncs import rows
from emag_pipeline_tests.sync.conftest import Refresh
from emag_pipeline_tests.sync.refresh import ledger_row, refresh, refused
from emag_pipeline_tests.sync.truth import assert_published_exactly


def test_an_approved_scan_is_published_without_reading_its_pages_again(
    market: SandboxServer, database: Database, main: Refresh
) -> None:
    refresh(main())
    gone = market.ids("main")[:200]
    market.remove("main", gone)
    context = main()
    sync_id = refused(context).lease.sync_id
    assert approve(database, context.settings, sync_id, "ana") == "main"
    market.reset_stats()
    done = refresh(main())
    assert (done.sync.sync_id, done.sync.approved_by, done.published.deleted) == (sync_id, "ana", 200)
    asked = market.requests("main")
    assert not [request for request in asked if request["page"]]
    assert sorted(request["offer_id"] for request in asked if request["offer_id"]) == gone
    assert_published_exactly(database, market, "main")


def test_vanished_offers_that_are_found_by_id_are_kept_even_when_approved(
    market: SandboxServer, database: Database, main: Refresh
) -> None:
    refresh(main())
    market.hide("main", market.ids("main")[:200])
    context = main()
    approve(database, context.settings, refused(context).lease.sync_id, "ana")
    done = refresh(main())
    assert (done.published.deleted, done.published.offers) == (0, 520)


def test_too_many_rejected_rows_can_be_approved(market: SandboxServer, database: Database, main: Refresh) -> None:
    market.add_fault("poison", row="price", rows=5, pages=[1, 2, 3])
    context = main()
    approve(database, context.settings, refused(context).lease.sync_id, "ana")
    assert refresh(main()).published.offers == 505


def test_a_sync_that_was_not_refused_cannot_be_approved(database: Database, main: Refresh) -> None:
    context = main()
    done = refresh(context)
    for sync_id in (done.sync.sync_id, uuid4()):
        with pytest.raises(RefusedError, match="cannot be approved"):
            approve(database, context.settings, sync_id, "ana")


def test_only_the_newest_sync_can_be_approved(market: SandboxServer, database: Database, main: Refresh) -> None:
    refresh(main())
    market.remove("main", market.ids("main")[:200])
    context = main()
    sync_id = refused(context).lease.sync_id
    refused(main())
    with pytest.raises(RefusedError, match="not an account's newest sync"):
        approve(database, context.settings, sync_id, "ana")


def test_an_unapproved_refusal_is_read_anew(market: SandboxServer, main: Refresh) -> None:
    refresh(main())
    market.remove("main", market.ids("main")[:200])
    context = main()
    sync_id = refused(context).lease.sync_id
    again = main()
    stage_account(again)
    assert ledger_row(again).sync_id != sync_id


def test_the_quarantine_names_rows_pages_and_reasons(market: SandboxServer, database: Database, main: Refresh) -> None:
    market.add_fault("poison", row="price", rows=1, pages=[2])
    refresh(main())
    (kept,) = rows(database, "SELECT DISTINCT emag_offer_id, page, reason FROM {schema}.emag_offer_rejects")
    assert (kept.emag_offer_id, kept.page) == (market.ids("main")[100], 2)
    assert kept.reason == "sale_price is '12,34,56 lei', not a number"
