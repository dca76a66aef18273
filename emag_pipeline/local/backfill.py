"""Compute the assortment of past days: a Dagster run for each day and account, all in one process of its own."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread

from emag_pipeline import wording
from emag_pipeline.errors import SettingsError
from emag_pipeline.local import log_files
from emag_pipeline.local.surroundings import Surroundings
from emag_pipeline.marts.checks import assortment_of
from emag_pipeline.settings import Settings
from emag_pipeline.settings.home import directory
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.published import first_publish_days
from emag_pipeline.wording import counted

_LOOK_SECONDS = 0.2
_STOP_SECONDS = 10.0


def require_days(first: date, last: date) -> None:
    """Raise SettingsError unless these days, both counted, lie in the past or are today (UTC)."""
    today = datetime.now(UTC).date()
    if not first <= last <= today:
        raise SettingsError(
            f"there is no assortment to compute from {first} to {last}",
            remedy=f"Give days up to {today} (UTC), the earlier one with --from",
        )


def _first_days(database: Database, around: Surroundings, accounts: Sequence[str], asked: date) -> dict[str, date]:
    """The first day of each account of which there is anything to compute, by its first publish and EMAG_FIRST_DAY.

    An account that was never published has none. Raises SettingsError where the day asked for is before all of them.
    """
    known_to_dagster = date.fromisoformat(around.environment["EMAG_FIRST_DAY"])
    published = first_publish_days(database, accounts)
    if not published:
        raise SettingsError(
            "there is no assortment to compute",
            where=", ".join(accounts),
            why="nothing was ever published",
            remedy="Publish first: `emag-pipeline sync`",
        )
    first = min(published.values())
    if asked < max(first, known_to_dagster):
        later = (
            f"EMAG_FIRST_DAY is {known_to_dagster}" if known_to_dagster > first else f"the first publish is of {first}"
        )
        raise SettingsError(
            f"there is no assortment to compute of {asked}",
            where=", ".join(accounts),
            why=later,
            remedy=f"Begin with the first day that there is: --from {max(first, known_to_dagster)}",
        )
    return published


def backfill(
    settings: Settings,
    around: Surroundings,
    accounts: Sequence[str],
    days: tuple[date, date],
    say: Callable[[str], None],
    wait: Callable[[float], None],
) -> int:
    """Run `refresh_daily_assortment` for each day, both ends counted, and each account; `say` hears of each.

    An account's days before its first publish are left out: there is nothing to compute, and no partition. Raises
    SettingsError where that is true of the first day and all accounts. Returns 0, or the exit code of the first run
    that failed, which ends it; what was computed stays. `wait` sleeps so many seconds and raises Interrupted when a
    signal came: the run under way is stopped then.
    """
    database = Database(around.databases.pipeline.get_secret_value(), settings.db_schema)
    try:
        return _backfill(settings, around, database, accounts, days, say, wait)
    finally:
        database.close()


def _backfill(
    settings: Settings,
    around: Surroundings,
    database: Database,
    accounts: Sequence[str],
    days: tuple[date, date],
    say: Callable[[str], None],
    wait: Callable[[float], None],
) -> int:
    begins = _first_days(database, around, accounts, days[0])
    for account in accounts:
        if account not in begins:
            say(f"{account}: left out, it was never published")
        elif begins[account] > days[0]:
            say(f"{account}: left out before {begins[account]}, the day of its first publish")
    log = directory(settings.home, "logs") / "backfill.log"
    log_files.keep_small(log)
    before_bytes = wording.size(log)
    asked = [f"{account}={begins[account]}" for account in accounts if account in begins]
    process = _start(around.environment, log, [*map(str, days), *asked])
    try:
        line = ""
        for line in _lines(process, wait):
            say(_words(database, line))
        code = process.wait()
        if code != 0 and line.split(" ")[2:3] != [str(code)]:
            say(f"the runs ended with code {code}{wording.see(', see {log}', log, before_bytes)}")
        return code if code >= 0 else 1
    finally:
        _stop(process)


def _start(environment: Mapping[str, str], log: Path, arguments: Sequence[str]) -> "subprocess.Popen[str]":
    with log.open("ab") as errors:
        return subprocess.Popen(
            [sys.executable, "-m", "emag_pipeline.local.backfill_run", *arguments],
            env=environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,  # Ctrl-C reaches this process, which passes it on once
        )


def _lines(process: "subprocess.Popen[str]", wait: Callable[[float], None]) -> Iterator[str]:
    """What the process prints, line by line, to its end; a signal is noticed between lines too."""
    lines: SimpleQueue[str] = SimpleQueue()
    reader = Thread(target=_read, args=[process, lines], daemon=True)
    reader.start()
    while reader.is_alive() or not lines.empty():
        try:
            yield lines.get_nowait()
        except Empty:
            wait(_LOOK_SECONDS)


def _read(process: "subprocess.Popen[str]", lines: "SimpleQueue[str]") -> None:
    for line in process.stdout or ():
        lines.put(line.rstrip("\n"))


def _stop(process: "subprocess.Popen[str]") -> None:
    """Tell it to stop, if it has not ended, and see that it does."""
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _words(database: Database, line: str) -> str:
    """One run's line in words, with the figures that it computed."""
    day, account, code, said = line.split(" ", 3)
    if code != "0":
        return f"{day} {account}: {said}"
    row = assortment_of(database, account, date.fromisoformat(day))
    if row is None:  # removed since: its account is forgotten
        return f"{day} {account}: no row"
    return f"{day} {account}: {counted(row['offers'], 'offer')}, {row['saleable_offers']:,} of them saleable"
