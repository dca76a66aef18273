"""The marts that follow each publish of an account: what cannot be bought, who has the button, what runs out."""

from collections.abc import Callable

import dagster as dg

from emag_pipeline.assets import pictures
from emag_pipeline.assets.metadata import OWNERS, Metadata, column_schema, table_name
from emag_pipeline.assets.offers import offers
from emag_pipeline.assets.partitions import accounts, marketplaces
from emag_pipeline.assets.pipeline import Pipeline, partition_of
from emag_pipeline.assets.tables import shown, table
from emag_pipeline.db.engine import Database
from emag_pipeline.db.marts.look import look_at
from emag_pipeline.db.marts.marts import BUY_BUTTON, LOW_STOCK, OFFER_ISSUES, Mart
from emag_pipeline.db.marts.refresh import Refreshed, refresh
from emag_pipeline.logs import about
from emag_pipeline.settings import current
from emag_pipeline.sync.marketplaces import note_marketplaces

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


def of_refresh(done: Refreshed) -> Metadata:
    """What a refresh did, in rows, and the newest publish at that time."""
    return {
        "dagster/row_count": done.rows,
        "rows_inserted": done.inserted,
        "rows_updated": done.updated,
        "rows_deleted": done.deleted,
        "sync_id": str(done.sync_id),
        "published_at": dg.MetadataValue.timestamp(done.published_at),
    }
