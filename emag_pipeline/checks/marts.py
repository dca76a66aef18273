"""Whether the marts agree with the offers, for each account: for the data team to see; nothing is stopped."""

from datetime import date
from typing import Any

import dagster as dg

from emag_pipeline.assets import marts
from emag_pipeline.assets.daily_assortment import account_and_day, accounts_by_day, daily_assortment
from emag_pipeline.assets.partitions import accounts
from emag_pipeline.assets.pipeline import Pipeline, partition_of
from emag_pipeline.assets.tables import table
from emag_pipeline.checks.record import REMEDY, recorded
from emag_pipeline.db.marts.marts import BUY_BUTTON, DAILY_ASSORTMENT, LOW_STOCK, OFFER_ISSUES, Mart
from emag_pipeline.db.marts.reconcile import Reconciliation, reconcile
from emag_pipeline.logs import about

_REMEDY = "Materialise the mart again; if the differences stay, somebody else writes its table, or this is a defect"


@dg.asset_check(
    asset=marts.offer_issues,
    partitions_def=accounts,
    description="Every existing offer either can be bought or has an issue, and no other offer has one.",
)
def issues_reconcile_with_offers(
    context: dg.AssetCheckExecutionContext, pipeline: dg.ResourceParam[Pipeline]
) -> dg.AssetCheckResult:
    return _checked(context, pipeline, OFFER_ISSUES, partition_of(context))


@dg.asset_check(
    asset=marts.buy_button,
    partitions_def=accounts,
    description="Every existing offer with a rank is listed once, with the offer's rank and prices, and no other is.",
)
def buy_button_reconciles_with_offers(
    context: dg.AssetCheckExecutionContext, pipeline: dg.ResourceParam[Pipeline]
) -> dg.AssetCheckResult:
    return _checked(context, pipeline, BUY_BUTTON, partition_of(context))


@dg.asset_check(
    asset=marts.low_stock,
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
