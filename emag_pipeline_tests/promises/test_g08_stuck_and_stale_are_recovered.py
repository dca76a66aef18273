"""G8: a stuck or dead run is found and recovered without a person; a stale account is refreshed again."""

import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from emag_pipeline import embedded, processes, running_up
from emag_pipeline_tests.local.daemons import BEYOND, Daemon, daemon_in
from emag_pipeline_tests.local.ups import wait_until
from emag_pipeline_tests.promises.watching import newest, wait_for
from emag_pipeline_tests.store.ageing import published_ago
from emag_pipeline_tests.sync.syncs import rows
from emag_pipeline_tests.sync.truth import assert_published_exactly

pytestmark = pytest.mark.slow

_SHORT = {
    "EMAG_SYNC_HEARTBEAT_TIMEOUT": "5",
    "EMAG_SYNC_MONITOR_INTERVAL": "2",
    "EMAG_SYNC_STUCK_THRESHOLD_HOURS": str(10 / 3600),
}


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="emag-up-") as directory:
        yield Path(directory) / "home"


@pytest.fixture(scope="module")
def daemon(home: Path) -> Iterator[Daemon]:
    with daemon_in(home, **_SHORT) as daemon:
        wait_for(daemon.database, seconds=120, status="completed")
        daemon.settle()
        yield daemon


def _published_by_another_run(daemon: Daemon, run_id: str) -> bool:
    row = newest(daemon.database)
    return row.status == "completed" and row.dagster_run_id != run_id


def test_g8_a_run_whose_api_hangs_is_found_ended_and_repeated(daemon: Daemon) -> None:
    daemon.market.advance(changes=100, kind="price", account="main")
    # whoever asks before the fault is cleared waits a minute, longer than the run may go without a page
    daemon.market.add_fault("hang", seconds=60, pages=list(range(9, BEYOND + 1)))
    run_id = daemon.launch()
    wait_until(lambda: newest(daemon.database).pages_done == 8, 60)
    time.sleep(2)  # page 9 has been asked for
    daemon.market.clear_faults(kind="hang")
    began, sync = time.monotonic(), newest(daemon.database).sync_id
    wait_until(lambda: _published_by_another_run(daemon, run_id), 120, lambda: str(newest(daemon.database)))
    print(f"\nhanging API: recovered and published after {time.monotonic() - began:.1f} s")
    assert newest(daemon.database).sync_id == sync, "the pages that were durable are not read again"
    assert daemon.runs()[run_id] == "FAILURE"
    counted = rows(daemon.database, "SELECT name FROM emag_counters WHERE name LIKE '%_syncs_total' ORDER BY 1")
    assert [row.name for row in counted] == ["emag_sync_recovered_syncs_total", "emag_sync_stuck_syncs_total"]
    assert_published_exactly(daemon.database, daemon.market, "main")


def test_g8_a_stale_account_is_refreshed_again(daemon: Daemon) -> None:
    daemon.heal()
    before = newest(daemon.database)
    daemon.market.advance(changes=100, kind="price", account="main")
    published_ago(daemon.database, timedelta(hours=7))
    wait_until(lambda: _published_by_another_run(daemon, before.dagster_run_id), 120)
    assert newest(daemon.database).sync_id != before.sync_id
    assert_published_exactly(daemon.database, daemon.market, "main")


def test_g8_after_everything_was_killed_the_next_start_publishes_without_a_person(home: Path, daemon: Daemon) -> None:
    killed = daemon.launch_until(pages=5)
    _kill_everything(daemon)
    began = time.monotonic()
    with daemon_in(home, **_SHORT) as again:
        wait_until(lambda: _published_by_another_run(again, killed), 180, lambda: str(newest(again.database)))
        print(f"\neverything killed: started, recovered and published after {time.monotonic() - began:.1f} s")
        assert again.runs()[killed] == "FAILURE"
        assert_published_exactly(again.database, again.market, "main")


def _kill_everything(daemon: Daemon) -> None:
    """`up`, all that it started, and the database server, whose crash empties staging."""
    server = embedded.running(daemon.up.home)
    assert server is not None
    postgres = server.postmaster()
    daemon.up.process.kill()
    daemon.up.process.wait()
    processes.kill([*running_up.members(daemon.up.home), *postgres.children(), postgres])
