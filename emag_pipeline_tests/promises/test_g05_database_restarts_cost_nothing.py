"""G5, where the database goes away in the middle: stopped and started again, or crashed with its unlogged staging."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from emag_pipeline import embedded
from emag_pipeline.db import migrate
from emag_pipeline.db.engine import Database
from emag_pipeline.embedded import EmbeddedServer
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline_tests.process.ups import wait_until
from emag_pipeline_tests.promises.watching import durable_pages, newest, pages_asked, wait_for_pages
from emag_pipeline_tests.promises.workers import Workers, environment_of
from emag_pipeline_tests.sync.refresh import context_for, refresh
from emag_pipeline_tests.sync.truth import assert_published_exactly

pytestmark = pytest.mark.slow


@pytest.fixture
def own_home() -> Iterator[Path]:
    """The home of a PostgreSQL server that the test may stop."""
    with tempfile.TemporaryDirectory(prefix="emag-own-") as home:
        embedded.start(Path(home))
        yield Path(home)
        server = embedded.running(Path(home))
        if server is not None:
            server.stop()


@pytest.fixture
def own_database(own_home: Path, market: SandboxServer) -> Iterator[Database]:
    """On that server, the market as it was published before 100 prices moved."""
    database = Database(_server(own_home).url("emag"))
    migrate.upgrade(database)
    refresh(context_for(database, market.url))
    market.advance(changes=100, kind="price", account="main")
    yield database
    database.close()


@pytest.fixture
def own_workers(own_home: Path, own_database: Database, market: SandboxServer, tmp_path: Path) -> Iterator[Workers]:
    """Runs whose Dagster storage is on that server too, as it is by default."""
    server = _server(own_home)
    workers = Workers(tmp_path, environment_of(tmp_path, market.url, server.url("emag"), server.url("dagster")))
    yield workers
    workers.end()


def _server(home: Path) -> EmbeddedServer:
    server = embedded.running(home)
    assert server is not None
    return server


def _crash(server: EmbeddedServer) -> None:
    """kill -9 of the whole server: what a power cut is to it."""
    postmaster = server.postmaster()
    killed = [postmaster, *postmaster.children(recursive=True)]
    for process in killed:
        process.kill()
    psutil.wait_procs(killed, timeout=10)


def test_g5_after_a_stop_of_the_database_the_next_run_goes_on_after_the_last_durable_page(
    market: SandboxServer, own_home: Path, own_database: Database, own_workers: Workers
) -> None:
    market.add_fault("hang", pages=list(range(6, 12)))
    worker = own_workers.start()
    wait_for_pages(own_database, 5)
    _server(own_home).stop()
    market.clear_faults()
    worker.kill()
    embedded.start(own_home)
    market.reset_stats()
    own_workers.publish()
    assert newest(own_database).attempt == 2
    assert set(pages_asked(market)) == set(range(6, 12))
    assert_published_exactly(own_database, market, "main")


def test_g5_a_crash_of_the_database_empties_staging_which_is_noticed_and_the_scan_begins_anew(
    market: SandboxServer, own_home: Path, own_database: Database, own_workers: Workers
) -> None:
    market.add_fault("hang", pages=list(range(6, 12)))
    worker = own_workers.start()
    wait_for_pages(own_database, 5)
    first = newest(own_database).sync_id
    _crash(_server(own_home))
    worker.kill()
    market.clear_faults()
    embedded.start(own_home)
    assert durable_pages(own_database) == set()
    own_workers.publish()
    assert newest(own_database).sync_id != first
    assert_published_exactly(own_database, market, "main")


def test_g5_a_run_outlives_a_restart_of_its_database_without_a_person(
    market: SandboxServer, own_home: Path, own_database: Database, dagster_url: str, tmp_path: Path
) -> None:
    """Where Dagster's storage is elsewhere, the step tries again by itself."""
    workers = Workers(tmp_path, environment_of(tmp_path, market.url, _server(own_home).url("emag"), dagster_url))
    market.add_fault("slow", seconds=1.5, pages=list(range(6, 12)), count=6)
    try:
        worker = workers.start()
        wait_for_pages(own_database, 5)
        _server(own_home).stop()
        wait_until(lambda: "cannot be reached" in worker.said(), 60, worker.said)
        embedded.start(own_home)
        assert worker.wait(90) == 0, worker.said()
    finally:
        workers.end()
    assert_published_exactly(own_database, market, "main")
