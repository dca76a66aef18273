"""staged_offers: the whole catalogue of an account, page by page, durable and not yet visible."""

import dagster as dg

from emag_pipeline.assets import pictures
from emag_pipeline.assets.metadata import OWNERS, observed, of_scan, table_name
from emag_pipeline.assets.partitions import accounts
from emag_pipeline.assets.pipeline import RETRIES, Pipeline
from emag_pipeline.assets.start_time import await_start
from emag_pipeline.sync import Progress, stage_account


@dg.asset(
    partitions_def=accounts,
    group_name="offers",
    kinds={"python", "postgres"},
    owners=OWNERS,
    tags={"layer": "staging"},
    metadata=table_name("emag_scan_offers"),
    description=(
        "Every page of the account's catalogue, read at the marketplace's rate limit and stored page by page. "
        "Readers see nothing of it yet: the blocking checks judge it first. An interrupted scan is continued "
        "after its last durable page."
    ),
)
def staged_offers(
    context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]
) -> dg.MaterializeResult[None]:
    def report(progress: Progress) -> None:
        context.log_event(observed(context, progress))

    await_start(context)
    with pipeline.sync(context, report, RETRIES) as sync:
        staged = stage_account(sync)
        return dg.MaterializeResult(metadata=of_scan(staged) | pictures.scan(sync.database, staged.sync_id))
