"""daily_assortment: the assortment at the end of each day, from history; any past day can be computed at any time.

No BackfillPolicy: Dagster would note one set of numbers for all days of a run. A run a day, half a second each.
"""

from datetime import date

import dagster as dg

from emag_pipeline.assets import pictures
from emag_pipeline.assets.marts import READ_MORE, of_refresh
from emag_pipeline.assets.metadata import OWNERS, Metadata, column_schema, table_name
from emag_pipeline.assets.offers import offers
from emag_pipeline.assets.partitions import accounts
from emag_pipeline.assets.pipeline import Pipeline, partition_of
from emag_pipeline.assets.tables import shown
from emag_pipeline.db.engine import Database
from emag_pipeline.db.marts.look import assortment_of
from emag_pipeline.db.marts.marts import DAILY_ASSORTMENT
from emag_pipeline.db.marts.refresh import refresh
from emag_pipeline.logs import about
from emag_pipeline.settings import current
from emag_pipeline.sync.marketplaces import note_marketplaces

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
