"""The sensor that looks for syncs which will not end by themselves, and clears the way for the next attempt."""

from collections.abc import Iterator

import dagster as dg

from emag_pipeline.assets.pipeline import Pipeline
from emag_pipeline.db import ticks
from emag_pipeline.monitoring.recovery import recover
from emag_pipeline.settings import current
from emag_pipeline.sync.liveness import Bounds


@dg.sensor(
    minimum_interval_seconds=round(current().monitor_interval_seconds),
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Ends syncs that make no progress (EMAG_SYNC_STUCK_THRESHOLD_HOURS), do not beat (EMAG_SYNC_HEARTBEAT_TIMEOUT) "
        "or whose process or run is over, and runs without a sync; Dagster retries the run, which resumes."
    ),
)
def stuck_syncs(context: dg.SensorEvaluationContext, pipeline: dg.ResourceParam[Pipeline]) -> Iterator[dg.SkipReason]:
    settings = pipeline.settings
    accounts = [account.name for account in settings.accounts]
    with pipeline.database() as database:
        sentences = [one.sentence for one in recover(database, context.instance, Bounds.of(settings), accounts)]
        for sentence in sentences:
            context.log.warning(sentence)
        ticks.note(database, "stuck_syncs")
    yield dg.SkipReason(". ".join(sentences) or "no running sync is stuck")
