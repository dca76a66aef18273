"""Each account is refreshed at a minute and a second of its own, never on round times: the vendor asks for that.

Both follow from the account's name alone, so they stay the same whatever other accounts come and go. When a run of the
account is queued or under way, its tick is skipped: runs do not pile up behind one that takes long. So it is while a
scan that the audit refused waits for a person: reading anew would throw away what they are to decide on. After any
other error that no rerun mends, it still tries: that costs a call, and notices a cause that was removed elsewhere.
Source: docs/marketplace-api.md, "Rate limits".
"""

import dagster as dg

from emag_pipeline import cron, runs
from emag_pipeline.assets.pipeline import Pipeline
from emag_pipeline.automation.jobs import refresh_offers
from emag_pipeline.automation.start_times import minute_of, run_of, second_of
from emag_pipeline.db.status import account_statuses
from emag_pipeline.errors import PipelineError, RefusedError
from emag_pipeline.settings import Settings, current


def refresh_schedule(account: str, settings: Settings) -> dg.ScheduleDefinition:
    """The refresh of one account by EMAG_REFRESH_CRON, on by default."""

    @dg.schedule(
        name=f"refresh_offers_{account}",
        job=refresh_offers,
        cron_schedule=cron.with_minute(settings.refresh_cron, minute_of(account)),
        execution_timezone=settings.cron_timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Brings {account} up to date, at second {second_of(account)} of the minute.",
    )
    def refresh(
        context: dg.ScheduleEvaluationContext, pipeline: dg.ResourceParam[Pipeline]
    ) -> dg.RunRequest | dg.SkipReason:
        if account in runs.accounts_under_way(context.instance):
            return dg.SkipReason(f"a run of {account} is queued or under way")
        if _awaits_decision(pipeline, account):
            return dg.SkipReason(f"the audit refused a scan of {account}, a person decides: see `emag-pipeline status`")
        return run_of(context, account)

    return refresh


def _awaits_decision(pipeline: Pipeline, account: str) -> bool:
    """Whether the newest scan was refused and not approved; not when nobody knows: the run says what is wrong then."""
    try:
        with pipeline.database() as database:
            (status,) = account_statuses(database, [account])
    except PipelineError:
        return False
    error = status.last_error
    refused = error is not None and error.error_class == RefusedError.__name__ and not error.is_discarded
    return refused and not status.awaits_publish


refresh_schedules = [refresh_schedule(account.name, current()) for account in current().accounts]
