"""G5: after a crash at any point the next run continues after the last durable page and publishes the whole account."""

from typing import Any

import pytest

from emag_pipeline.errors import AccessRefused
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.scan import stage_account
from emag_pipeline_tests.local.ups import wait_until
from emag_pipeline_tests.promises.watching import (
    blocked_backends,
    durable_windows,
    held_row,
    newest,
    pages_asked,
    wait_for_block,
    wait_for_pages,
    windows_asked,
)
from emag_pipeline_tests.promises.workers import Workers
from emag_pipeline_tests.sandbox.sandboxes import unlimited_sandbox
from emag_pipeline_tests.sync.refresh import Contexts, refresh
from emag_pipeline_tests.sync.syncs import execute, rows
from emag_pipeline_tests.sync.truth import assert_published_exactly

pytestmark = pytest.mark.slow

#: Of the market of ten pages: the page behind the last one, which tells nothing durable and is always asked for.
_BEYOND = 11


def _confirmed(database: Database) -> set[int]:
    sql = "SELECT emag_offer_id FROM emag_scan_confirmations JOIN emag_offer_syncs USING (sync_id)"
    return {row.emag_offer_id for row in rows(database, f"{sql} WHERE status = 'running'")}


def _last_completed(database: Database) -> Any:
    sql = "SELECT sync_id FROM emag_offer_syncs WHERE status = 'completed' ORDER BY completed_at DESC LIMIT 1"
    return rows(database, sql)[0].sync_id


def _staged_syncs(database: Database) -> set[Any]:
    return {row.sync_id for row in rows(database, "SELECT DISTINCT sync_id FROM emag_scan_pages")}


@pytest.mark.parametrize("share", [3, 8], ids=["at 30 %", "at 80 %"])
def test_g5_a_run_killed_while_it_scans_is_continued_after_its_last_durable_page(
    market: SandboxServer,
    database: Database,
    market_main: Contexts,
    workers: Workers,
    share: int,
) -> None:
    refresh(market_main())
    market.advance(changes=100, kind="price", account="main")
    market.add_fault("hang", pages=list(range(share + 1, _BEYOND + 1)))
    worker = workers.start()
    wait_for_pages(database, share)
    worker.kill()
    durable = durable_windows(database)
    assert {page for page, _ in durable} == set(range(1, share + 1))
    market.clear_faults()
    market.reset_stats()
    workers.publish()
    assert newest(database).attempt == 2
    asked = windows_asked(market)
    assert durable.isdisjoint(asked)
    assert {page for page, _ in asked} == set(range(share + 1, _BEYOND + 1))
    assert_published_exactly(database, market, "main")


def test_g5_a_run_killed_while_it_confirms_is_continued_without_a_page_read_again(
    market: SandboxServer, database: Database, market_main: Contexts, workers: Workers
) -> None:
    refresh(market_main())
    gone = market.ids("main")[:60]
    market.remove("main", gone)
    market.add_fault("hang", offer_ids=gone[55:])
    worker = workers.start()
    wait_until(lambda: len(_confirmed(database)) == 50, 30)
    confirmed = _confirmed(database)
    worker.kill()
    market.clear_faults()
    market.reset_stats()
    workers.publish()
    ((page, size),) = windows_asked(market)
    assert (page - 1) * size >= 890, "only what lies behind the end, now that 60 are gone"
    asked = {request["offer_id"] for request in market.requests("main") if request["offer_id"]}
    assert asked == set(gone) - confirmed
    assert_published_exactly(database, market, "main")


def test_g5_a_run_killed_while_it_publishes_has_published_nothing_and_is_continued_from_staging(
    market: SandboxServer, database: Database, database_url: str, market_main: Contexts, workers: Workers
) -> None:
    refresh(market_main())
    before = newest(database).sync_id
    changed = market.ids("main")[5]
    market.edit("main", changed, sale_price=123.5)
    with held_row(database_url, changed):
        worker = workers.start()
        wait_for_block(database)
        worker.kill()
        assert _last_completed(database) == before
    market.reset_stats()
    workers.publish()
    assert newest(database).attempt == 2
    assert sorted(pages_asked(market)) == [_BEYOND]
    assert_published_exactly(database, market, "main")


def test_g5_a_statement_of_a_killed_run_does_not_keep_the_lease(
    market: SandboxServer, database: Database, database_url: str, market_main: Contexts, workers: Workers
) -> None:
    refresh(market_main())
    changed = market.ids("main")[5]
    market.edit("main", changed, sale_price=123.5)
    with held_row(database_url, changed):
        worker = workers.start()
        wait_for_block(database)
        worker.kill()
        wait_until(lambda: not blocked_backends(database), 10, lambda: "the dead run's statement still waits")


def test_g5_while_the_marketplace_is_away_a_run_waits_for_it_and_reads_no_durable_page_again(
    market: SandboxServer, database: Database, market_main: Contexts, workers: Workers
) -> None:
    refresh(market_main())
    market.add_fault("hang", pages=list(range(5, _BEYOND + 1)))
    worker = workers.start()
    wait_for_pages(database, 4)
    durable = durable_windows(database)
    market.stop()
    with unlimited_sandbox(market.port, accounts={"main": 950}) as again:
        assert worker.wait() == 0, worker.printed()
        asked = windows_asked(again)
        assert durable.isdisjoint(asked)
        assert len(set(asked)) == len(asked)
        assert_published_exactly(database, again, "main")


def test_g5_a_sync_older_than_its_time_is_not_continued_and_its_remains_are_discarded(
    small: SandboxServer, database: Database, main: Contexts
) -> None:
    small.add_fault("wrong_credentials", pages=[5], count=1)  # asked for once others are durable
    with pytest.raises(AccessRefused):
        stage_account(main())
    old = newest(database)
    assert durable_windows(database)
    execute(database, "UPDATE emag_offer_syncs SET deadline_at = clock_timestamp()")
    small.advance(changes=100, account="main")
    refresh(main())
    assert (newest(database).sync_id != old.sync_id, newest(database).attempt) == (True, 1)
    assert _staged_syncs(database) == {newest(database).sync_id}
    assert_published_exactly(database, small, "main")
