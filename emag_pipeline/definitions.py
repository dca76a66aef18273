"""Everything that Dagster is told."""

from emag_pipeline import loading
from emag_pipeline.logs import dagster_process  # noqa: F401 - first: what the others print while loading is a log line

# isort: split
import dagster as dg

from emag_pipeline.assets.daily_assortment import daily_assortment
from emag_pipeline.assets.marts import buy_button, low_stock, offer_issues
from emag_pipeline.assets.offer_report import offer_report
from emag_pipeline.assets.offers import offers
from emag_pipeline.assets.pipeline import Pipeline
from emag_pipeline.assets.reference import categories, handling_times, vat_rates
from emag_pipeline.assets.staged_offers import staged_offers
from emag_pipeline.automation.jobs import refresh_offers
from emag_pipeline.automation.maintenance import maintenance, maintenance_schedule
from emag_pipeline.automation.marts import refresh_daily_assortment, refresh_marts, stale_marts
from emag_pipeline.automation.reference import reference_schedules, refresh_reference, stale_reference
from emag_pipeline.automation.run_failures import run_failures
from emag_pipeline.automation.schedules import refresh_schedules
from emag_pipeline.automation.stale_accounts import stale_accounts
from emag_pipeline.automation.stuck_syncs import stuck_syncs
from emag_pipeline.checks.audit import audit
from emag_pipeline.checks.marts import (
    assortment_reconciles_with_offers,
    buy_button_reconciles_with_offers,
    issues_reconcile_with_offers,
    low_stock_reconciles_with_offers,
)
from emag_pipeline.checks.offers import offers_review, publish_review
from emag_pipeline.checks.reference import categories_exist_for_all_offers, vat_rates_exist_for_all_offers
from emag_pipeline.settings import current

defs = dg.Definitions(
    assets=[
        staged_offers,
        offers,
        offer_issues,
        buy_button,
        low_stock,
        daily_assortment,
        offer_report,
        categories,
        vat_rates,
        handling_times,
    ],
    asset_checks=[
        audit,
        publish_review,
        offers_review,
        issues_reconcile_with_offers,
        buy_button_reconciles_with_offers,
        low_stock_reconciles_with_offers,
        assortment_reconciles_with_offers,
        categories_exist_for_all_offers,
        vat_rates_exist_for_all_offers,
    ],
    jobs=[refresh_offers, refresh_marts, refresh_daily_assortment, maintenance, refresh_reference],
    schedules=[*refresh_schedules, maintenance_schedule, *reference_schedules],
    sensors=[stuck_syncs, stale_accounts, stale_marts, run_failures, stale_reference],
    resources={"pipeline": Pipeline(current())},
    # steps share one process: 0.4 s a run instead of 5.6 s; `retries` lets their RetryPolicy work
    executor=dg.in_process_executor.configured({"retries": {"enabled": {}}}),
)
loading.end()
