"""Ending runs from outside: as failed, so that Dagster's run retry repeats them, or as cancelled.

Never starts a new run, because Dagster would start one too. The process is ended before Dagster's record is written,
because a living process would overwrite it. A process that does not stop is killed after the record, so that its code
server finds an ended run and adds nothing.
"""

import contextlib
import json
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Literal

import dagster as dg
from dagster._core.events import JobFailureData, RunFailureReason
from dagster._core.execution.backfill import BulkActionStatus
from dagster._core.storage.tags import GRPC_INFO_TAG, RUN_FAILURE_REASON_TAG, WILL_RETRY_TAG

from emag_pipeline import processes
from emag_pipeline.dagster_runs import ENDED, PARTITION_TAG, UNDER_WAY, finding
from emag_pipeline.dagster_runs.instance import Instance

# Stopping runs whose process is not on this machine: through the run launcher, which asks their code server.

#: What became of a run's process: none was there, it obeyed, it was killed, or nobody could reach it.
Process = Literal["none", "stopped", "killed", "unreachable"]

_LOOK_SECONDS = 0.2
_NOT_LAUNCHED = (dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED)


def stop_elsewhere(instance: Instance, runs: Sequence[dg.DagsterRun], seconds: float) -> dict[str, Process]:
    """Ask all runs to stop and wait at most this long. Returns the fate of each."""
    launched = [run for run in runs if not _has_no_process(run)]
    if not launched:
        return {run.run_id: "none" for run in runs}
    until = time.monotonic() + seconds
    pool = ThreadPoolExecutor(len(launched))
    asked = {run.run_id: pool.submit(_ask, instance, run) for run in launched}
    wait(asked.values(), seconds)
    pool.shutdown(wait=False, cancel_futures=True)
    obeying = {run_id for run_id, answer in asked.items() if answer.done() and answer.result()}
    ended = _wait_for_end(instance, obeying, until)
    return {run.run_id: _fate(run, run.run_id in ended) for run in runs}


def _ask(instance: Instance, run: dg.DagsterRun) -> bool:
    """Whether the launcher has asked the process to stop. It raises if the code server is gone."""
    if isinstance(instance.run_launcher, dg.DefaultRunLauncher) and GRPC_INFO_TAG not in run.tags:
        return False  # not launched by a code server: by `emag-pipeline sync`, or not yet launched
    with contextlib.suppress(Exception):
        return bool(instance.run_launcher.terminate(run.run_id))
    return False


def _wait_for_end(instance: Instance, run_ids: set[str], until: float) -> set[str]:
    ended: set[str] = set()
    while True:
        ended |= {one for one in run_ids - ended if (run := instance.get_run_by_id(one)) is None or run.status in ENDED}
        if ended == run_ids or time.monotonic() >= until:
            return ended
        time.sleep(_LOOK_SECONDS)


def _fate(run: dg.DagsterRun, has_ended: bool) -> Process:
    if has_ended:
        return "stopped"
    return "none" if run.status in _NOT_LAUNCHED or _is_of_this_machine(run) else "unreachable"


def _has_no_process(run: dg.DagsterRun) -> bool:
    """Whether it has no process: it was not launched, or none was found on this machine, where it ran."""
    return run.status in _NOT_LAUNCHED or (run.status != dg.DagsterRunStatus.STARTING and _is_of_this_machine(run))


def _is_of_this_machine(run: dg.DagsterRun) -> bool:
    """Whether its code server listens on this machine only."""
    address = json.loads(run.tags.get(GRPC_INFO_TAG, "{}"))
    return "socket" in address or address.get("host") in ("localhost", "127.0.0.1")


#: Enough for a run to record that it was interrupted, and short enough for a sensor (60 s) and an operator.
_OBEY_SECONDS = 8.0
_FATES: Mapping[Process, str] = {
    "none": "no process of it was found",
    "stopped": "its process was stopped",
    "killed": "its process did not end when asked and was killed",
    "unreachable": "its process could not be reached, but can no longer write",
}
_STEP_FAILURE = RunFailureReason.STEP_FAILURE.value


@dataclass(frozen=True, slots=True)
class EndedRun:
    """A run that was ended here, and the fate of its process."""

    run_id: str
    job: str
    account: str | None
    process: Process
    status: str
    will_retry: bool

    @property
    def fate(self) -> str:
        """The fate of its process, as a clause."""
        return _FATES[self.process]


def fail(instance: Instance, reasons: Mapping[str, str], gone: Collection[str] = ()) -> list[EndedRun]:
    """End runs, by id, as failed for a reason; Dagster retries them according to `run_retries` and their tags.

    `gone`: the runs whose process is known to have ended. A run that has ended already is not changed, and not
    returned unless it still had a process. A run that a person is cancelling is cancelled.
    """
    runs = [run for run_id in reasons if (run := instance.get_run_by_id(run_id))]
    under_way = [run for run in runs if run.status not in ENDED]
    for run in under_way:
        instance.report_engine_event(reasons[run.run_id], run)
    canceling = [run for run in under_way if run.status == dg.DagsterRunStatus.CANCELING]
    failing = [run for run in under_way if run.status != dg.DagsterRunStatus.CANCELING]
    return [
        *_end(instance, failing, lambda run: _record_failure(instance, run, reasons[run.run_id]), gone),
        *_end(instance, canceling, lambda run: _record_cancel(instance, run, reasons[run.run_id]), gone),
        *_kill_remains(instance, [run for run in runs if run.status in ENDED]),
    ]


def cancel_all(instance: Instance, reason: str, gone: Collection[str] = ()) -> list[EndedRun]:
    """Cancel every run, of any job, that is queued, starting or running. None of them is retried.

    `gone`: the ids of runs whose process is known to have ended.
    """
    runs = instance.get_runs(dg.RunsFilter(statuses=UNDER_WAY))
    for run in runs:
        if run.status != dg.DagsterRunStatus.CANCELING:
            instance.report_run_canceling(run, reason)
    return _end(instance, runs, lambda run: _record_cancel(instance, run, reason), gone)


def _end(
    instance: Instance,
    runs: Sequence[dg.DagsterRun],
    record: Callable[[dg.DagsterRun], None],
    gone: Collection[str],
) -> list[EndedRun]:
    """Stop the processes of all runs concurrently, then record how the runs ended."""
    here = {run.run_id: worker for run in runs if (worker := finding.worker_of(instance, run.run_id))}
    others = [run for run in runs if run.run_id not in here and run.run_id not in gone]
    elsewhere = stop_elsewhere(instance, others, _OBEY_SECONDS)
    obstinate = processes.end(here.values(), _OBEY_SECONDS)
    for run in runs:
        record(run)
    immortal = processes.kill(obstinate, with_children=True)

    def fate(run_id: str) -> Process:
        if run_id not in here:
            return elsewhere.get(run_id, "none")
        if here[run_id] in immortal:
            return "unreachable"
        return "killed" if here[run_id] in obstinate else "stopped"

    return [_ended(instance, run, fate(run.run_id)) for run in runs]


def _kill_remains(instance: Instance, runs: Sequence[dg.DagsterRun]) -> list[EndedRun]:
    """Kill processes that outlived their run, without asking: a stopping process would overwrite the recorded end."""
    left = {run.run_id: worker for run in runs if (worker := finding.worker_of(instance, run.run_id))}
    immortal = processes.kill(left.values(), with_children=True)
    return [
        _ended(instance, run, "unreachable" if left[run.run_id] in immortal else "killed")
        for run in runs
        if run.run_id in left
    ]


def _record_failure(instance: Instance, run: dg.DagsterRun, reason: str) -> None:
    """Record it as failed by a lost process: Dagster retries that, but not failed steps.

    A stopped process may have recorded a failed step, because it had just lost its lease.
    """
    now = instance.get_run_by_id(run.run_id)
    if now is None or now.status == dg.DagsterRunStatus.SUCCESS:
        return
    if now.status != dg.DagsterRunStatus.FAILURE or now.tags.get(RUN_FAILURE_REASON_TAG) == _STEP_FAILURE:
        lost = JobFailureData(error=None, failure_reason=RunFailureReason.UNEXPECTED_TERMINATION)
        instance.report_run_failed(now, reason, lost)


def _record_cancel(instance: Instance, run: dg.DagsterRun, reason: str) -> None:
    now = instance.get_run_by_id(run.run_id)
    if now is not None and now.status not in ENDED:
        instance.report_run_canceled(now, reason)


def _ended(instance: Instance, run: dg.DagsterRun, process: Process) -> EndedRun:
    now = instance.get_run_by_id(run.run_id) or run
    return EndedRun(
        run_id=run.run_id,
        job=run.job_name,
        account=run.tags.get(PARTITION_TAG),
        process=process,
        status=now.status.value,
        will_retry=now.is_failure and now.tags.get(WILL_RETRY_TAG) == "true",
    )


def cancel_backfills(instance: Instance) -> int:
    """Keep backfills from requesting further runs; the daemon completes the cancellation. Returns their number."""
    under_way = instance.get_backfills(status=BulkActionStatus.REQUESTED)
    for backfill in under_way:
        instance.update_backfill(backfill.with_status(BulkActionStatus.CANCELING))  # type: ignore[no-untyped-call]
    return len(under_way)
