"""The daily clean-up: the job `maintenance` and its schedule. `emag-pipeline prune` does the same by hand."""

import dagster as dg

from emag_pipeline.dagster_runs import UNDER_WAY, past_runs
from emag_pipeline.dagster_runs.resource import Pipeline
from emag_pipeline.dagster_runs.start_time import minute_of
from emag_pipeline.retention import prune as retention
from emag_pipeline.settings import cron, current

KEPT_DAYS = 30.0

_JOB = "maintenance"
_MOST_SECONDS = 3 * 3600


@dg.op(description=f"Removes what is older than {KEPT_DAYS:.0f} days and no longer needed.")
def prune(context: dg.OpExecutionContext, pipeline: dg.ResourceParam[Pipeline]) -> None:
    # not worth repeating the run: the rest is removed the next day
    with pipeline.step(context, is_worth_a_run=False) as database:
        removed = retention.prune(database, KEPT_DAYS)
        removed["dagster_runs"] = past_runs.prune(context.instance, KEPT_DAYS)
    for name, number in removed.items():
        context.log.info(f"{name}: {number:,} removed")
    context.add_output_metadata(dict(removed))


@dg.job(
    name=_JOB,
    description="Prunes ledger, request log, quarantine, staging, incidents and Dagster's runs. Never history.",
    tags={"dagster/max_runtime": str(_MOST_SECONDS)},
)
def maintenance() -> None:
    prune()


@dg.schedule(
    name="maintenance_daily",
    job=maintenance,
    cron_schedule=cron.with_minute(current().maintenance_cron, minute_of(_JOB)),
    execution_timezone=current().cron_timezone,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Cleans up by EMAG_MAINTENANCE_CRON, by default once a day.",
)
def maintenance_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Skips the tick while the previous clean-up is running."""
    if context.instance.get_run_records(dg.RunsFilter(job_name=_JOB, statuses=UNDER_WAY), limit=1):
        return dg.SkipReason("the last clean-up is queued or under way")
    return dg.RunRequest()
