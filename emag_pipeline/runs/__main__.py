"""`python -m emag_pipeline.runs ACCOUNT RUN_ID`: execute the job `refresh_offers` in this process.

Recorded in the same instance as every other run, with or without a daemon. It bypasses Dagster's queue: the lease
in the ledger is what makes two writers impossible (design.md, section 6).
"""

import sys

import dagster as dg
from dagster._core.definitions.reconstruct import ReconstructableRepository
from dagster._core.execution.api import execute_run
from dagster._core.execution.plan.objects import ErrorSource
from dagster._utils.interrupts import capture_interrupts

from emag_pipeline.runs import PARTITION_TAG, REFRESH_JOB, exit_code, failure, step_failures


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
    if any(data.error_source == ErrorSource.INTERRUPT for data in step_failures(instance, run_id)):
        instance.report_run_canceled(run, "A signal stopped the process.")
    return exit_code(instance, run_id)


def main() -> int:
    """Execute one run for the account and under the run id of the command line; prints what made it fail."""
    account, run_id = sys.argv[1:]
    with dg.DagsterInstance.get() as instance:
        code = execute_refresh(instance, account, run_id)
        sys.stdout.write(failure(instance, run_id))
    return code


if __name__ == "__main__":
    sys.exit(main())
