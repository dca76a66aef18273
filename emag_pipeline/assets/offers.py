"""offers: what the marketplace holds, as readers see it; changed in one transaction, with history."""

import dagster as dg

from emag_pipeline.assets.metadata import OWNERS, column_schema, of_publish, table_name
from emag_pipeline.assets.partitions import accounts
from emag_pipeline.assets.pipeline import Pipeline
from emag_pipeline.assets.staged_offers import staged_offers
from emag_pipeline.sync import publish_scan


@dg.asset(
    deps=[staged_offers],
    partitions_def=accounts,
    group_name="offers",
    kinds={"postgres"},
    owners=OWNERS,
    tags={"layer": "published"},
    metadata=table_name("emag_product_offers"),
    description=(
        "The account's offers, exact and current: `emag_product_offers` holds what moves (prices, stock, status), "
        "`emag_products` what rarely does, `emag_offer_history` every past commercial state; "
        "`emag_current_offers` joins them. Published in one transaction, and only after an audit. "
        "Prices are without VAT, times are UTC."
    ),
)
def offers(context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]) -> dg.MaterializeResult[None]:
    with pipeline.sync(context) as sync:
        metadata = of_publish(publish_scan(sync), sync.budget().pace_seconds)
        return dg.MaterializeResult(metadata=metadata | column_schema(sync.database, "emag_product_offers"))
