"""G5, where the database goes away in the middle: stopped and started again, or crashed with its unlogged staging."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.store import migrate
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.local.ups import wait_until
from emag_pipeline_tests.promises.watching import durable_pages, newest, pages_asked, wait_for_pages
from emag_pipeline_tests.promises.workers import Workers, environment_of
from emag_pipeline_tests.store.own_server import DURABLE, OwnServer
from emag_pipeline_tests.sync.refresh import context_for, refresh
from emag_pipeline_tests.sync.truth import assert_published_exactly

pytestmark = pytest.mark.slow


@pytest.fixture
def own() -> Iterator[OwnServer]:
    with OwnServer.opened(DURABLE) as own:
        yield own


@pytest.fixture
def own_database(own: OwnServer, market: SandboxServer) -> Iterator[Database]:
    """On that server, the market as it was published before 100 prices moved."""
    database = Database(own.url("emag"))
    migrate.upgrade(database)
    refresh(context_for(database, market.url))
    market.advance(changes=100, kind="price", account="main")
    yield database
    database.close()


@pytest.fixture
def own_workers(own: OwnServer, own_database: Database, market: SandboxServer, tmp_path: Path) -> Iterator[Workers]:
    """Runs whose Dagster storage is on that server too, as it is by default."""
    workers = Workers(tmp_path, environment_of(tmp_path, market.url, own.url("emag"), own.url("dagster")))
    yield workers
    workers.end()


def test_g5_after_a_stop_of_the_database_the_next_run_goes_on_after_the_last_durable_page(
    market: SandboxServer, own: OwnServer, own_database: Database, own_workers: Workers
) -> None:
    market.add_fault("hang", pages=list(range(6, 12)))
    worker = own_workers.start()
    wait_for_pages(own_database, 5)
    own.stop()
    market.clear_faults()
    worker.kill()
    own.start()
    market.reset_stats()
    own_workers.publish()
    assert newest(own_database).attempt == 2
    assert set(pages_asked(market)) == set(range(6, 12))
    assert_published_exactly(own_database, market, "main")


def test_g5_a_crash_of_the_database_empties_staging_which_is_noticed_and_the_scan_begins_anew(
    market: SandboxServer, own: OwnServer, own_database: Database, own_workers: Workers
) -> None:
    market.add_fault("hang", pages=list(range(6, 12)))
    worker = own_workers.start()
    wait_for_pages(own_database, 5)
    first = newest(own_database).sync_id
    own.crash()
    worker.kill()
    market.clear_faults()
    own.start()
    assert durable_pages(own_database) == set()
    own_workers.publish()
    assert newest(own_database).sync_id != first
    assert_published_exactly(own_database, market, "main")


def test_g5_a_run_outlives_a_restart_of_its_database_without_a_person(
    market: SandboxServer, own: OwnServer, own_database: Database, dagster_url: str, tmp_path: Path
) -> None:
    """Where Dagster's storage is elsewhere, the step tries again by itself."""
    workers = Workers(tmp_path, environment_of(tmp_path, market.url, own.url("emag"), dagster_url))
    market.add_fault("slow", seconds=1.5, pages=list(range(6, 12)), count=6)
    try:
        worker = workers.start()
        wait_for_pages(own_database, 5)
        own.stop()
        wait_until(lambda: "cannot be reached" in worker.printed(), 60, worker.printed)
        own.start()
        assert worker.wait(90) == 0, worker.printed()
    finally:
        workers.end()
    assert_published_exactly(own_database, market, "main")
