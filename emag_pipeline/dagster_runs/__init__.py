"""Dagster runs: find them, and read how they ended. Other code accesses the Dagster instance through this package.

`dagster_runs.instance` opens the instance, `dagster_runs.ending` ends runs, `dagster_runs.finding` finds their
processes, and `python -m emag_pipeline.local.run ACCOUNT RUN_ID` executes one.
"""

from collections.abc import Iterator

import dagster as dg
from dagster._core.execution.plan.objects import StepFailureData

from emag_pipeline.errors import Interrupted, RefusedError, exit_code_of

REFRESH_JOB = "refresh_offers"
REFERENCE_JOB = "refresh_reference"
MARTS_JOB = "refresh_marts"
ASSORTMENT_JOB = "refresh_daily_assortment"
PARTITION_TAG = "dagster/partition"
#: The tag of a run that reads all pages instead of resuming an interrupted sync; its value is `true`.
ANEW_TAG = "emag/anew"

ENDED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
UNDER_WAY = [status for status in dg.DagsterRunStatus if status not in ENDED]


def has_ended(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Whether a run is known to have ended; False for one that the instance does not know."""
    run = instance.get_run_by_id(run_id)
    return run is not None and run.status in ENDED


def accounts_under_way(instance: dg.DagsterInstance) -> set[str]:
    """The accounts for which a run is queued, starting or running."""
    return partitions_under_way(instance, REFRESH_JOB)


def partitions_under_way(instance: dg.DagsterInstance, job: str) -> set[str]:
    """The partitions for which a run of a job is queued, starting or running."""
    records = instance.get_run_records(dg.RunsFilter(job_name=job, statuses=UNDER_WAY))
    return {record.dagster_run.tags[PARTITION_TAG] for record in records if PARTITION_TAG in record.dagster_run.tags}


def exit_code(instance: dg.DagsterInstance, run_id: str) -> int:
    """The exit code for a run that has ended (docs/faults.md lists them)."""
    run = instance.get_run_by_id(run_id)
    if run is None or run.status == dg.DagsterRunStatus.CANCELED:
        return Interrupted.exit_code
    if run.status == dg.DagsterRunStatus.SUCCESS:
        return 0
    return max(_failure_codes(instance, run_id), default=1)


def exit_code_after_publish(instance: dg.DagsterInstance, run_id: str) -> int:
    """The same for a run that computes or checks published data, where a failed check is not a refusal."""
    run = instance.get_run_by_id(run_id)
    if run is None or run.status == dg.DagsterRunStatus.CANCELED:
        return Interrupted.exit_code
    return 0 if run.status == dg.DagsterRunStatus.SUCCESS else max(_step_codes(instance, run_id), default=1)


def failure(instance: dg.DagsterInstance, run_id: str) -> str:
    """Why a run failed, in one line; empty if no step failed."""
    said = [data.user_failure_data.description for data in step_failures(instance, run_id) if data.user_failure_data]
    return next((line for line in said if line), "")


def step_failures(instance: dg.DagsterInstance, run_id: str) -> Iterator[StepFailureData]:
    """The run's step failures, as Dagster recorded them."""
    for record in instance.all_logs(run_id, of_type={dg.DagsterEventType.STEP_FAILURE}):
        yield record.get_dagster_event().step_failure_data


def _step_codes(instance: dg.DagsterInstance, run_id: str) -> Iterator[int]:
    for data in step_failures(instance, run_id):
        if data.user_failure_data is not None and "error_class" in data.user_failure_data.metadata:
            yield exit_code_of(str(data.user_failure_data.metadata["error_class"].value))


def _failure_codes(instance: dg.DagsterInstance, run_id: str) -> Iterator[int]:
    yield from _step_codes(instance, run_id)
    for record in instance.all_logs(run_id, of_type={dg.DagsterEventType.ASSET_CHECK_EVALUATION}):
        if not record.get_dagster_event().asset_check_evaluation_data.passed:
            yield RefusedError.exit_code
