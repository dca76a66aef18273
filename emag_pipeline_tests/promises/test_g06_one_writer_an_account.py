"""G6: two runs never write for the same account at once, nor can a run that lost its lease write anything."""

import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from emag_pipeline.errors import AnotherSyncRunning, LeaseLost
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import figures, publish
from emag_pipeline.sync.audit import audit_scan
from emag_pipeline.sync.publish import publish_scan
from emag_pipeline.sync.scan import stage_account
from emag_pipeline_tests.local.ups import wait_until
from emag_pipeline_tests.promises.watching import (
    held_row,
    newest,
    versions,
    wait_for,
    wait_for_block,
    wait_for_pages,
)
from emag_pipeline_tests.promises.workers import HEARTBEAT_TIMEOUT_SECONDS, Workers
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.refresh import Contexts, refresh
from emag_pipeline_tests.sync.syncs import begin, rows, stage, stage_page
from emag_pipeline_tests.sync.truth import assert_published_exactly

pytestmark = pytest.mark.slow

#: Long enough for six beats on a busy machine, short enough to be waited for.
_TIMEOUT = {"EMAG_SYNC_HEARTBEAT_TIMEOUT": "1.2"}


def test_g6_after_a_takeover_the_old_run_can_neither_stage_nor_publish(database: Database) -> None:
    old = begin(database, run_id="old")
    stage(database, old, [offer(1)])
    figures.begin_audit(database, old)
    figures.accept(database, old, {})
    new = begin(database, run_has_ended=lambda run: run == "old")
    for write in (
        lambda: stage_page(database, old, 2, [offer(2)], rows=2),
        lambda: publish.publish(database, old),
        lambda: figures.accept(database, old, {}),
    ):
        with pytest.raises(LeaseLost):
            write()
    assert new.sync_id == old.sync_id
    assert rows(database, "SELECT emag_offer_id FROM emag_product_offers") == []


def test_g6_of_two_runs_that_begin_at_once_one_writes(database: Database) -> None:
    gate, outcomes = threading.Barrier(2), []

    def run() -> None:
        gate.wait()
        try:
            stage(database, begin(database), [offer(1)])
            outcomes.append("staged")
        except AnotherSyncRunning:
            outcomes.append("refused")

    runs = [threading.Thread(target=run) for _ in range(2)]
    for thread in runs:
        thread.start()
    for thread in runs:
        thread.join()
    assert sorted(outcomes) == ["refused", "staged"]


def test_g6_of_two_processes_at_once_one_publishes_and_the_other_ends_with_4(
    market: SandboxServer, database: Database, workers: Workers
) -> None:
    market.settings(latency_seconds=1.0)
    codes = sorted(worker.wait() for worker in [workers.start(), workers.start()])
    assert codes == [0, 4]
    assert [row.attempt for row in rows(database, "SELECT attempt FROM emag_offer_syncs")] == [1]
    assert_published_exactly(database, market, "main")


def test_g6_a_process_frozen_until_its_lease_was_taken_over_writes_nothing_when_it_thaws(
    market: SandboxServer, database: Database, workers: Workers
) -> None:
    frozen = workers.start(EMAG_API_REQUESTS_PER_SECOND="1")
    wait_for_pages(database, 3)  # of thirteen: at this rate it is not done before it is frozen, however busy all is
    frozen.process.send_signal(signal.SIGSTOP)
    workers.publish()
    market.advance(changes=200, account="main")
    before = versions(database)
    frozen.process.send_signal(signal.SIGCONT)
    assert frozen.wait() == 4
    assert "another run took over" in frozen.printed()
    assert versions(database) == before


def test_g6_a_run_frozen_inside_its_publish_does_not_keep_the_account_for_ever(
    market: SandboxServer, database: Database, database_url: str, market_main: Contexts, workers: Workers
) -> None:
    refresh(market_main())
    changed = market.ids("main")[5]
    market.edit("main", changed, sale_price=123.5)
    with held_row(database_url, changed):
        frozen = workers.start()
        wait_for_block(database)
        frozen.process.send_signal(signal.SIGSTOP)
    workers.publish()  # the server has done the statement, and waits for a client that says nothing
    frozen.process.send_signal(signal.SIGCONT)
    assert frozen.wait() in (1, 4)
    assert_published_exactly(database, market, "main")


def test_g6_a_lease_is_taken_over_at_once_when_the_owners_run_has_ended(
    small: SandboxServer, database: Database, main: Contexts
) -> None:
    stage_account(main())
    with pytest.raises(AnotherSyncRunning):
        stage_account(main())
    refresh(main(run_ended=True))
    assert newest(database).attempt == 2
    assert_published_exactly(database, small, "main")


def test_g6_a_slow_answer_is_not_taken_for_death(small: SandboxServer, database: Database, main: Contexts) -> None:
    # Not one of the first two pages: nothing is read beside them until pagination is known to be obeyed.
    small.add_fault("slow", seconds=6.0, pages=[3], count=1)
    with ThreadPoolExecutor(1) as aside:
        slow = aside.submit(stage_account, main(**_TIMEOUT))
        wait_for_pages(database, 2)
        time.sleep(1.8)
        with pytest.raises(AnotherSyncRunning):
            stage_account(main(**_TIMEOUT))
        slow.result()
    assert newest(database).attempt == 1


def test_g6_a_publish_that_waits_goes_on_beating_and_is_not_taken_for_death(
    small: SandboxServer, database: Database, database_url: str, main: Contexts
) -> None:
    refresh(main())
    changed = small.ids("main")[5]
    small.edit("main", changed, sale_price=123.5)
    context = main(**_TIMEOUT)
    stage_account(context)
    assert audit_scan(context).accepted
    with ThreadPoolExecutor(1) as aside, held_row(database_url, changed) as holder:
        waiting = aside.submit(publish_scan, context)
        wait_for_block(database)
        begun = newest(database).heartbeat_at
        wait_until(lambda: (newest(database).heartbeat_at - begun).total_seconds() > 1.5, 10)
        with pytest.raises(AnotherSyncRunning):
            stage_account(main(**_TIMEOUT))
        holder.close()
        assert waiting.result().published.updated == 1


def test_g6_a_sync_that_died_before_its_first_heartbeat_blocks_nobody(
    market: SandboxServer, database: Database, workers: Workers
) -> None:
    market.add_fault("hang", resource="product_offer/count")
    worker = workers.start(EMAG_SYNC_HEARTBEAT_TIMEOUT="600")
    wait_for(database, status="running", phase="planning")
    worker.kill()
    assert newest(database).heartbeat_at == newest(database).started_at
    market.clear_faults()
    began = time.monotonic()
    workers.publish()
    assert time.monotonic() - began < HEARTBEAT_TIMEOUT_SECONDS + 30
    assert_published_exactly(database, market, "main")
