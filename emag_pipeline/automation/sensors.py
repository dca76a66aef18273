"""The sensor that refreshes what is stale: an account that was never published, or not for too long."""

from collections.abc import Iterator

import dagster as dg

from emag_pipeline import runs
from emag_pipeline.assets.pipeline import Pipeline
from emag_pipeline.automation.jobs import refresh_offers
from emag_pipeline.db.status import AccountStatus, account_statuses
from emag_pipeline.errors import rerun_can_help
from emag_pipeline.settings import current


def is_stale(status: AccountStatus, after_hours: float) -> bool:
    """Whether the last publish is too old, or there was none, or an approved scan waits to be published."""
    return status.awaits_publish or status.age_seconds is None or status.age_seconds > after_hours * 3600


def is_broken(status: AccountStatus) -> bool:
    """Whether the last sync failed in a way that no rerun mends: it waits for a person, not for another run."""
    if status.awaits_publish:
        return False
    return status.last_error is not None and not rerun_can_help(status.last_error.error_class)


@dg.sensor(
    job=refresh_offers,
    minimum_interval_seconds=round(current().monitor_interval_seconds),
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Requests a run for each account whose last publish is older than EMAG_SYNC_STALE_AFTER_HOURS.",
)
def stale_accounts(
    context: dg.SensorEvaluationContext, pipeline: dg.ResourceParam[Pipeline]
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    settings = pipeline.settings
    names = [account.name for account in settings.accounts]
    with pipeline.database() as database:
        statuses = account_statuses(database, names)
    under_way = runs.accounts_under_way(context.instance)
    stale = [
        status.account
        for status in statuses
        if is_stale(status, settings.stale_after_hours) and not is_broken(status) and status.account not in under_way
    ]
    if not stale:
        yield dg.SkipReason("every account is fresh, being refreshed, or waiting for a person")
    for account in stale:
        yield dg.RunRequest(partition_key=account)
