"""Whether the reference data covers the offers. Nothing stops because of it: an offer with an unknown id is kept."""

from collections.abc import Callable

import dagster as dg

from emag_pipeline.assets.partitions import marketplaces
from emag_pipeline.assets.pipeline import Pipeline, partition_of
from emag_pipeline.assets.reference import categories, vat_rates
from emag_pipeline.assets.tables import table
from emag_pipeline.checks.record import REMEDY, recorded
from emag_pipeline.db.engine import Database
from emag_pipeline.db.reference_checks import Unknown, unknown_categories, unknown_vat_rates

_REMEDY = "Materialise the reference data again; ids that are still unknown then are a question to the marketplace"


@dg.asset_check(
    asset=categories,
    name="categories_exist_for_all_offers",
    description="Every category that an existing offer names is one that the marketplace shows.",
    partitions_def=marketplaces,
)
def categories_exist_for_all_offers(
    context: dg.AssetCheckExecutionContext, pipeline: dg.ResourceParam[Pipeline]
) -> dg.AssetCheckResult:
    return _judged(context, pipeline, unknown_categories, "categories", dg.AssetCheckSeverity.WARN)


@dg.asset_check(
    asset=vat_rates,
    name="vat_rates_exist_for_all_offers",
    description="Every VAT id that an existing offer names has a rate: without one, prices with VAT stay empty.",
    partitions_def=marketplaces,
)
def vat_rates_exist_for_all_offers(
    context: dg.AssetCheckExecutionContext, pipeline: dg.ResourceParam[Pipeline]
) -> dg.AssetCheckResult:
    return _judged(context, pipeline, unknown_vat_rates, "VAT rates", dg.AssetCheckSeverity.ERROR)


def _judged(
    context: dg.AssetCheckExecutionContext,
    pipeline: Pipeline,
    look: Callable[[Database, str], Unknown],
    what: str,
    severity: dg.AssetCheckSeverity,
) -> dg.AssetCheckResult:
    with pipeline.step(context) as database:
        marketplace = partition_of(context)
        result = _result(look(database, marketplace), what, severity)
        return recorded(database, context, result, marketplace)


def _result(unknown: Unknown, what: str, severity: dg.AssetCheckSeverity) -> dg.AssetCheckResult:
    passed = unknown.offers == 0
    sentence = f"{unknown.offers:,} existing offers name {unknown.ids:,} {what} that the marketplace does not show"
    return dg.AssetCheckResult(
        passed=passed,
        severity=severity,
        description=f"all {what} that offers name are known" if passed else sentence,
        metadata={
            "findings": unknown.offers,
            "ids": unknown.ids,
            "offers_without_id": unknown.without_id,
            **({} if passed else {"sample": table(unknown.sample), REMEDY: _REMEDY}),
        },
    )
