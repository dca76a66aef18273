"""staged_offers: the whole catalogue of an account, page by page, durable and not yet visible."""

from uuid import UUID

import dagster as dg

from emag_pipeline.assets.metadata import OWNERS, Metadata, observed, of_scan, table_name
from emag_pipeline.assets.partitions import accounts
from emag_pipeline.assets.picture_frame import small_picture, unless_it_fails
from emag_pipeline.assets.pipeline import RETRIES, Pipeline
from emag_pipeline.assets.start_time import await_start
from emag_pipeline.charts import small
from emag_pipeline.db.engine import Database
from emag_pipeline.db.report.timeline import timeline
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
        return dg.MaterializeResult(metadata=of_scan(staged) | _pictures(sync.database, staged.sync_id))


def _pictures(database: Database, sync_id: UUID) -> Metadata:
    """How a scan went: calls that failed, the longest pause in seconds, and good answers over time."""
    return unless_it_fails("scan", lambda: _scan(database, sync_id))


def _scan(database: Database, sync_id: UUID) -> Metadata:
    found = timeline(database, sync_id)
    return {
        "calls_failed": found.failed,
        "calls_over_rate_limit": found.limited,
        "longest_pause_seconds": round(found.longest_pause_seconds, 1),
        **small_picture("answers_over_time", small.columns, found.answers_over_time),
    }
