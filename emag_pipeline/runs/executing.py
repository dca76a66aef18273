"""Executing a job in this process: recorded in the same instance as every other run, with or without a daemon."""

from collections.abc import Mapping
from datetime import UTC, datetime

import dagster as dg
from dagster._core.definitions.reconstruct import ReconstructableRepository
from dagster._core.execution.api import execute_run
from dagster._core.execution.plan.objects import ErrorSource
from dagster._utils.interrupts import capture_interrupts

from emag_pipeline.runs import ASSORTMENT_JOB, MARTS_JOB, exit_code, failure, step_failures


def execute(
    instance: dg.DagsterInstance,
    job_name: str,
    partition: str,
    run_id: str | None = None,
    tags: Mapping[str, str] | None = None,
) -> dg.DagsterRun:
    """Run a job for a partition in this process, with further tags, and return the run, which has ended then."""
    # by name: the definitions stand above this module
    job = ReconstructableRepository.for_module("emag_pipeline.definitions", "defs").get_reconstructable_job(job_name)
    definition = job.get_definition()
    run = instance.create_run_for_job(
        definition,
        run_id=run_id,
        # who stops this process wants it to stop: the daemon must not begin it again
        tags={
            **definition.run_tags,
            **definition.get_tags_for_partition_key(partition, None),
            "dagster/max_retries": "0",
            **(tags or {}),
        },
        job_code_origin=job.get_python_origin(),
    )
    with capture_interrupts():
        execute_run(job, run, instance)
    if any(data.error_source == ErrorSource.INTERRUPT for data in step_failures(instance, run.run_id)):
        instance.report_run_canceled(run, "A signal stopped the process.")
    return run


def refresh_marts(instance: dg.DagsterInstance, account: str) -> str:
    """Bring an account's marts and its assortment of today (UTC) up to date. Returns what failed, empty if nothing."""
    today = dg.MultiPartitionKey({"account": account, "day": datetime.now(UTC).date().isoformat()})
    for job, partition in ((MARTS_JOB, account), (ASSORTMENT_JOB, today)):
        run = execute(instance, job, partition)
        if exit_code(instance, run.run_id) != 0:
            return failure(instance, run.run_id) or f"see run {run.run_id} in Dagster's UI"
    return ""
