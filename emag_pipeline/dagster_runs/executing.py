"""Executes a job in this process, recorded in the same instance as every other run, with or without a daemon."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg
from dagster._core.definitions.reconstruct import ReconstructableRepository
from dagster._core.execution.api import execute_run
from dagster._core.execution.plan.objects import ErrorSource
from dagster._core.utils import make_new_run_id
from dagster._utils.interrupts import capture_interrupts

from emag_pipeline.dagster_runs import ASSORTMENT_JOB, MARTS_JOB, exit_code_after_publish, failure, step_failures


def execute(
    instance: dg.DagsterInstance,
    job_name: str,
    partition: str,
    run_id: str | None = None,
    tags: Mapping[str, str] | None = None,
    on_begin: Callable[[], None] = lambda: None,
) -> str:
    """Run a job for a partition in this process, with additional tags; returns the run's id after its end.

    `on_begin` is called just before the run is recorded and Dagster installs its signal handlers. A signal ends the run
    as cancelled; before it is recorded there is no run with that id.
    """
    # by name: this module is below the definitions in the layers
    job = ReconstructableRepository.for_module("emag_pipeline.definitions", "defs").get_reconstructable_job(job_name)
    definition = job.get_definition()
    # stopping this process means stopping the run: the daemon must not retry it
    of_partition = {**definition.run_tags, **definition.get_tags_for_partition_key(partition, None)}
    given = {**of_partition, "dagster/max_retries": "0", **(tags or {})}
    id_ = run_id or make_new_run_id()
    on_begin()
    is_interrupted = False
    with capture_interrupts():  # from before the run is recorded, or a recorded run without an end would be waited for
        try:
            origin = job.get_python_origin()
            run = instance.create_run_for_job(definition, run_id=id_, tags=given, job_code_origin=origin)
            execute_run(job, run, instance)
        except dg.DagsterExecutionInterruptedError:
            is_interrupted = True
    failures = step_failures(instance, id_)
    if is_interrupted or any(data.error_source == ErrorSource.INTERRUPT for data in failures):
        noted = instance.get_run_by_id(id_)
        if noted is not None:
            instance.report_run_canceled(noted, "A signal stopped the process.")
    return id_


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended: its exit code and its error, empty on success."""

    code: int
    said: str


def outcome_after_publish(instance: dg.DagsterInstance, run_id: str) -> Outcome:
    """How a run ended that computes or checks published data."""
    code = exit_code_after_publish(instance, run_id)
    return Outcome(code, (failure(instance, run_id) or f"see run {run_id} in Dagster's UI") if code else "")


def refresh_marts(instance: dg.DagsterInstance, account: str) -> list[Outcome]:
    """Update an account's marts and its assortment of today (UTC), each even if the other fails."""
    today = dg.MultiPartitionKey({"account": account, "day": datetime.now(UTC).date().isoformat()})
    jobs = ((MARTS_JOB, account), (ASSORTMENT_JOB, today))
    runs = (execute(instance, job, partition) for job, partition in jobs)
    return [outcome_after_publish(instance, run_id) for run_id in runs]
