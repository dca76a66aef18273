"""Finds runs from outside: their processes on this machine, ended ones, and those in progress without activity."""

import contextlib
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import psutil

from emag_pipeline.dagster_runs import ENDED, PARTITION_TAG, REFRESH_JOB, UNDER_WAY
from emag_pipeline.dagster_runs.instance import Instance
from emag_pipeline.processes import is_worker, lives, variable_of

# The processes on this machine that execute runs.
#
# Dagster's run launcher does not know a run whose code server has died, but the process recorded its id in the run's
# events. The id may have been reused since, so the process's age and command line must match.

#: The kernel counts a process's start in ticks from the boot.
_CLOCK_SECONDS = 2.0


def worker_of(instance: Instance, run_id: str) -> psutil.Process | None:
    """The living process of a run; None if it has ended, is on another machine or has not started yet."""
    for record in instance.all_logs(run_id, of_type={dg.DagsterEventType.ENGINE_EVENT}):
        noted = record.get_dagster_event().engine_event_data.metadata.get("pid")
        if noted is not None and (found := _process(int(str(noted.value)), run_id, record.timestamp)):
            return found
    return None


def workers_here(dagster_home: Path) -> list[psutil.Process]:
    """All living processes of this machine that execute a run of the instance in that directory."""
    home = str(dagster_home)
    return [one for one in psutil.process_iter() if _executes_a_run(one) and variable_of(one, "DAGSTER_HOME") == home]


def _process(pid: int, run_id: str, noted_at: float) -> psutil.Process | None:
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        is_older = process.create_time() <= noted_at + _CLOCK_SECONDS
        if lives(process) and is_older and _executes_a_run(process, run_id):
            return process
    return None


def _executes_a_run(process: psutil.Process, run_id: str = "") -> bool:
    """Whether it executes a run. Only a process of `emag-pipeline sync`, not of a code server, shows which one."""
    with contextlib.suppress(psutil.Error):
        line = process.cmdline()
        return is_worker(process) or ("emag_pipeline.local.run" in line and (not run_id or run_id in line))
    return False


@dataclass(frozen=True, slots=True)
class StartedRun:
    """A run of `refresh_offers` that Dagster considers executing. Seconds are since its last event."""

    run_id: str
    account: str
    quiet_seconds: float
    worker_lives: bool


def ends_of(instance: Instance, run_ids: Iterable[str]) -> dict[str, tuple[str, float | None]]:
    """For runs that have ended or are being cancelled: status, and seconds since then (None if unknown).

    Runs that the instance does not know are not included.
    """
    ends: dict[str, tuple[str, float | None]] = {}
    for run_id in run_ids:
        record = instance.get_run_record_by_id(run_id)
        if record is None:
            continue
        if record.dagster_run.status in ENDED:
            ago = None if record.end_time is None else time.time() - record.end_time
            ends[run_id] = (record.dagster_run.status.value, ago)
        elif record.dagster_run.status == dg.DagsterRunStatus.CANCELING:
            ends[run_id] = (record.dagster_run.status.value, time.time() - record.update_timestamp.timestamp())
    return ends


def started_runs(instance: Instance, except_for: Iterable[str]) -> list[StartedRun]:
    """The runs that should be working on an account, without those named."""
    started = dg.RunsFilter(job_name=REFRESH_JOB, statuses=[dg.DagsterRunStatus.STARTED])
    known = set(except_for)
    return [
        StartedRun(
            run_id=run.run_id,
            account=run.tags.get(PARTITION_TAG, "unknown"),
            quiet_seconds=_quiet_seconds(instance, run.run_id),
            worker_lives=worker_of(instance, run.run_id) is not None,
        )
        for run in instance.get_runs(started)
        if run.run_id not in known
    ]


def _quiet_seconds(instance: Instance, run_id: str) -> float:
    newest = instance.get_records_for_run(run_id, limit=1, ascending=False).records
    return time.time() - newest[0].timestamp if newest else 0.0


@dataclass(frozen=True, slots=True)
class RunUnderWay:
    """A run, of any job, that is queued, starting or running; `account` is None if it has none."""

    run_id: str
    job: str
    account: str | None
    status: str


def runs_under_way(instance: Instance) -> list[RunUnderWay]:
    """Every run that has not ended, the newest first."""
    return [
        RunUnderWay(run.run_id, run.job_name, run.tags.get(PARTITION_TAG), run.status.value)
        for run in instance.get_runs(dg.RunsFilter(statuses=UNDER_WAY))
    ]
