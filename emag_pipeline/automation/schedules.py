"""Each account is refreshed every hour, at a minute of its own: never on round times (emag-api.md, section 2)."""

import zlib

import dagster as dg

from emag_pipeline.automation.jobs import refresh_offers
from emag_pipeline.settings import current


def minute_of(account: str) -> int:
    """The account's minute of the hour: stable, spread over accounts, never a multiple of five."""
    chosen = zlib.crc32(account.encode()) % 48
    return chosen + chosen // 4 + 1


def refresh_schedule(account: str) -> dg.ScheduleDefinition:
    """The hourly refresh of one account, on by default."""

    @dg.schedule(
        name=f"refresh_offers_{account}",
        job=refresh_offers,
        cron_schedule=f"{minute_of(account)} * * * *",
        execution_timezone="UTC",
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Brings {account} up to date once an hour.",
    )
    def refresh(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        return dg.RunRequest(partition_key=account)

    return refresh


refresh_schedules = [refresh_schedule(account.name) for account in current().accounts]
