"""Dagster runs: find them, and execute one here. The one door to the Dagster instance for code that is not Dagster's.

`python -m emag_pipeline.runs ACCOUNT RUN_ID` executes the job `refresh_offers` in this process, recorded in the
same instance as every other run, with or without a daemon. It bypasses Dagster's queue: the lease in the ledger
is what makes two writers impossible (design.md, section 6).
"""

import sys
from collections.abc import Iterator

import dagster as dg
from dagster._core.definitions.reconstruct import ReconstructableRepository
from dagster._core.events import DagsterEventType
from dagster._core.execution.api import execute_run
from dagster._core.execution.plan.objects import ErrorSource, StepFailureData
from dagster._utils.interrupts import capture_interrupts

from emag_pipeline.errors import Interrupted, RefusedError, exit_code_of

REFRESH_JOB = "refresh_offers"
PARTITION_TAG = "dagster/partition"

_ENDED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
_UNDER_WAY = [status for status in dg.DagsterRunStatus if status not in _ENDED]


def has_ended(instance: dg.DagsterInstance, run_id: str) -> bool:
    """Whether a run is over, or unknown to the instance (pruned, or of another one)."""
    run = instance.get_run_by_id(run_id)
    return run is None or run.status in _ENDED


def accounts_under_way(instance: dg.DagsterInstance) -> set[str]:
    """The accounts for which a run is queued, starting or running."""
    records = instance.get_run_records(dg.RunsFilter(job_name=REFRESH_JOB, statuses=_UNDER_WAY))
    return {record.dagster_run.tags[PARTITION_TAG] for record in records if PARTITION_TAG in record.dagster_run.tags}


def execute_refresh(instance: dg.DagsterInstance, account: str, run_id: str) -> int:
    """Run `refresh_offers` for an account in this process. Returns the exit code (design.md, section 7)."""
    # by name: the definitions stand above this module
    job = ReconstructableRepository.for_module("emag_pipeline.definitions", "defs").get_reconstructable_job(REFRESH_JOB)
    definition = job.get_definition()
    run = instance.create_run_for_job(
        definition,
        run_id=run_id,
        # who stops this process wants it to stop: the daemon must not begin it again
        tags={**definition.run_tags, PARTITION_TAG: account, "dagster/max_retries": "0"},
        job_code_origin=job.get_python_origin(),
    )
    with capture_interrupts():
        execute_run(job, run, instance)
    if any(data.error_source == ErrorSource.INTERRUPT for data in _failures(instance, run_id)):
        instance.report_run_canceled(run, "A signal stopped the process.")
    return exit_code(instance, run_id)


def exit_code(instance: dg.DagsterInstance, run_id: str) -> int:
    """What an ended run means for whoever started it, as an exit code."""
    run = instance.get_run_by_id(run_id)
    if run is None or run.status == dg.DagsterRunStatus.CANCELED:
        return Interrupted.exit_code
    if run.status == dg.DagsterRunStatus.SUCCESS:
        return 0
    return max(_failure_codes(instance, run_id), default=1)


def failure(instance: dg.DagsterInstance, run_id: str) -> str:
    """What made a run fail, in one line; empty when no step failed."""
    said = [data.user_failure_data.description for data in _failures(instance, run_id) if data.user_failure_data]
    return next((line for line in said if line), "")


def _failure_codes(instance: dg.DagsterInstance, run_id: str) -> Iterator[int]:
    for data in _failures(instance, run_id):
        if data.user_failure_data is not None and "error_class" in data.user_failure_data.metadata:
            yield exit_code_of(str(data.user_failure_data.metadata["error_class"].value))
    for record in instance.all_logs(run_id, of_type={DagsterEventType.ASSET_CHECK_EVALUATION}):
        if not record.get_dagster_event().asset_check_evaluation_data.passed:
            yield RefusedError.exit_code


def _failures(instance: dg.DagsterInstance, run_id: str) -> Iterator[StepFailureData]:
    for record in instance.all_logs(run_id, of_type={DagsterEventType.STEP_FAILURE}):
        yield record.get_dagster_event().step_failure_data


def main() -> int:
    """Execute one run for the account and under the run id of the command line; prints what made it fail."""
    account, run_id = sys.argv[1:]
    with dg.DagsterInstance.get() as instance:
        code = execute_refresh(instance, account, run_id)
        sys.stdout.write(failure(instance, run_id))
    return code


if __name__ == "__main__":
    sys.exit(main())
