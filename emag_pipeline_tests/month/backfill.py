"""All days of the assortment, from history, by the real job."""

from datetime import UTC, datetime

from dagster import MultiPartitionKey

from emag_pipeline_tests.month.judge.assortment import days
from emag_pipeline_tests.month.past import Past
from emag_pipeline_tests.month.stage import Stage


def backfill(stage: Stage, past: Past) -> int:
    """Compute every day since each account's first publish. Returns how many rows that makes."""
    keys = [
        MultiPartitionKey({"account": account, "day": day.isoformat()})
        for account in past.publishes
        for day in days(past, account, datetime.now(UTC))
    ]
    for key in keys:
        stage.run("refresh_daily_assortment", key)
    return len(keys)
