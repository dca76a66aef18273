"""`emag-pipeline backfill`."""

from datetime import UTC, date, datetime
from typing import Annotated

import typer

from emag_pipeline.console import Narrator
from emag_pipeline.errors import SettingsError
from emag_pipeline.local.backfill import backfill as compute_days
from emag_pipeline.local.backfill import require_days
from emag_pipeline.local.stop_signals import StopSignals
from emag_pipeline.local.surroundings import surroundings
from emag_pipeline.settings import load_settings


def backfill(
    first: Annotated[
        str, typer.Option("--from", metavar="DAY", help="The first day (UTC), from the first publish on.")
    ],
    last: Annotated[str | None, typer.Option("--to", metavar="DAY", help="The last day. Default: today.")] = None,
    account: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this account; repeat it for more. Default: all.")
    ] = None,
) -> None:
    """Compute the daily assortment of past days again, from history.

    Each day of each account is a run of the job `refresh_daily_assortment`, recorded in Dagster as if it had been
    started there; an account's days before its first publish are left out. Nothing is read from the marketplace, no
    offer changes, and a day that is right is not written. Safe beside running syncs. The first run that fails ends it;
    the same command again goes through all days once more.
    """
    settings = load_settings()
    names = [settings.account(name).name for name in dict.fromkeys(account or [])]
    days = _day("--from", first), _day("--to", last) if last else datetime.now(UTC).date()
    require_days(*days)
    narrator = Narrator()
    with StopSignals() as signals, surroundings(settings) as around:
        accounts = names or [one.name for one in settings.accounts]
        code = compute_days(settings, around, accounts, days, narrator.say, signals.wait)
    raise typer.Exit(code)


def _day(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"{option} is {text!r}", remedy="Give a day such as 2026-11-01") from None
