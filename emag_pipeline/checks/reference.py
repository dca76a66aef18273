"""Whether the reference data covers the offers. Nothing stops because of it: an offer with an unknown id is kept.

Asked when reference data is read, and with each review of an account's offers (`reference_answers`): a publish may
bring an id that is not known, or take the last one away.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import dagster as dg

from emag_pipeline.assets.partitions import marketplaces
from emag_pipeline.assets.pipeline import Pipeline, partition_of
from emag_pipeline.assets.reference import categories, vat_rates
from emag_pipeline.assets.tables import table
from emag_pipeline.checks.record import REMEDY, recorded
from emag_pipeline.db.engine import Database
from emag_pipeline.db.reference import CATEGORIES, VAT_RATES, last_reads
from emag_pipeline.db.reference_checks import Unknown, unknown_categories, unknown_vat_rates
from emag_pipeline.plurals import counted

_REMEDY = (
    "Run the job refresh_reference, which reads the list anew (`emag-pipeline sync` does so too, once a day); "
    "where the id is missing still, correct it in the offer or ask the marketplace"
)


@dataclass(frozen=True, slots=True)
class _Check:
    name: str
    asset: dg.AssetKey
    #: the resource that must have been read: before that, nothing can be known
    resource: str
    #: one such id, and several
    what: tuple[str, str]
    #: where it stands in a row of the sample
    column: str
    #: what is listed, and what an offer lacks whose id is not
    listed: str
    lacks: str
    severity: dg.AssetCheckSeverity
    look: Callable[[Database, str], Unknown]

    def result(self, database: Database, context: dg.AssetCheckExecutionContext, place: str) -> dg.AssetCheckResult:
        """The answer about a marketplace, kept as its newest one."""
        facts = self._facts(self.look(database, place))
        result = dg.AssetCheckResult(check_name=self.name, asset_key=self.asset, severity=self.severity, **facts)
        return recorded(database, context, result, place)

    def _facts(self, unknown: Unknown) -> dict[str, Any]:
        passed = unknown.offers == 0
        return {
            "passed": passed,
            "description": self._all_known(unknown) if passed else self._missing(unknown),
            "metadata": {
                "findings": unknown.offers,
                "ids": unknown.ids,
                "no_longer_listed": unknown.no_longer_listed,
                "offers_without_id": unknown.without_id,
                **({} if passed else {"sample": table(unknown.sample), REMEDY: _REMEDY}),
            },
        }

    def _all_known(self, unknown: Unknown) -> str:
        without = f"; {counted(unknown.without_id, 'offer')} without one" if unknown.without_id else ""
        return f"every {self.what[0]} of an existing offer is in the marketplace's {self.listed}{without}"

    def _missing(self, unknown: Unknown) -> str:
        """What is missing, of how many offers, what they lack for that, and one of them."""
        missing = counted(unknown.ids, *self.what)
        is_are = "is" if unknown.ids == 1 else "are"
        said = (
            f"{missing} of {counted(unknown.offers, 'existing offer')} {is_are} not in the marketplace's {self.listed}"
        )
        lacking = unknown.offers - unknown.no_longer_listed
        if lacking:
            said += f": {self.lacks} empty in {counted(lacking, 'offer')}"
        if unknown.no_longer_listed:
            said += f"; in {counted(unknown.no_longer_listed, 'offer')} it was listed once, and its last value is kept"
        if not unknown.sample:  # listed meanwhile
            return said
        first = unknown.sample[0]
        where = f"{first['account']}, offer {first['emag_offer_id']}"
        return f"{said}; for example {self.what[0]} {first[self.column]} of {where}"


_CATEGORIES_EXIST = _Check(
    "categories_exist_for_all_offers",
    categories.key,
    CATEGORIES.name,
    ("category id", "category ids"),
    "category_id",
    "list of categories",
    "category_name is",
    dg.AssetCheckSeverity.WARN,
    unknown_categories,
)
_VAT_RATES_EXIST = _Check(
    "vat_rates_exist_for_all_offers",
    vat_rates.key,
    VAT_RATES.name,
    ("VAT id", "VAT ids"),
    "vat_id",
    "list of VAT rates",
    "prices with VAT are",
    dg.AssetCheckSeverity.ERROR,
    unknown_vat_rates,
)


@dg.asset_check(
    asset=categories,
    name=_CATEGORIES_EXIST.name,
    description="Every category that an existing offer names is one that the marketplace shows.",
    partitions_def=marketplaces,
)
def categories_exist_for_all_offers(
    context: dg.AssetCheckExecutionContext, pipeline: dg.ResourceParam[Pipeline]
) -> dg.AssetCheckResult:
    return _judged(context, pipeline, _CATEGORIES_EXIST)


@dg.asset_check(
    asset=vat_rates,
    name=_VAT_RATES_EXIST.name,
    description="Every VAT id that an existing offer names has a rate: without one, prices with VAT stay empty.",
    partitions_def=marketplaces,
)
def vat_rates_exist_for_all_offers(
    context: dg.AssetCheckExecutionContext, pipeline: dg.ResourceParam[Pipeline]
) -> dg.AssetCheckResult:
    return _judged(context, pipeline, _VAT_RATES_EXIST)


def reference_answers(
    database: Database, context: dg.AssetCheckExecutionContext, marketplace: str
) -> Iterator[dg.AssetCheckEvaluation]:
    """What both checks say of a marketplace, for a step of another partition: stored in its run, under the marketplace.

    Nothing of a resource that was never read. Raises the errors of the database.
    """
    read = last_reads(database, marketplace)
    for check in (_CATEGORIES_EXIST, _VAT_RATES_EXIST):
        if check.resource in read:
            result = check.result(database, context, marketplace)
            yield dg.AssetCheckEvaluation(
                check_name=check.name,
                asset_key=check.asset,
                partition=marketplace,
                passed=result.passed,
                severity=result.severity,
                description=result.description,
                metadata=result.metadata,
            )


def _judged(context: dg.AssetCheckExecutionContext, pipeline: Pipeline, check: _Check) -> dg.AssetCheckResult:
    with pipeline.step(context) as database:
        return check.result(database, context, partition_of(context))
