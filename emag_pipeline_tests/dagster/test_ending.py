"""Ending runs from outside, with processes that stand for run workers; real workers: local/test_recovery.py."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import dagster as dg
import pytest
from dagster._core.events import DagsterEvent, DagsterEventType, EngineEventData

from emag_pipeline.dagster_runs import ending

_Process = subprocess.Popen[bytes]
#: What a code server's run worker has in its command line.
_WORKER = "spawn_main"


@dg.job
def _empty_job() -> None:
    """Stands for any job."""


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """With the run retries of dagster.yaml."""
    retries = {"enabled": True, "max_retries": 2, "retry_on_asset_or_op_failure": False}
    with dg.DagsterInstance.local_temp(overrides={"run_retries": retries}) as instance:
        yield instance


@pytest.fixture
def sleeper() -> Iterator[Callable[[str], _Process]]:
    """Starts processes that sleep, with a word in their command line."""
    started: list[_Process] = []

    def start(word: str) -> _Process:
        started.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", word]))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def _run(instance: dg.DagsterInstance, status: dg.DagsterRunStatus = dg.DagsterRunStatus.STARTED) -> str:
    return instance.create_run_for_job(_empty_job, status=status).run_id


def _note(instance: dg.DagsterInstance, run_id: str, process: _Process, seconds_ago: float = 0) -> None:
    """What a worker notes when it starts."""
    event = DagsterEvent(
        DagsterEventType.ENGINE_EVENT.value,
        "_empty_job",
        event_specific_data=EngineEventData.in_process(process.pid),
    )
    instance.report_dagster_event(event, run_id, timestamp=time.time() - seconds_ago)


def _status(instance: dg.DagsterInstance, run_id: str) -> str:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status.value


def test_a_run_that_is_failed_has_its_process_stopped_and_is_retried(
    instance: dg.DagsterInstance, sleeper: Callable[[str], _Process]
) -> None:
    run_id, process = _run(instance), sleeper(_WORKER)
    _note(instance, run_id, process)
    (ended,) = ending.fail(instance, {run_id: "no heartbeat"})
    assert (ended.process, ended.status, ended.will_retry) == ("stopped", "FAILURE", True)
    assert process.wait(5) != 0


def test_a_process_that_outlived_its_run_is_killed_and_the_run_stays_as_it_was(
    instance: dg.DagsterInstance, sleeper: Callable[[str], _Process]
) -> None:
    run_id, process = _run(instance, dg.DagsterRunStatus.CANCELED), sleeper(_WORKER)
    _note(instance, run_id, process)
    (ended,) = ending.fail(instance, {run_id: "no heartbeat"})
    assert (ended.process, ended.status, ended.will_retry) == ("killed", "CANCELED", False)
    assert process.wait(5) != 0


@pytest.mark.parametrize(("word", "seconds_ago"), [("somebody_else", 0), (_WORKER, 60)], ids=["other", "younger"])
def test_a_process_that_was_given_the_number_since_is_not_touched(
    word: str, seconds_ago: float, instance: dg.DagsterInstance, sleeper: Callable[[str], _Process]
) -> None:
    run_id, process = _run(instance), sleeper(word)
    _note(instance, run_id, process, seconds_ago)
    ending.fail(instance, {run_id: "no heartbeat"})
    assert process.poll() is None
    assert _status(instance, run_id) == "FAILURE"


def test_a_run_that_a_person_is_cancelling_is_cancelled_and_not_retried(instance: dg.DagsterInstance) -> None:
    run_id = _run(instance, dg.DagsterRunStatus.CANCELING)
    (ended,) = ending.fail(instance, {run_id: "no heartbeat"})
    assert (ended.status, ended.will_retry) == ("CANCELED", False)


def test_a_run_whose_process_is_known_to_be_gone_is_not_called_unreachable(instance: dg.DagsterInstance) -> None:
    """An emergency stop would say that it is not complete."""
    run_ids = [_run(instance) for _ in range(2)]
    (failed,) = ending.fail(instance, {run_ids[0]: "its process is gone"}, gone=run_ids[:1])
    (cancelled,) = ending.cancel_all(instance, "stopped by ana", gone=run_ids[1:])
    assert (failed.process, cancelled.process) == ("none", "none")


def test_a_run_that_is_over_is_left_alone(instance: dg.DagsterInstance) -> None:
    run_id = _run(instance, dg.DagsterRunStatus.SUCCESS)
    assert ending.fail(instance, {run_id: "no heartbeat"}) == []
    assert _status(instance, run_id) == "SUCCESS"


def test_everything_is_cancelled_whether_queued_or_running_and_of_whatever_job(
    instance: dg.DagsterInstance, sleeper: Callable[[str], _Process]
) -> None:
    queued, running = _run(instance, dg.DagsterRunStatus.NOT_STARTED), _run(instance)
    over = _run(instance, dg.DagsterRunStatus.FAILURE)
    process = sleeper(_WORKER)
    _note(instance, running, process)
    ended = {run.run_id: (run.status, run.process) for run in ending.cancel_all(instance, "stopped by ana")}
    assert ended == {queued: ("CANCELED", "none"), running: ("CANCELED", "stopped")}
    assert process.wait(5) != 0
    assert _status(instance, over) == "FAILURE"
