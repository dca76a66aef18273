"""Reference data by itself: the job `refresh_reference`, a schedule a marketplace, and the sensor beneath them.

The schedules read it once a day. The sensor sees to what was never read, or too long ago: so a new installation's
first read needs nobody. It starts one run a marketplace at a time, after failures ever later ones. After what no rerun
mends it waits until an account of the marketplace has been published, which shows that something was changed.
"""

import re
from collections.abc import Iterator, Sequence

import dagster as dg

from emag_pipeline import cron, runs
from emag_pipeline.assets.partitions import marketplaces
from emag_pipeline.assets.pipeline import Pipeline
from emag_pipeline.assets.reference import categories, handling_times, vat_rates
from emag_pipeline.automation.past_runs import past_runs
from emag_pipeline.automation.start_times import minute_of, run_of, second_of
from emag_pipeline.db import ticks
from emag_pipeline.db.engine import Database
from emag_pipeline.db.status import account_statuses
from emag_pipeline.monitoring.next_try import LONGEST_WAIT_SECONDS, wait_seconds
from emag_pipeline.monitoring.standing import PastRuns
from emag_pipeline.runs.reference import allowed_age, is_old, read_last
from emag_pipeline.settings import Settings, current

_MOST_SECONDS = 1800

refresh_reference = dg.define_asset_job(
    runs.REFERENCE_JOB,
    selection=dg.AssetSelection.assets(categories, vat_rates, handling_times),
    description="Read a marketplace's categories, VAT rates and handling times. One run a marketplace.",
    # in the queue, syncs come first
    tags={"dagster/max_runtime": str(_MOST_SECONDS), "dagster/priority": "-1"},
)


def reference_schedule(marketplace: str, settings: Settings) -> dg.ScheduleDefinition:
    """The read of one marketplace's reference data by EMAG_REFERENCE_CRON, on by default."""

    @dg.schedule(
        name=f"{runs.REFERENCE_JOB}_{re.sub(r'[^A-Za-z0-9_]', '_', marketplace)}",
        job=refresh_reference,
        cron_schedule=cron.with_minute(settings.reference_cron, minute_of(marketplace)),
        execution_timezone=settings.cron_timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Reads the reference data of {marketplace}, at second {second_of(marketplace)} of the minute.",
    )
    def read(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if marketplace in runs.partitions_under_way(context.instance, runs.REFERENCE_JOB):
            return dg.SkipReason(f"a run of {marketplace} is queued or under way")
        return run_of(context, marketplace)

    return read


reference_schedules = [reference_schedule(name, current()) for name in marketplaces.get_partition_keys()]


@dg.sensor(
    job=refresh_reference,
    minimum_interval_seconds=round(current().monitor_interval_seconds),
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=f"Requests a run for each marketplace whose reference data was read more than "
    f"{allowed_age(current()).total_seconds() / 3600:.0f} hours ago, or never.",
)
def stale_reference(
    context: dg.SensorEvaluationContext, pipeline: dg.ResourceParam[Pipeline]
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    settings = pipeline.settings
    with pipeline.database() as database:
        reasons = {name: _why_not(database, context.instance, name, settings) for name in settings.marketplaces}
        ticks.note(database, "stale_reference")
    if all(reasons.values()):
        yield dg.SkipReason("; ".join(f"{name}: {reason}" for name, reason in reasons.items()))
    yield from (dg.RunRequest(partition_key=name) for name, reason in reasons.items() if not reason)


def _why_not(database: Database, instance: dg.DagsterInstance, marketplace: str, settings: Settings) -> str:
    """Why the marketplace gets no run now, in a few words; empty when it gets one."""
    under_way = runs.partitions_under_way(instance, runs.REFERENCE_JOB)  # asked first: what ends meanwhile counts so
    oldest = read_last(database, marketplace)
    if not is_old(oldest, settings):
        return "fresh"
    past = past_runs(instance, marketplace, oldest, runs.REFERENCE_JOB)
    under_way |= runs.partitions_under_way(instance, runs.REFERENCE_JOB)  # and last: so does what begins meanwhile
    if marketplace in under_way or past.awaits_retry:
        return "a run is under way"
    if past.cause is not None and past.cause.needs_a_person:
        accounts = [account.name for account in settings.accounts if account.marketplace.name == marketplace]
        if not _were_published(database, accounts, past.ended_seconds_ago):
            return "waits for a person"
    left = _wait_seconds(past, settings) - past.ended_seconds_ago
    return f"next try in {left:.0f} s" if left > 0 else ""


def _were_published(database: Database, accounts: Sequence[str], within_seconds: float) -> bool:
    ages = [status.published_seconds_ago for status in account_statuses(database, accounts)]
    return any(age is not None and age < within_seconds for age in ages)


def _wait_seconds(past: PastRuns, settings: Settings) -> float:
    """How long after the newest run the next one may start."""
    return LONGEST_WAIT_SECONDS if past.is_cancelled else wait_seconds(past.failures, settings.monitor_interval_seconds)
