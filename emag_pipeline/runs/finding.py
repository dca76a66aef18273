"""Looking at runs from outside: which have ended, and which are under way without a word."""

import time
from collections.abc import Iterable
from dataclasses import dataclass

import dagster as dg

from emag_pipeline.runs import ENDED, PARTITION_TAG, REFRESH_JOB, UNDER_WAY
from emag_pipeline.runs.instance import Instance
from emag_pipeline.runs.workers import worker_of


@dataclass(frozen=True, slots=True)
class StartedRun:
    """A run of `refresh_offers` that Dagster believes to be executing. Seconds are since its last event."""

    run_id: str
    account: str
    quiet_seconds: float
    worker_lives: bool


def ends_of(instance: Instance, run_ids: Iterable[str]) -> dict[str, tuple[str, float | None]]:
    """Of the runs that are over or being cancelled: the status and since how many seconds, None when nobody knows.

    A run that the instance does not know is missing: nothing is known of it.
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
    """The runs that should be working on an account, but for those named."""
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
    """A run, of whatever job, that is queued, starting or running; `account` is None where it has none."""

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
