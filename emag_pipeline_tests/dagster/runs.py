"""The real jobs executed and the real sensors looked at in this process, with settings of a test's own."""

from collections.abc import Callable
from typing import Any

import dagster as dg

from emag_pipeline.dagster_runs.resource import Pipeline
from emag_pipeline.definitions import defs
from emag_pipeline.settings import Settings

#: Executes `refresh_offers` for an account.
Run = Callable[[str], dg.ExecuteInProcessResult]
#: Executes a job for a partition.
RunJob = Callable[[str, str], dg.ExecuteInProcessResult]


def executed(
    job: str, partition: str | None, settings: Settings, instance: dg.DagsterInstance, **more: Any
) -> dg.ExecuteInProcessResult:
    """A run of the job to its end, whether it succeeds or not."""
    return defs.resolve_job_def(job).execute_in_process(
        partition_key=partition,
        instance=instance,
        resources={"pipeline": Pipeline(settings)},
        raise_on_error=False,
        **more,
    )


def sensor_context(
    settings: Settings, instance: dg.DagsterInstance, cursor: str | None = None
) -> dg.SensorEvaluationContext:
    """What a sensor is evaluated with."""
    return dg.build_sensor_context(
        instance=instance, cursor=cursor, definitions=defs, resources={"pipeline": Pipeline(settings)}
    )
