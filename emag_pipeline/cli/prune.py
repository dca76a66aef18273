"""`emag-pipeline prune`: a line for each kind, JSON for programs.

The JSON is an object {older_than_days, dry_run, removed: {syncs, rejects, payloads, surprises, requests, incidents,
staged_rows, dagster_runs}}; with dry_run true the numbers are what would be removed. Keys are added, never renamed.
"""

import json
import re
from typing import Annotated

import typer

from emag_pipeline.dagster_runs import instance
from emag_pipeline.dagster_runs import prune as dagster_runs
from emag_pipeline.errors import SettingsError
from emag_pipeline.local.embedded_use import looked_into
from emag_pipeline.retention import prune as retention
from emag_pipeline.retention.prune import REQUESTS_DAYS
from emag_pipeline.settings import Settings, load_settings
from emag_pipeline.wording import counted

_HOURS = {"h": 1, "d": 24, "w": 168}
#: what is younger is what somebody looks into when something went wrong
_LEAST_DAYS = 1.0
_WORDS = {
    "syncs": ("ledger row", "ledger rows"),
    "rejects": ("row in quarantine whose sync is gone", "rows in quarantine whose sync is gone"),
    "payloads": ("row as read, of one that stays in quarantine", "rows as read, of those that stay in quarantine"),
    "surprises": (
        "surprise in answers that was not met again",
        "surprises in answers that were not met again",
    ),
    "requests": ("call in the request log", "calls in the request log"),
    "check_results": ("answer of a check that is asked no more", "answers of checks that are asked no more"),
    "incidents": ("closed incident", "closed incidents"),
    "staged_rows": ("row in staging that no sync can use any more", "rows in staging that no sync can use any more"),
    "dagster_runs": ("Dagster run, with events and output", "Dagster runs, with events and output"),
}


def prune(
    older_than: Annotated[
        str, typer.Option(metavar="AGE", help="A number with d, h or w, such as 30d; at least 1d.")
    ] = "30d",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Remove old ledger rows, calls, quarantined rows, incidents, staging remains and Dagster runs.

    The job `maintenance` does it every day. Kept whatever their age: each account's newest sync and newest success, a
    refused scan that may still be approved, the reason of each flagged offer, Dagster runs under way or with a
    partition's newest materialization. The request log is never cut below the 30 days that the marketplace asks for.
    Offers, their history and counters are never touched. Safe beside running syncs.
    """
    days = _days(older_than)
    removed = _prune(load_settings(), days, dry_run=dry_run)
    if as_json:
        typer.echo(json.dumps({"older_than_days": days, "dry_run": dry_run, "removed": removed}, indent=2))
        return
    verb = "would be removed" if dry_run else "removed"
    for name, number in removed.items():
        typer.echo(f"{counted(number, *_WORDS[name])} {verb}")
    if days < REQUESTS_DAYS:
        typer.echo(f"calls are kept for {REQUESTS_DAYS:.0f} days whatever is said: the marketplace asks for it")


def _prune(settings: Settings, days: float, *, dry_run: bool) -> dict[str, int]:
    """What the job `maintenance` does every day. Nothing is removed before both databases were reached."""
    with looked_into(settings) as database, instance.opened(settings) as dagster:
        removed = retention.prune(database, days, dry_run=dry_run)
        return {**removed, "dagster_runs": dagster_runs.prune(dagster, days, dry_run=dry_run)}


def _days(text: str) -> float:
    age = re.fullmatch(r"(\d{1,5})([dhw])", text, re.ASCII)
    if age is None:
        raise SettingsError(f"--older-than is {text!r}", remedy="Give a number with d, h or w, such as 30d")
    days = int(age[1]) * _HOURS[age[2]] / 24
    if days < _LEAST_DAYS:
        raise SettingsError(
            f"--older-than is {text!r}, less than a day",
            why="Dagster's runs of today, the last syncs and what was quarantined just now would be gone",
            remedy="Give 1d or more; nothing was removed",
        )
    return days
