"""The report as an asset, and the jobs and the sensor that compute marts and report after each publish."""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg

from emag_pipeline import dagster_runs
from emag_pipeline.dagster_runs.metadata import OWNERS, Metadata
from emag_pipeline.dagster_runs.resource import Pipeline, accounts, partition_of
from emag_pipeline.logs import about
from emag_pipeline.marts import pictures
from emag_pipeline.marts.checks import Due, due
from emag_pipeline.marts.dagster import mart_assets
from emag_pipeline.marts.registry import DAILY_ASSORTMENT, OF_NEWEST_PUBLISH
from emag_pipeline.report import Facts, facts_of, page, write
from emag_pipeline.review.dagster import offers_review
from emag_pipeline.settings import current
from emag_pipeline.settings.home import directory
from emag_pipeline.store import monitoring_tables

# offer_report: an account on one page, for people without access to the database or this UI.


_of_newest_publish = [mart_assets[mart.name] for mart in OF_NEWEST_PUBLISH]


@dg.asset(
    # not the marts by day, which would require all days; the report shows those that exist
    deps=_of_newest_publish,
    partitions_def=accounts,
    group_name="marts",
    kinds={"html"},
    owners=OWNERS,
    tags={"layer": "report"},
    description=(
        "The account on one page: assortment over time, why offers cannot be bought, the buy button, low stock, price "
        "moves, syncs with their proof. One HTML file, readable offline, on the machine of the run: "
        "`EMAG_HOME/reports/ACCOUNT.html`. `emag-pipeline report ACCOUNT` writes it anywhere. When it fails: "
        "docs/runbook.md."
    ),
)
def offer_report(context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]) -> dg.MaterializeResult[None]:
    account = partition_of(context)
    with about(account=account), pipeline.step(context) as database:
        facts = facts_of(database, account)
        file = directory(pipeline.settings.home, "reports") / f"{account}.html"
        write(file, page(facts))
        return dg.MaterializeResult(metadata=_numbers(facts, file) | pictures.of_scan(database, account))


def _numbers(facts: Facts, file: Path) -> Metadata:
    now = facts.headline
    published_at = now.published_at
    return {
        "path": dg.MetadataValue.path(file),
        "kilobytes": round(file.stat().st_size / 1000, 1),
        **({} if published_at is None else {"published_at": dg.MetadataValue.timestamp(published_at)}),
        "offers": now.offers,
        "saleable": now.saleable,
        "stock_value": float(now.stock_value),
        "with_buy_button": facts.buttons.held,
        "running_out_within_a_week": facts.running_out,
        "quarantined": now.quarantined,
        "open_incidents": len(facts.incidents),
    }


# The marts' jobs, and the sensor that runs them after each publish. They are not part of `refresh_offers`, so that a
# failing mart does not fail a sync. Each is requested once per publish: a failed one is retried with the next publish,
# or by Dagster's run retry if the step has requested it.

_LONGEST_INTERVAL_SECONDS = 30.0
_TAGS = {
    "dagster/max_runtime": "3600",
    # in the queue, syncs come first
    "dagster/priority": "-1",
}

refresh_marts = dg.define_asset_job(
    dagster_runs.MARTS_JOB,
    selection=dg.AssetSelection.assets(*_of_newest_publish, offer_report) | dg.AssetSelection.checks(offers_review),
    description="Compute an account's marts from its newest publish, check them against the offers, review these, and "
    "write the account's report.",
    tags=_TAGS,
)

refresh_daily_assortment = dg.define_asset_job(
    dagster_runs.ASSORTMENT_JOB,
    selection=dg.AssetSelection.assets(mart_assets[DAILY_ASSORTMENT.name]),
    description="Compute the assortment of one day of an account from history, and check it.",
    tags=_TAGS,
)


@dg.sensor(
    jobs=[refresh_marts, refresh_daily_assortment],
    minimum_interval_seconds=round(min(_LONGEST_INTERVAL_SECONDS, current().monitor_interval_seconds)),
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Requests the marts of each account that do not show its newest publish, and the past days of its "
    "assortment that are not yet computed to their end: each once per publish.",
)
def stale_marts(
    context: dg.SensorEvaluationContext, pipeline: dg.ResourceParam[Pipeline]
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    with pipeline.database() as database:
        names = [account.name for account in pipeline.settings.accounts]
        accounts = due(database, names)
        requests = [request for one in accounts for request in _requests(one, pipeline.settings.first_day)]
        monitoring_tables.note_tick(database, "stale_marts")
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
    """The run requests, without days that would fail the tick: before the first partition, or in the future."""
    if one.marts_are_older:
        yield dg.RunRequest(
            f"marts {one.account} {one.sync_id}", job_name=dagster_runs.MARTS_JOB, partition_key=one.account
        )
    days = set(one.past_days) | ({one.published_on} if one.assortment_is_older else set())
    today = datetime.now(UTC).date()
    for day in sorted((day for day in days if first_day <= day <= today), reverse=True):
        yield dg.RunRequest(
            f"assortment {one.account} {day} {one.sync_id}",
            job_name=dagster_runs.ASSORTMENT_JOB,
            partition_key=dg.MultiPartitionKey({"account": one.account, "day": day.isoformat()}),
        )
