"""Executing a job in this process: recorded in the same instance as every other run, with or without a daemon."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg
from dagster._core.definitions.reconstruct import ReconstructableRepository
from dagster._core.execution.api import execute_run
from dagster._core.execution.plan.objects import ErrorSource
from dagster._utils.interrupts import capture_interrupts

from emag_pipeline.runs import ASSORTMENT_JOB, MARTS_JOB, exit_code_after_publish, failure, step_failures


def execute(
    instance: dg.DagsterInstance,
    job_name: str,
    partition: str,
    run_id: str | None = None,
    tags: Mapping[str, str] | None = None,
    on_begin: Callable[[], None] = lambda: None,
) -> dg.DagsterRun:
    """Run a job for a partition in this process, with further tags, and return the run, which has ended then.

    `on_begin` is called right before its first step, when Dagster is about to take the signals over.
    """
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
    on_begin()
    with capture_interrupts():
        execute_run(job, run, instance)
    if any(data.error_source == ErrorSource.INTERRUPT for data in step_failures(instance, run.run_id)):
        instance.report_run_canceled(run, "A signal stopped the process.")
    return run


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended: the exit code that it means, and what made it fail, empty if nothing did."""

    code: int
    said: str


def outcome_after_publish(instance: dg.DagsterInstance, run_id: str) -> Outcome:
    """How a run ended that computes or checks what is published."""
    code = exit_code_after_publish(instance, run_id)
    return Outcome(code, (failure(instance, run_id) or f"see run {run_id} in Dagster's UI") if code else "")


def refresh_marts(instance: dg.DagsterInstance, account: str) -> list[Outcome]:
    """Bring an account's marts and its assortment of today (UTC) up to date, each whatever becomes of the other."""
    today = dg.MultiPartitionKey({"account": account, "day": datetime.now(UTC).date().isoformat()})
    jobs = ((MARTS_JOB, account), (ASSORTMENT_JOB, today))
    runs = (execute(instance, job, partition) for job, partition in jobs)
    return [outcome_after_publish(instance, run.run_id) for run in runs]
