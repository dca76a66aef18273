"""A person may accept a shrunken or dirty scan; then that very scan is published."""

from uuid import uuid4

import pytest

from emag_pipeline.errors import RefusedError
from emag_pipeline.model import Reject
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.settings import load_settings
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import figures, ledger
from emag_pipeline.sync.approval import approve
from emag_pipeline.sync.publish import publish_scan
from emag_pipeline.sync.scan import stage_account
from emag_pipeline.sync.status import account_statuses
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.refresh import Contexts, ledger_row, refresh, refused
from emag_pipeline_tests.sync.syncs import begin, execute, rows, stage
from emag_pipeline_tests.sync.truth import assert_published_exactly


@pytest.mark.usefixtures("already_published")
def test_an_approved_scan_is_published_without_reading_its_pages_again(
    market: SandboxServer, database: Database, main: Contexts
) -> None:
    gone = market.ids("main")[:200]
    market.remove("main", gone)
    context = main()
    sync_id = refused(context).lease.sync_id
    assert approve(database, context.settings, sync_id, "ana") == "main"
    (waiting,) = account_statuses(database, ["main"])
    assert waiting.approval is not None
    assert (waiting.awaits_publish, waiting.approval.by, waiting.approval.sync_id) == (True, "ana", sync_id)
    market.reset_stats()
    done = refresh(main())
    (published,) = account_statuses(database, ["main"])
    assert (published.awaits_publish, published.approval) == (False, waiting.approval)
    assert (done.sync.sync_id, done.sync.approved_by, done.published.deleted) == (sync_id, "ana", 200)
    asked = market.requests("main")
    assert not [request for request in asked if request["page"]]
    assert sorted(request["offer_id"] for request in asked if request["offer_id"]) == gone
    assert_published_exactly(database, market, "main")


@pytest.mark.usefixtures("already_published")
def test_vanished_offers_that_are_found_by_id_are_kept_even_when_approved(
    market: SandboxServer, database: Database, main: Contexts
) -> None:
    market.hide("main", market.ids("main")[:200])
    context = main()
    approve(database, context.settings, refused(context).lease.sync_id, "ana")
    done = refresh(main())
    assert (done.published.deleted, done.published.offers) == (0, 520)


@pytest.mark.parametrize(("row", "published"), [("no_id", 505), ("price", 520)])
def test_too_many_rejected_rows_or_unreadable_fields_can_be_approved(
    market: SandboxServer, database: Database, main: Contexts, row: str, published: int
) -> None:
    market.add_fault("poison", row=row, offer_ids=market.ids("main")[90:105])  # some of them where windows overlap
    context = main()
    approve(database, context.settings, refused(context).lease.sync_id, "ana")
    assert refresh(main()).published.offers == published


@pytest.mark.usefixtures("already_published")
def test_an_emptied_account_is_refused_and_approved_only_expressly(
    market: SandboxServer, database: Database, main: Contexts
) -> None:
    market.remove("main", market.ids("main"))
    context = main()
    sync_id = refused(context).lease.sync_id
    with pytest.raises(RefusedError, match="the account would lose all 520 published ones") as refusal:
        approve(database, context.settings, sync_id, "ana")
    assert f"`emag-pipeline approve {sync_id} --even-if-empty`" in refusal.value.remedy
    approve(database, context.settings, sync_id, "ana", even_if_empty=True)
    done = refresh(main())
    assert (done.sync.sync_id, done.published.deleted, done.published.offers) == (sync_id, 520, 0)


def test_once_emptied_an_account_stays_empty_without_another_approval(market: SandboxServer, main: Contexts) -> None:
    market.remove("main", market.ids("main"))
    for _ in range(2):
        assert refresh(main()).published.offers == 0


def test_a_first_publish_of_nothing_but_rejected_rows_is_approved_only_expressly(
    database: Database, database_url: str
) -> None:
    lease = begin(database)
    stage(database, lease, [], rejects=[Reject(None, "no id", "{}")])
    figures.begin_audit(database, lease)
    figures.refuse(database, lease, figures.figures(database, lease.sync_id).as_proof())
    ledger.end(database, lease, "failed", error_class="RefusedError", message="", remedy="")
    settings = load_settings({"DATABASE_SYNC_URL": database_url}, env_file=None)
    with pytest.raises(RefusedError, match="it contains no offer that could be published"):
        approve(database, settings, lease.sync_id, "ana")
    assert approve(database, settings, lease.sync_id, "ana", even_if_empty=True) == "main"


def test_offers_with_unreadable_fields_count_for_the_tolerance(database: Database) -> None:
    lease = begin(database)
    stage(database, lease, [offer(1), offer(2), offer(3)])
    execute(database, "UPDATE emag_scan_offers SET unreadable = '{sale_price}' WHERE emag_offer_id > 1")
    assert figures.figures(database, lease.sync_id).unreadable_rows == 2


def test_a_sync_that_was_not_refused_cannot_be_approved(database: Database, main: Contexts) -> None:
    context = main()
    done = refresh(context)
    for sync_id in (done.sync.sync_id, uuid4()):
        with pytest.raises(RefusedError, match="cannot be approved"):
            approve(database, context.settings, sync_id, "ana")


def test_a_scan_that_no_audit_has_judged_cannot_be_approved(database: Database, main: Contexts) -> None:
    context = main()
    staged = stage_account(context)
    with pytest.raises(RefusedError, match="no audit has accepted the scan"):
        publish_scan(context)
    with pytest.raises(RefusedError, match="cannot be approved"):
        approve(database, context.settings, staged.sync_id, "ana")


@pytest.mark.usefixtures("already_published")
def test_only_the_newest_sync_can_be_approved(market: SandboxServer, database: Database, main: Contexts) -> None:
    market.remove("main", market.ids("main")[:200])
    context = main()
    sync_id = refused(context).lease.sync_id
    refused(main())
    with pytest.raises(RefusedError, match="not an account's newest sync"):
        approve(database, context.settings, sync_id, "ana")


@pytest.mark.usefixtures("already_published")
def test_an_unapproved_refusal_is_read_anew(market: SandboxServer, main: Contexts) -> None:
    market.remove("main", market.ids("main")[:200])
    context = main()
    sync_id = refused(context).lease.sync_id
    again = main()
    stage_account(again)
    assert ledger_row(again).sync_id != sync_id


def test_the_quarantine_names_rows_pages_and_reasons(market: SandboxServer, database: Database, main: Contexts) -> None:
    market.add_fault("poison", row="huge_id", rows=1, pages=[2])
    refresh(main())
    (kept,) = rows(database, "SELECT DISTINCT emag_offer_id, page, reason FROM emag_offer_rejects")
    assert (kept.emag_offer_id, kept.page) == (None, 2)
    assert kept.reason.startswith(f"id is {2**63 + market.ids('main')[97]}, outside ")
