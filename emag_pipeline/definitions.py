"""Everything that Dagster is told."""

from emag_pipeline.logs import dagster_process  # noqa: F401 - first: what the others print while loading is a log line

# isort: split
import dagster as dg

from emag_pipeline.assets.offers import offers
from emag_pipeline.assets.pipeline import Pipeline
from emag_pipeline.assets.staged_offers import staged_offers
from emag_pipeline.automation.jobs import refresh_offers
from emag_pipeline.automation.maintenance import maintenance, maintenance_schedule
from emag_pipeline.automation.run_failures import run_failures
from emag_pipeline.automation.schedules import refresh_schedules
from emag_pipeline.automation.stale_accounts import stale_accounts
from emag_pipeline.automation.stuck_syncs import stuck_syncs
from emag_pipeline.checks.audit import audit
from emag_pipeline.settings import current

defs = dg.Definitions(
    assets=[staged_offers, offers],
    asset_checks=[audit],
    jobs=[refresh_offers, maintenance],
    schedules=[*refresh_schedules, maintenance_schedule],
    sensors=[stuck_syncs, stale_accounts, run_failures],
    resources={"pipeline": Pipeline(current())},
    # steps share one process: 0.4 s a run instead of 5.6 s; `retries` lets their RetryPolicy work
    executor=dg.in_process_executor.configured({"retries": {"enabled": {}}}),
)
