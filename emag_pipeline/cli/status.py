"""`emag-pipeline status`: a table for people, JSON for programs.

The JSON is an object `{"at": time, "accounts": [account, …]}`. An account has:

account            its name
state              never synced, running, completed, failed, timeout or cancelled: that of its newest sync
last_publish_at    time of the last publish, null before the first
age_seconds        since then, null likewise
offers, saleable   published offers that exist, and those of them that can be bought
deleted            offers confirmed as gone
quarantined        existing offers whose newest reading could not be represented
running            null, or {sync_id, dagster_run_id, phase, attempt, round, started_at, pages_done, pages_expected,
                   offers_done, offers_expected, elapsed_seconds, silent_seconds}
last_error         null, or {error_class, message, remedy, at} of the newest sync when it ended without publishing

Times are ISO 8601 in UTC; numbers that are not known yet are null. Keys are added, never renamed.
"""

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from emag_pipeline.db.engine import Database
from emag_pipeline.db.status import AccountStatus, SyncProgress, account_statuses
from emag_pipeline.operations.surroundings import attached
from emag_pipeline.operations.words import age, failure_words, progress_words
from emag_pipeline.settings import Settings, load_settings

_WATCH_SECONDS = 2.0
_RUNNING = (
    "phase", "attempt", "round", "pages_done", "pages_expected", "offers_done", "offers_expected",
    "elapsed_seconds", "silent_seconds", "dagster_run_id",
)  # fmt: skip


def status(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of a table.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Look again every two seconds, until Ctrl-C.")] = False,
) -> None:
    """Show how the accounts stand: last publish, running sync, last error and what to do about it.

    Only reads; starts nothing.
    """
    settings = load_settings()
    with attached(settings) as database:
        if as_json:
            _print_json(database, settings, watch)
        elif watch:
            _watch_table(database, settings)
        else:
            Console().print(_picture(_statuses(database, settings)))


def _statuses(database: Database, settings: Settings) -> list[AccountStatus]:
    return account_statuses(database, [account.name for account in settings.accounts])


def _print_json(database: Database, settings: Settings, watch: bool) -> None:
    """One object a line when watching, so that a program can read it as it comes."""
    while True:
        accounts = [_account(status) for status in _statuses(database, settings)]
        document = {"at": _iso(datetime.now(UTC)), "accounts": accounts}
        typer.echo(json.dumps(document, indent=None if watch else 2, ensure_ascii=False))
        if not watch:
            return
        time.sleep(_WATCH_SECONDS)


def _watch_table(database: Database, settings: Settings) -> None:
    with Live(_picture(_statuses(database, settings)), auto_refresh=False) as live:
        while True:
            time.sleep(_WATCH_SECONDS)
            live.update(_picture(_statuses(database, settings)), refresh=True)


def _account(status: AccountStatus) -> dict[str, Any]:
    error = status.last_error
    return {
        "account": status.account,
        "state": status.state,
        "last_publish_at": _iso(status.last_publish_at),
        "age_seconds": status.age_seconds,
        "offers": status.offers,
        "saleable": status.saleable,
        "deleted": status.deleted,
        "quarantined": status.rejected,
        "running": _running(status.running) if status.running else None,
        "last_error": error
        and {"error_class": error.error_class, "message": error.message, "remedy": error.remedy, "at": _iso(error.at)},
    }


def _running(sync: SyncProgress) -> dict[str, Any]:
    numbers = {name: getattr(sync, name) for name in _RUNNING}
    return {"sync_id": str(sync.sync_id), "started_at": _iso(sync.started_at), **numbers}


def _iso(time: datetime | None) -> str | None:
    return None if time is None else time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _picture(statuses: Sequence[AccountStatus]) -> Group:
    """The table, and below it a line for each account that runs or has failed."""
    table = Table("account", "state", "published", box=None, pad_edge=False)
    for heading in ("offers", "for sale", "gone", "quarantined"):
        table.add_column(heading, justify="right")
    for status in statuses:
        published = "never" if status.age_seconds is None else f"{age(status.age_seconds)} ago"
        numbers = [f"{number:,}" for number in (status.offers, status.saleable, status.deleted, status.rejected)]
        table.add_row(status.account, status.state, published, *numbers)
    return Group(table, *(Text(f"{status.account}: {_remark(status)}") for status in statuses if _remark(status)))


def _remark(status: AccountStatus) -> str:
    if status.running is not None:
        return progress_words(status.running)
    if status.last_error is not None:
        return failure_words(status.last_error.message, status.last_error.remedy)
    return ""
