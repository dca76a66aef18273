"""categories, vat_rates, handling_times: what the ids in offers stand for, by marketplace."""

import dagster as dg

from emag_pipeline.assets.metadata import OWNERS, Metadata, column_schema, table_name
from emag_pipeline.assets.partitions import marketplaces
from emag_pipeline.assets.pipeline import RETRIES, Pipeline, partition_of
from emag_pipeline.assets.start_time import await_start
from emag_pipeline.assets.tables import table
from emag_pipeline.db.reference import CATEGORIES, HANDLING_TIMES, VAT_RATES, Resource, sample
from emag_pipeline.sync.reference import Refreshed, refresh_reference

_MOST_SHOWN = 10

_KEPT = (
    "What the marketplace shows no longer keeps its row, with `deleted_at` set. Columns: docs/data-dictionary.md. When "
    "it fails: docs/runbook.md."
)


@dg.asset(
    partitions_def=marketplaces,
    group_name="reference",
    kinds={"python", "postgres"},
    owners=OWNERS,
    tags={"layer": "reference"},
    metadata=table_name("emag_categories"),
    description=(
        "The marketplace's active categories: table `emag_categories`, with names in its own language and in English. "
        f"Read page by page until the pages add up to the marketplace's count. {_KEPT}"
    ),
)
def categories(context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]) -> dg.MaterializeResult[None]:
    return _refreshed(context, pipeline, CATEGORIES)


@dg.asset(
    partitions_def=marketplaces,
    group_name="reference",
    kinds={"python", "postgres"},
    owners=OWNERS,
    tags={"layer": "reference"},
    metadata=table_name("emag_vat_rates"),
    description=(
        "The marketplace's VAT rates: table `emag_vat_rates`, as a share of 1, e.g. 0.21. Prices with VAT rest on "
        f"them. {_KEPT}"
    ),
)
def vat_rates(context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]) -> dg.MaterializeResult[None]:
    return _refreshed(context, pipeline, VAT_RATES)


@dg.asset(
    partitions_def=marketplaces,
    group_name="reference",
    kinds={"python", "postgres"},
    owners=OWNERS,
    tags={"layer": "reference"},
    metadata=table_name("emag_handling_times"),
    description=f"The handling times in days that the marketplace allows: table `emag_handling_times`. {_KEPT}",
)
def handling_times(
    context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]
) -> dg.MaterializeResult[None]:
    return _refreshed(context, pipeline, HANDLING_TIMES)


def _refreshed(context: dg.AssetExecutionContext, pipeline: Pipeline, resource: Resource) -> dg.MaterializeResult[None]:
    marketplace = partition_of(context)
    await_start(context)
    with pipeline.step(context, RETRIES) as database:
        done = refresh_reference(pipeline.settings, database, marketplace, resource)
        shown = table(sample(database, resource, marketplace, _MOST_SHOWN))
        return dg.MaterializeResult(
            metadata=_numbers(done) | {"sample": shown} | column_schema(database, resource.table)
        )


def _numbers(done: Refreshed) -> Metadata:
    """What a refresh did, in rows; `unreadable` are those that cannot be represented, some of them with the reason."""
    reasons = [{"reason": reason} for reason in done.unreadable[:_MOST_SHOWN]]
    return {
        "dagster/row_count": done.merged.rows,
        "created": done.merged.created,
        "updated": done.merged.updated,
        "revived": done.merged.revived,
        "deleted": done.merged.deleted,
        "unreadable": len(done.unreadable),
        **({"unreadable_rows": table(reasons)} if reasons else {}),
        "account": done.account,
        "requests": done.requests,
        "seconds": round(done.seconds, 2),
    }
