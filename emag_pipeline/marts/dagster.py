"""The marts as assets, of each publish and of each day, and the checks that reconcile them with the offers."""

from collections.abc import Callable
from datetime import date
from typing import Any

import dagster as dg

from emag_pipeline.dagster_runs.metadata import (
    OWNERS,
    REMEDY,
    Metadata,
    column_schema,
    recorded,
    shown,
    table,
    table_name,
)
from emag_pipeline.dagster_runs.resource import Pipeline, accounts, marketplaces, partition_of
from emag_pipeline.logs import about
from emag_pipeline.marts import pictures
from emag_pipeline.marts.checks import Reconciliation, assortment_of, look_at, reconcile
from emag_pipeline.marts.refresh import MartRefresh, refresh
from emag_pipeline.marts.registry import BUY_BUTTON, DAILY_ASSORTMENT, LOW_STOCK, OFFER_ISSUES, Mart
from emag_pipeline.refresh.dagster import offers
from emag_pipeline.settings import current
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.accounts import note_marketplaces

# The marts that follow each publish of an account: what cannot be bought, who has the button, what runs out.

READ_MORE = "Columns: docs/data-dictionary.md. Questions in SQL: docs/queries.md. When it fails: docs/runbook.md."

_accounts_of = {
    place: {account.name for account in current().accounts if account.marketplace.name == place}
    for place in marketplaces.get_partition_keys()
}
_vat_rates = dg.AssetDep("vat_rates", partition_mapping=dg.StaticPartitionMapping(_accounts_of))


@dg.asset(
    deps=[offers],
    partitions_def=accounts,
    group_name="marts",
    kinds={"postgres"},
    owners=OWNERS,
    tags={"layer": "mart"},
    metadata=table_name("emag_offer_issues"),
    description=(
        "Why offers cannot be bought: table `emag_offer_issues`, one row for each reason of each existing offer, in "
        "words, with what to do, since when (UTC), what the marketplace says, the stock and value held back, "
        "and the sales that a sold-out offer loses a day (without VAT; added up in the account's currency). "
        f"{READ_MORE}"
    ),
)
def offer_issues(context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]) -> dg.MaterializeResult[None]:
    return _refreshed(context, pipeline, OFFER_ISSUES, pictures.issues)


@dg.asset(
    deps=[offers, _vat_rates],
    partitions_def=accounts,
    group_name="marts",
    kinds={"postgres"},
    owners=OWNERS,
    tags={"layer": "mart"},
    metadata=table_name("emag_buy_button"),
    description=(
        "Who has the add-to-cart button: table `emag_buy_button`, one row for each existing offer that has a rank or "
        "had the button within 24 hours, with the gap to the best offer in money and percent (with VAT where the rate "
        f"is known), and what has changed within these hours. {READ_MORE}"
    ),
)
def buy_button(context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]) -> dg.MaterializeResult[None]:
    return _refreshed(context, pipeline, BUY_BUTTON, pictures.buy_button)


@dg.asset(
    deps=[offers],
    partitions_def=accounts,
    group_name="marts",
    kinds={"postgres"},
    owners=OWNERS,
    tags={"layer": "mart"},
    metadata=table_name("emag_low_stock"),
    description=(
        "What is about to run out: table `emag_low_stock`, one row for each existing offer whose stock lasts 30 days "
        "at most at the pace of the last 30 days (pieces a day, from history; neither deliveries nor "
        f"jumps that look like corrections count), or which has sold out; and whether it can be bought. {READ_MORE}"
    ),
)
def low_stock(context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]) -> dg.MaterializeResult[None]:
    return _refreshed(context, pipeline, LOW_STOCK, pictures.low_stock)


def _refreshed(
    context: dg.AssetExecutionContext, pipeline: Pipeline, mart: Mart, picture: Callable[[Database, str], Metadata]
) -> dg.MaterializeResult[None]:
    account = partition_of(context)
    with about(account=account), pipeline.step(context) as database:
        note_marketplaces(database, pipeline.settings)
        done = refresh(database, mart, account, language=pipeline.settings.language_of(account))
        look = look_at(database, mart, account)
        numbers = {name: shown(value) for name, value in look.numbers.items() if value is not None}
        metadata = of_refresh(done) | numbers | picture(database, account) | {"sample": table(look.sample)}
        return dg.MaterializeResult(metadata=metadata | column_schema(database, mart.table))


def of_refresh(done: MartRefresh) -> Metadata:
    """What a refresh did, in rows, and the newest publish at that time."""
    return {
        "dagster/row_count": done.rows,
        "rows_inserted": done.inserted,
        "rows_updated": done.updated,
        "rows_deleted": done.deleted,
        "sync_id": str(done.sync_id),
        "published_at": dg.MetadataValue.timestamp(done.published_at),
    }


# daily_assortment: the assortment at the end of each day, from history; any past day can be computed at any time.
#
# No BackfillPolicy: Dagster would note one set of numbers for all days of a run. A run a day, half a second each.

#: `end_offset` makes today a partition.
days = dg.DailyPartitionsDefinition(start_date=current().first_day.isoformat(), end_offset=1)
accounts_by_day = dg.MultiPartitionsDefinition({"account": accounts, "day": days})

_MOMENTS = ("as_of", "last_published_at")


@dg.asset(
    deps=[offers],
    partitions_def=accounts_by_day,
    group_name="marts",
    kinds={"postgres"},
    owners=OWNERS,
    tags={"layer": "mart"},
    metadata=table_name("emag_daily_assortment"),
    description=(
        "The assortment on each day (UTC): table `emag_daily_assortment`, one row for a day of an account: offers, "
        "saleable share, stock and its value (without VAT), median price, arrivals, departures and price moves since "
        "the end of the day before, and whether anything was published on it. Computed from history, so any day since "
        "the first publish can be materialised "
        f"again, here or with `emag-pipeline backfill`. {READ_MORE}"
    ),
)
def daily_assortment(
    context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]
) -> dg.MaterializeResult[None]:
    account, day = account_and_day(context)
    with about(account=account), pipeline.step(context) as database:
        note_marketplaces(database, pipeline.settings)
        done = refresh(database, DAILY_ASSORTMENT, account, day)
        metadata = of_refresh(done) | _figures(database, account, day) | pictures.assortment(database, account, day)
        return dg.MaterializeResult(metadata=metadata | column_schema(database, DAILY_ASSORTMENT.table))


def account_and_day(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> tuple[str, date]:
    """What the step's partition stands for."""
    key = accounts_by_day.get_partition_key_from_str(partition_of(context)).keys_by_dimension
    return key["account"], date.fromisoformat(key["day"])


def _figures(database: Database, account: str, day: date) -> Metadata:
    figures = assortment_of(database, account, day)
    if figures is None:
        return {"note": f"no row: {account} had not been published yet on {day}, or the day is still to come"}
    numbers = {name: shown(value) for name, value in figures.items() if name not in (*_MOMENTS, "issues")}
    told = {name: value for name, value in numbers.items() if value is not None}
    moments = {name: dg.MetadataValue.timestamp(figures[name]) for name in _MOMENTS if figures[name] is not None}
    return told | {
        **moments,
        "issues": dg.MetadataValue.json(figures["issues"]),
    }


# Whether the marts agree with the offers, for each account: for the data team to see; nothing is stopped.

_REMEDY = "Materialise the mart again; if the differences stay, somebody else writes its table, or this is a defect"


@dg.asset_check(
    asset=offer_issues,
    partitions_def=accounts,
    description="Every existing offer either can be bought or has an issue, and no other offer has one.",
)
def issues_reconcile_with_offers(
    context: dg.AssetCheckExecutionContext, pipeline: dg.ResourceParam[Pipeline]
) -> dg.AssetCheckResult:
    return _checked(context, pipeline, OFFER_ISSUES, partition_of(context))


@dg.asset_check(
    asset=buy_button,
    partitions_def=accounts,
    description="Every existing offer with a rank is listed once, with the offer's rank and prices, and no other is.",
)
def buy_button_reconciles_with_offers(
    context: dg.AssetCheckExecutionContext, pipeline: dg.ResourceParam[Pipeline]
) -> dg.AssetCheckResult:
    return _checked(context, pipeline, BUY_BUTTON, partition_of(context))


@dg.asset_check(
    asset=low_stock,
    partitions_def=accounts,
    description="Every offer that is listed exists and has that stock; every offer that has just sold out is listed.",
)
def low_stock_reconciles_with_offers(
    context: dg.AssetCheckExecutionContext, pipeline: dg.ResourceParam[Pipeline]
) -> dg.AssetCheckResult:
    return _checked(context, pipeline, LOW_STOCK, partition_of(context))


@dg.asset_check(
    asset=daily_assortment,
    partitions_def=accounts_by_day,
    description="The newest day counts the offers that are published; each day follows from the one before it.",
)
def assortment_reconciles_with_offers(
    context: dg.AssetCheckExecutionContext, pipeline: dg.ResourceParam[Pipeline]
) -> dg.AssetCheckResult:
    account, day = account_and_day(context)
    return _checked(context, pipeline, DAILY_ASSORTMENT, account, day)


def _checked(
    context: dg.AssetCheckExecutionContext, pipeline: Pipeline, mart: Mart, account: str, day: date | None = None
) -> dg.AssetCheckResult:
    with about(account=account), pipeline.step(context) as database:
        result = _result(reconcile(database, mart, account, day), mart, account)
        return recorded(database, context, result, account, part="" if day is None else day.isoformat())


def _result(found: Reconciliation | None, mart: Mart, account: str) -> dg.AssetCheckResult:
    if found is None:
        return dg.AssetCheckResult(passed=True, description=f"{account} was never published: nothing to compare.")
    if not found.is_current:
        return _older(found, mart, account)
    return dg.AssetCheckResult(passed=found.found == 0, description=_sentence(found, mart), metadata=_metadata(found))


def _older(found: Reconciliation, mart: Mart, account: str) -> dg.AssetCheckResult:
    shown = "no publish yet" if found.shown_at is None else f"the publish of {found.shown_at:%Y-%m-%d %H:%M:%S} UTC"
    return dg.AssetCheckResult(
        passed=False,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{mart.name} shows {shown}, the newest of {account} is of {found.newest_at:%Y-%m-%d %H:%M:%S} UTC",
        metadata={REMEDY: "Materialise it again, or wait: the sensor stale_marts asks for it by itself"},
    )


def _sentence(found: Reconciliation, mart: Mart) -> str:
    if found.found == 0:
        return f"{mart.name} agrees with the offers"
    differences = "1 difference" if found.found == 1 else f"{found.found:,} differences"
    return f"{differences} between {mart.name} and the offers, see the sample"


def _metadata(found: Reconciliation) -> dict[str, Any]:
    return {
        "findings": found.found,
        **found.numbers,
        "sample": table(found.sample),
        **({REMEDY: _REMEDY} if found.found else {}),
    }
