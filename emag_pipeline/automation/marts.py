"""The marts' jobs, and the sensor that runs them after each publish. They are never part of `refresh_offers`.

So a mart that fails costs no sync. It is requested once a publish: what failed is tried again with the next one, or by
Dagster's run retry where the step said that this can help.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, date, datetime

import dagster as dg

from emag_pipeline import runs
from emag_pipeline.assets.daily_assortment import daily_assortment
from emag_pipeline.assets.marts import buy_button, low_stock, offer_issues
from emag_pipeline.assets.offer_report import offer_report
from emag_pipeline.assets.pipeline import Pipeline
from emag_pipeline.checks.offers import offers_review
from emag_pipeline.db import ticks
from emag_pipeline.db.marts.due import Due, due
from emag_pipeline.settings import current

_LONGEST_INTERVAL_SECONDS = 30.0
_TAGS = {
    "dagster/max_runtime": "3600",
    # in the queue, syncs come first
    "dagster/priority": "-1",
}

refresh_marts = dg.define_asset_job(
    runs.MARTS_JOB,
    selection=dg.AssetSelection.assets(offer_issues, buy_button, low_stock, offer_report)
    | dg.AssetSelection.checks(offers_review),
    description="Compute an account's marts from its newest publish, check them against the offers, review these, and "
    "write the account's report.",
    tags=_TAGS,
)

refresh_daily_assortment = dg.define_asset_job(
    runs.ASSORTMENT_JOB,
    selection=dg.AssetSelection.assets(daily_assortment),
    description="Compute the assortment of one day of an account from history, and check it.",
    tags=_TAGS,
)


@dg.sensor(
    jobs=[refresh_marts, refresh_daily_assortment],
    minimum_interval_seconds=round(min(_LONGEST_INTERVAL_SECONDS, current().monitor_interval_seconds)),
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Requests the marts of each account whose newest publish they do not show, and the days of its "
    "assortment that are over and not yet computed to their end: each once a publish.",
)
def stale_marts(
    context: dg.SensorEvaluationContext, pipeline: dg.ResourceParam[Pipeline]
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    with pipeline.database() as database:
        names = [account.name for account in pipeline.settings.accounts]
        accounts = due(database, names)
        requests = [request for one in accounts for request in _requests(one, pipeline.settings.first_day)]
        ticks.note(database, "stale_marts")
    if not requests:
        yield dg.SkipReason(_nothing_due(names, {one.account for one in accounts}))
    yield from requests


def _nothing_due(accounts: Sequence[str], published: Collection[str]) -> str:
    unpublished = [name for name in accounts if name not in published]
    nothing = "nothing has been published yet"
    if len(unpublished) == len(accounts):
        return nothing
    return "; ".join(["the marts show what is published", *(f"{name}: {nothing}" for name in unpublished)])


def _requests(one: Due, first_day: date) -> Iterator[dg.RunRequest]:
    """Days before the first one, or to come (a clock was set back), are none of Dagster's and would fail the tick."""
    if one.marts_are_older:
        yield dg.RunRequest(f"marts {one.account} {one.sync_id}", job_name=runs.MARTS_JOB, partition_key=one.account)
    days = set(one.past_days) | ({one.published_on} if one.assortment_is_older else set())
    today = datetime.now(UTC).date()
    for day in sorted((day for day in days if first_day <= day <= today), reverse=True):
        yield dg.RunRequest(
            f"assortment {one.account} {day} {one.sync_id}",
            job_name=runs.ASSORTMENT_JOB,
            partition_key=dg.MultiPartitionKey({"account": one.account, "day": day.isoformat()}),
        )
