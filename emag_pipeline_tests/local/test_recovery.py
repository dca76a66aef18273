"""What dies or hangs under a real daemon is recovered without a person; each test prints how long that took."""

import json
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from emag_pipeline.processes import lives
from emag_pipeline_tests.cli.commands import emag_pipeline
from emag_pipeline_tests.local.daemons import Daemon, published_daemon
from emag_pipeline_tests.local.ups import wait_until
from emag_pipeline_tests.promises.watching import newest, wait_for
from emag_pipeline_tests.sync.syncs import rows
from emag_pipeline_tests.sync.truth import assert_published_exactly

pytestmark = pytest.mark.services

_WEBSERVER, _DAEMON, _CODE_SERVERS = ("dagster_webserver",), ("dagster._daemon", "run"), ("api", "grpc")


@pytest.fixture(scope="module")
def daemon() -> Iterator[Daemon]:
    with published_daemon(EMAG_SYNC_HEARTBEAT_TIMEOUT="5", EMAG_SYNC_MONITOR_INTERVAL="2") as daemon:
        yield daemon


def _worker(daemon: Daemon) -> None:
    daemon.worker().kill()


def _code_servers_and_worker(daemon: Daemon) -> None:
    worker = daemon.worker()
    daemon.kill(*_CODE_SERVERS)
    worker.kill()


def _frozen_worker(daemon: Daemon) -> None:
    daemon.worker().send_signal(signal.SIGSTOP)


@pytest.mark.parametrize("harm", [_worker, _code_servers_and_worker, _frozen_worker])
def test_the_sync_goes_on_where_it_was_and_is_published(daemon: Daemon, harm: Callable[[Daemon], None]) -> None:
    run_id = daemon.launch_until(pages=7)
    sync, worker = newest(daemon.database), daemon.worker()
    began = time.monotonic()
    harm(daemon)
    daemon.heal()
    wait_until(lambda: newest(daemon.database).status == "completed", 180, lambda: str(newest(daemon.database)))
    print(f"\n{harm.__name__.strip('_')}: recovered and published after {time.monotonic() - began:.1f} s")
    row = newest(daemon.database)
    assert (row.sync_id, row.attempt) == (sync.sync_id, 2)
    daemon.assert_nothing_was_read_twice()
    wait_until(lambda: daemon.runs()[row.dagster_run_id] == "SUCCESS", 30)
    assert daemon.runs()[run_id] == "FAILURE"
    assert not lives(worker)
    assert_published_exactly(daemon.database, daemon.market, "main")


def test_a_run_is_forked_from_a_process_that_has_loaded_the_definitions_and_outlives_it(daemon: Daemon) -> None:
    daemon.launch_until(pages=7)
    worker = daemon.worker()
    fork_server = worker.parent()
    assert fork_server is not None
    assert worker.cmdline() == fork_server.cmdline()
    assert "['emag_pipeline.dagster_runs.preload']" in " ".join(fork_server.cmdline())
    fork_server.kill()  # Dagster takes the run for dead then
    daemon.heal()
    wait_until(lambda: newest(daemon.database).status == "completed", 180, lambda: str(newest(daemon.database)))
    daemon.settle()
    wait_until(lambda: not lives(worker), 60)  # its calls hang for ten seconds; then it finds its lease gone
    assert_published_exactly(daemon.database, daemon.market, "main")
    daemon.launch_until(pages=7)
    assert daemon.worker().ppid() != fork_server.pid
    daemon.heal()
    daemon.settle()
    assert newest(daemon.database).status == "completed"
    assert "RuntimeWarning" not in (daemon.up.home / "logs" / "code-server.log").read_text(), "no module is run twice"


def test_a_run_whose_turn_comes_while_no_code_server_lives_waits_for_one(daemon: Daemon) -> None:
    run_id = daemon.launch()
    daemon.kill(*_CODE_SERVERS)
    began = time.monotonic()
    wait_until(lambda: newest(daemon.database).dagster_run_id == run_id, 180)
    wait_for(daemon.database, seconds=60, status="completed")
    print(f"\nno code server: started and published after {time.monotonic() - began:.1f} s")


def _stop(daemon: Daemon, *options: str) -> Any:
    done = emag_pipeline(
        daemon.up.home, "stop", "--all", "--json", *options, EMAG_SANDBOX_PORT=str(daemon.up.sandbox_port)
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_emergency_stop_ends_a_run_although_its_servers_are_dead_and_the_next_one_goes_on(daemon: Daemon) -> None:
    run_id = daemon.launch_until(pages=5)
    worker = daemon.worker()
    assert [run["run_id"] for run in _stop(daemon, "--dry-run")["runs"]] == [run_id]
    for words in (_WEBSERVER, _DAEMON, _CODE_SERVERS):
        daemon.kill(*words)
    stopped = _stop(daemon)
    assert [(run["run_id"], run["status"]) for run in stopped["runs"]] == [(run_id, "CANCELED")]
    assert stopped["runs"][0]["process"] in ("stopped", "killed")  # a loaded machine may need more than eight seconds
    assert not lives(worker)
    row = newest(daemon.database)
    assert (row.status, row.error_class) == ("cancelled", "Interrupted")
    assert "stop --all" in row.error_message
    assert not rows(daemon.database, "SELECT 1 FROM emag_offer_syncs WHERE status = 'running'")
    daemon.heal()
    daemon.wait_for_ui()
    assert daemon.runs()[run_id] == "CANCELED"
    daemon.launch()
    wait_for(daemon.database, seconds=120, status="completed")
    done = newest(daemon.database)
    assert done.sync_id == row.sync_id
    daemon.assert_nothing_was_read_twice()
