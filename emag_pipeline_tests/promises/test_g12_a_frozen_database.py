"""G12 where the database says nothing any more: a run that is told to stop ends in time, whatever it waits for."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.promises.watching import newest, wait_for_pages
from emag_pipeline_tests.promises.workers import Worker, Workers, environment_of
from emag_pipeline_tests.store.door import opened
from emag_pipeline_tests.store.freezer import MOMENTS, Freezer, Moment
from emag_pipeline_tests.sync.syncs import begin
from emag_pipeline_tests.sync.truth import assert_published_exactly

pytestmark = pytest.mark.slow

_PLACES = pytest.mark.parametrize("is_everything", [False, True], ids=["one_connection", "everything"])
_INTERRUPTED = 130


@pytest.fixture
def freezer(database_url: str) -> Iterator[Freezer]:
    with opened(Freezer, database_url) as freezer:
        yield freezer


@pytest.fixture
def cold(
    freezer: Freezer, market: SandboxServer, database_url: str, dagster_url: str, tmp_path: Path
) -> Iterator[Workers]:
    """Starts runs whose database is behind the freezer."""
    url = freezer.behind(database_url)
    workers = Workers(tmp_path, environment_of(tmp_path, market.url, url, dagster_url))
    yield workers
    workers.end()


def _stop(worker: Worker, number: signal.Signals) -> int:
    told = time.monotonic()
    worker.process.send_signal(number)
    code = worker.wait(30)
    assert time.monotonic() - told < 5, worker.printed()
    return code


def _had_no_time(worker: Worker) -> bool:
    """Whether it ended at its bound, which comes first, on a machine that has far more to do than this."""
    return "did not end in time" in worker.printed() and os.getloadavg()[0] > 3 * (os.cpu_count() or 1)


def _freeze(freezer: Freezer, database: Database, moment: Moment, *, is_everything: bool) -> None:
    """Freeze in the middle of the scan, or where that moment does not come there, at the start."""
    if moment not in ("connect", "rollback"):
        wait_for_pages(database, 2)
    freezer.arm(moment, is_everything=is_everything, sent=b"emag_scan_pages" if moment == "statement" else b"")


@_PLACES
@pytest.mark.parametrize("moment", [moment for moment in MOMENTS if moment != "rollback"])
def test_g12_at_every_moment_of_a_call_to_the_database(
    moment: Moment, is_everything: bool, freezer: Freezer, market: SandboxServer, database: Database, cold: Workers
) -> None:
    number = signal.SIGINT if is_everything else signal.SIGTERM
    market.add_fault("slow", seconds=0.4)
    if moment == "connect":
        freezer.arm(moment, is_everything=is_everything)
    worker = cold.start()
    if moment != "connect":
        _freeze(freezer, database, moment, is_everything=is_everything)
    assert freezer.has_frozen.wait(60), worker.printed()
    assert _stop(worker, number) == _INTERRUPTED, worker.printed()
    row = newest(database)
    if row is not None:
        could_tell = (row.status, row.error_class) == ("cancelled", "Interrupted")
        could_not = is_everything or _had_no_time(worker)
        assert could_tell or (could_not and row.status == "running"), (row.status, row.error_message, worker.printed())
    market.clear_faults()
    freezer.thaw()
    cold.publish()
    assert newest(database).attempt == (1 if row is None else 2), "it did not go on after the last durable page"
    assert_published_exactly(database, market, "main")


@_PLACES
def test_g12_while_a_transaction_is_rolled_back(
    is_everything: bool, freezer: Freezer, database: Database, cold: Workers
) -> None:
    """Another sync holds the lease: the run begins, is refused, and rolls back."""
    begin(database)
    freezer.arm("rollback", is_everything=is_everything)
    worker = cold.start(EMAG_SYNC_HEARTBEAT_TIMEOUT="120")
    assert freezer.has_frozen.wait(60), worker.printed()
    assert _stop(worker, signal.SIGTERM) != 0
    assert newest(database).status == "running", "the other one's"


def test_g12_where_dagsters_own_storage_is_frozen_too(
    freezer: Freezer, market: SandboxServer, database: Database, database_url: str, dagster_url: str, tmp_path: Path
) -> None:
    """Dagster's calls hear nothing; the run ends all the same, says so, and the next one goes on."""
    urls = freezer.behind(database_url), freezer.behind(dagster_url)
    workers = Workers(tmp_path, environment_of(tmp_path, market.url, *urls))
    market.add_fault("slow", seconds=0.4)
    try:
        worker = workers.start()
        wait_for_pages(database, 2)
        freezer.arm("commit", is_everything=True)
        assert freezer.has_frozen.wait(30)
        assert _stop(worker, signal.SIGTERM) == _INTERRUPTED
        # the pipeline's own call may be frozen first, or Dagster's: each says so in its own words
        assert "did not" in worker.printed()
        assert "the next sync continues" in worker.printed()
        market.clear_faults()
        freezer.thaw()
        workers.publish()
    finally:
        workers.end()
    assert newest(database).attempt == 2
    assert_published_exactly(database, market, "main")
