"""G5 and G12 under `up`: what dies is repeated without a person, what is terminated in the UI is not."""

from collections.abc import Iterator

import pytest

from emag_pipeline_tests.local.daemons import Daemon, published_daemon
from emag_pipeline_tests.local.ups import wait_until
from emag_pipeline_tests.promises.watching import durable_pages, newest, wait_for
from emag_pipeline_tests.sync.truth import assert_published_exactly

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def daemon() -> Iterator[Daemon]:
    with published_daemon(EMAG_SYNC_HEARTBEAT_TIMEOUT="5") as daemon:
        yield daemon


def test_g5_a_killed_run_is_repeated_by_the_daemon_and_goes_on_after_its_last_durable_page(daemon: Daemon) -> None:
    killed = daemon.launch_until(pages=8)
    sync = newest(daemon.database).sync_id
    daemon.worker().kill()
    daemon.heal()
    wait_until(lambda: newest(daemon.database).status == "completed", 60)
    row = newest(daemon.database)
    assert (row.sync_id, row.attempt) == (sync, 2)
    daemon.assert_nothing_was_read_twice()
    wait_until(lambda: daemon.runs()[row.dagster_run_id] == "SUCCESS", 30)
    assert daemon.runs()[killed] == "FAILURE"
    assert_published_exactly(daemon.database, daemon.market, "main")


def test_g12_a_run_terminated_in_the_ui_is_cancelled_at_once_and_not_repeated_and_the_next_one_resumes(
    daemon: Daemon,
) -> None:
    terminated = daemon.launch_until(pages=5)
    daemon.terminate(terminated)
    wait_for(daemon.database, seconds=5, status="cancelled")
    assert "it was told to stop" in newest(daemon.database).error_message
    assert durable_pages(daemon.database) == {1, 2, 3, 4, 5}
    wait_until(lambda: daemon.runs()[terminated] == "CANCELED", 20)
    before = daemon.runs()
    daemon.heal()
    with pytest.raises(AssertionError):
        wait_until(lambda: daemon.runs() != before, 8)
    daemon.launch()
    wait_for(daemon.database, seconds=60, status="completed")
    assert newest(daemon.database).attempt == 2
    daemon.assert_nothing_was_read_twice()
    assert_published_exactly(daemon.database, daemon.market, "main")


def test_g5_a_run_that_exceeds_dagsters_max_runtime_is_ended_and_continued_without_a_person(daemon: Daemon) -> None:
    late = daemon.launch_until(pages=6, max_runtime="5")
    sync = newest(daemon.database).sync_id
    wait_until(lambda: daemon.runs()[late] == "FAILURE", 60)
    daemon.heal()
    wait_for(daemon.database, seconds=60, status="completed")
    row = newest(daemon.database)
    assert (row.sync_id, row.dagster_run_id != late) == (sync, True)
    daemon.assert_nothing_was_read_twice()
    assert_published_exactly(daemon.database, daemon.market, "main")


_DAEMON, _CODE_SERVER = ("dagster._daemon", "run"), ("api", "grpc")


@pytest.mark.parametrize("words", [_DAEMON, _CODE_SERVER], ids=["the daemon", "the code servers"])
def test_g5_a_run_survives_the_death_of_what_started_it(daemon: Daemon, words: tuple[str, ...]) -> None:
    run_id = daemon.launch_until(pages=4)
    daemon.kill(*words)
    daemon.heal()
    wait_for(daemon.database, seconds=60, status="completed")
    assert (newest(daemon.database).dagster_run_id, newest(daemon.database).attempt) == (run_id, 1)
    assert_published_exactly(daemon.database, daemon.market, "main")
