"""An interrupted sync continues after its last durable page."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from emag_pipeline.errors import (
    AccessRefused,
    AnotherSyncRunning,
    Interrupted,
    ScanNotProven,
    StagingLost,
    SyncTimedOut,
)
from emag_pipeline.monitoring.incidents import open_incidents
from emag_pipeline.monitoring.recovery import recover
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.attempt import attempt
from emag_pipeline.sync.audit import audit_scan
from emag_pipeline.sync.completeness import Ask, ScanDecisions
from emag_pipeline.sync.liveness import Bounds
from emag_pipeline.sync.publish import publish_scan
from emag_pipeline.sync.scan import stage_account
from emag_pipeline_tests.promises.watching import wait_for, wait_for_pages
from emag_pipeline_tests.sync.refresh import Contexts, ledger_row, refresh
from emag_pipeline_tests.sync.syncs import begin, execute, rows
from emag_pipeline_tests.sync.truth import assert_published_exactly


@pytest.mark.usefixtures("already_published")
def test_pages_that_are_durable_are_not_read_again(market: SandboxServer, database: Database, main: Contexts) -> None:
    market.add_fault("wrong_credentials", resource="product_offer/read", pages=[6], count=1)
    with pytest.raises(AccessRefused):
        stage_account(main())
    durable = _reads(database, "SELECT page, size FROM emag_scan_pages WHERE reading = 1")
    assert durable
    execute(database, "DELETE FROM emag_requests")
    done = refresh(main())
    assert (done.sync.attempt, done.published.offers) == (2, 520)
    asked = _reads(database, "SELECT page, page_size FROM emag_requests WHERE page_size > 1")
    assert asked.isdisjoint(durable)
    assert done.sync.proof["windows"] == len(durable) + len(asked)
    assert_published_exactly(database, market, "main")


def test_the_pace_after_a_resume_is_not_that_of_what_had_been_read_before(
    market: SandboxServer, main: Contexts
) -> None:
    market.add_fault("wrong_credentials", resource="product_offer/read", pages=[6], count=1)
    with pytest.raises(AccessRefused):
        stage_account(main())
    before = ledger_row(main()).total_offers_processed
    staged = stage_account(main())
    assert 0 < before < 520
    assert (staged.attempt, staged.figures.rows, staged.new_rows) == (2, 520, 520 - before)


def test_offers_that_left_while_a_sync_was_stopped_are_no_reproach_to_the_marketplaces_count(
    market: SandboxServer, database: Database, main: Contexts
) -> None:
    market.add_fault("wrong_credentials", resource="product_offer/count", after=1)
    with pytest.raises(AccessRefused):
        stage_account(main())  # all pages are durable, the count behind them is not
    market.clear_faults()
    execute(database, "UPDATE emag_scan_pages SET fetched_at = fetched_at - interval '4 minutes'")
    market.remove("main", market.ids("main")[:50])
    context = main()
    stage_account(context)
    (remark,) = audit_scan(context).remarks
    assert remark.passed
    assert remark.sentence == (
        "the marketplace counts 520 offers before the scan and 470 after it, 520 are accounted for"
    ), "the count before the scan agrees"
    publish_scan(context)


def test_what_the_count_says_is_too_much_is_told_with_the_age_of_the_pages_that_it_rests_on(
    market: SandboxServer, database: Database, main: Contexts
) -> None:
    market.add_fault("wrong_credentials", resource="product_offer/count", after=1)
    with pytest.raises(AccessRefused):
        stage_account(main())
    market.clear_faults()
    execute(database, "UPDATE emag_scan_pages SET fetched_at = fetched_at - interval '4 minutes'")
    # arrivals behind the first count, that left before the last one
    execute(database, "UPDATE emag_offer_syncs SET offers_expected = 468")
    market.remove("main", market.ids("main")[:50])
    context = main()
    stage_account(context)
    (remark,) = audit_scan(context).remarks
    assert remark.passed, remark.sentence
    assert "520 are accounted for; pages were read up to 4 minutes before the last count" in remark.sentence
    done = publish_scan(context)
    assert done.sync.proof["oldest_page_seconds"] >= done.sync.proof["pause_seconds"] >= 240
    settled = refresh(main())
    assert (settled.published.offers, settled.published.deleted) == (470, 50)
    assert_published_exactly(database, market, "main")


def test_a_count_that_is_too_low_is_the_marketplaces_own_error_once_two_syncs_have_met_it(
    market: SandboxServer, main: Contexts
) -> None:
    market.add_fault("count_lies", difference=-40)
    passed = []
    for _ in range(2):
        context = main()
        stage_account(context)
        (remark,) = audit_scan(context).remarks
        passed.append(remark.passed)
        publish_scan(context)
    assert passed == [True, False], remark.sentence
    assert remark.sentence.endswith("520 are accounted for; the previous sync left the same difference")


def _reads(database: Database, sql: str) -> set[tuple[int, int]]:
    return {(row[0], row[1]) for row in rows(database, sql)}


def test_where_no_page_is_durable_the_next_run_is_said_to_start_from_the_beginning(
    database: Database, database_url: str, main: Contexts, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "the next attempt starts from the beginning: no page is durable"
    begin(database)
    execute(database, "UPDATE emag_offer_syncs SET progressed_at = now() - interval '9 hours'")
    context = main()
    (ended,) = recover(database, None, Bounds.of(context.settings))
    assert ended.found.condition == "stuck"
    assert said in ledger_row(context).error_remedy
    (incident,) = open_incidents(database)
    assert said.replace("attempt", "run") in incident.remedy
    monkeypatch.setattr("emag_pipeline.store.calls._LAST_WORDS_SECONDS", 60.0)  # the machine may be busy
    own = Database(database_url)
    lease = begin(database, run_id=context.run_id)
    with pytest.raises(Interrupted), attempt(replace(context, database=own), lease):
        raise Interrupted
    own.close()
    row = ledger_row(context)
    assert (row.status, row.error_class) == ("cancelled", "Interrupted")
    assert said.replace("attempt", "run") in row.error_remedy


def test_a_failure_stands_in_the_ledger_with_its_remedy(market: SandboxServer, main: Contexts) -> None:
    market.add_fault("wrong_credentials")
    context = main()
    with pytest.raises(AccessRefused):
        stage_account(context)
    row = ledger_row(context)
    assert (row.status, row.error_class) == ("failed", "AccessRefused")
    assert row.error_message.startswith("main")
    assert row.error_remedy


def test_lost_staging_is_noticed_and_the_scan_begins_anew(
    market: SandboxServer, database: Database, main: Contexts
) -> None:
    market.add_fault("wrong_credentials", resource="product_offer/read", pages=[6], count=1)
    with pytest.raises(AccessRefused):
        stage_account(main())
    with database.transaction() as tx:  # what a crash of the server leaves of unlogged tables
        tx.run("TRUNCATE emag_scan_pages, emag_scan_offers")
    done = refresh(main())
    assert (done.sync.attempt, done.published.offers) == (1, 520)


def test_a_sync_whose_time_is_over_stops_and_the_next_one_begins_anew(market: SandboxServer, main: Contexts) -> None:
    context = main(EMAG_SYNC_TIMEOUT_HOURS="0.0000001")
    with pytest.raises(SyncTimedOut, match="EMAG_SYNC_TIMEOUT_HOURS is 1e-07"):
        stage_account(context)
    assert ledger_row(context).status == "timeout"
    assert refresh(main()).sync.attempt == 1


@pytest.mark.parametrize(
    ("action", "error", "said"),
    [(None, ScanNotProven, "does not know what to read next"), (Ask.COUNT, SyncTimedOut, "reached its time limit")],
)
def test_a_scan_that_comes_to_no_end_is_ended(
    main: Contexts, monkeypatch: pytest.MonkeyPatch, action: Ask | None, error: type[Exception], said: str
) -> None:
    """Decisions that go round in circles are a defect, which neither spins nor outlives the deadline."""
    monkeypatch.setattr(ScanDecisions, "take", lambda scan: action if scan.count_before >= 0 else Ask.COUNT)
    monkeypatch.setattr(ScanDecisions, "counted", lambda scan, count: setattr(scan, "count_before", count))
    with pytest.raises(error, match=said):
        stage_account(main(EMAG_SYNC_TIMEOUT_HOURS="0.0005"))
    monkeypatch.undo()
    assert refresh(main()).sync.attempt == 1


def test_a_catalogue_has_the_time_that_its_calls_need_whatever_the_setting_says(main: Contexts) -> None:
    slow = {"EMAG_API_REQUESTS_PER_SECOND": "0.7", "EMAG_API_REQUESTS_PER_MINUTE": "100"}
    staged = stage_account(main(EMAG_SYNC_TIMEOUT_HOURS="0.002", **slow))
    assert staged.seconds > 0.002 * 3600


def test_a_second_run_is_told_that_another_one_works(main: Contexts) -> None:
    stage_account(main())
    with pytest.raises(AnotherSyncRunning, match="main: another sync is running"):
        stage_account(main())


def _lose_staging(database: Database, *, ledger_too: bool = False) -> None:
    """As a crash of the server does. Locks are taken in the order of staging, or the two would wait for each other."""
    staged = "0" if ledger_too else "windows_staged"
    with database.transaction() as tx:
        tx.run(f"UPDATE emag_offer_syncs SET windows_staged = {staged} WHERE status = 'running'")
        tx.run("TRUNCATE emag_scan_offers, emag_scan_pages")


@pytest.mark.usefixtures("already_published")
@pytest.mark.parametrize("ledger_too", [False, True], ids=["staging", "staging, and what the ledger said of it"])
def test_what_a_crash_of_the_database_took_is_read_again_by_the_same_attempt(
    market: SandboxServer, database: Database, main: Contexts, *, ledger_too: bool
) -> None:
    """Nobody waits for the commits that stage pages: the ledger's rows of the last ones may be gone as well."""
    market.advance(changes=40, account="main")
    market.add_fault("slow", seconds=2.0, pages=[4, 5, 6])
    with ThreadPoolExecutor(1) as aside:
        under_way = aside.submit(refresh, main())
        wait_for_pages(database, 2)
        _lose_staging(database, ledger_too=ledger_too)
        under_way.result()
    assert ledger_row(main()).attempt == 1
    assert_published_exactly(database, market, "main")


@pytest.mark.usefixtures("already_published")
def test_a_crash_while_missing_offers_are_asked_for_does_not_ask_for_all_of_them(
    market: SandboxServer, database: Database, main: Contexts
) -> None:
    gone = market.ids("main")[:60]
    market.remove("main", gone)
    market.reset_stats()
    with ThreadPoolExecutor(1) as aside:
        market.add_fault("slow", seconds=3.0, offer_ids=gone, count=1)
        under_way = aside.submit(refresh, main())
        wait_for(database, phase="confirming", status="running")
        _lose_staging(database)
        with pytest.raises(StagingLost):
            under_way.result()
    assert sum(one["offer_id"] is not None for one in market.requests("main")) <= 60
    refresh(main())
    assert_published_exactly(database, market, "main")
