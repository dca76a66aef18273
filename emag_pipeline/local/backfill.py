"""Compute the assortment of past days: one Dagster run per day and account, all in one separate process.

That process is `python -m emag_pipeline.local.backfill FROM TO ACCOUNT=FIRST_DAY…`. It prints a line for each run,
`DAY ACCOUNT EXIT_CODE` and the error, and ends after the first failure.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from queue import Empty, SimpleQueue
from threading import Thread

from emag_pipeline.errors import SettingsError
from emag_pipeline.local.child import Child, Program, keep_small
from emag_pipeline.local.surroundings import Surroundings, opened
from emag_pipeline.marts.checks import assortment_of
from emag_pipeline.settings import Settings
from emag_pipeline.settings.home import directory
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.published import first_publish_days
from emag_pipeline.wording import counted

_LOOK_SECONDS = 0.2
_STOP_SECONDS = 10.0


def require_days(first: date, last: date) -> None:
    """Raise SettingsError unless these days (inclusive) are in the past or today (UTC)."""
    today = datetime.now(UTC).date()
    if not first <= last <= today:
        raise SettingsError(
            f"no assortment can be computed from {first} to {last}",
            remedy=f"Give days up to {today} (UTC), the earlier one with --from",
        )


def backfill(
    settings: Settings,
    around: Surroundings,
    accounts: Sequence[str],
    days: tuple[date, date],
    say: Callable[[str], None],
    wait: Callable[[float], None],
) -> int:
    """Run `refresh_daily_assortment` for each day (inclusive) and account; `say` reports each run.

    Days before an account's first publish are skipped: there is nothing to compute, and no partition. Raises
    SettingsError if that is true of the first day for all accounts. Returns 0, or the exit code of the first failed
    run, which ends it; computed days are kept. `wait` sleeps and raises Interrupted after a signal: the current run is
    then stopped.
    """
    with opened(around.databases, settings) as database:
        begins = _first_days(database, around, accounts, days[0])
        for account in accounts:
            if account not in begins:
                say(f"{account}: left out, it was never published")
            elif begins[account] > days[0]:
                say(f"{account}: left out before {begins[account]}, the day of its first publish")
        asked = [f"{account}={begins[account]}" for account in accounts if account in begins]
        return _run(settings, around, database, [*map(str, days), *asked], say, wait)


def _first_days(database: Database, around: Surroundings, accounts: Sequence[str], asked: date) -> dict[str, date]:
    """The first day that can be computed, by account: from its first publish and EMAG_FIRST_DAY.

    An account that was never published has none. Raises SettingsError if the requested day is before all of them.
    """
    known_to_dagster = date.fromisoformat(around.environment["EMAG_FIRST_DAY"])
    published = first_publish_days(database, accounts)
    if not published:
        raise SettingsError(
            "no assortment can be computed",
            where=", ".join(accounts),
            why="nothing was ever published",
            remedy="Publish first: `emag-pipeline sync`",
        )
    first = min(published.values())
    if asked < max(first, known_to_dagster):
        later = (
            f"EMAG_FIRST_DAY is {known_to_dagster}" if known_to_dagster > first else f"the first publish was on {first}"
        )
        raise SettingsError(
            f"no assortment can be computed for {asked}",
            where=", ".join(accounts),
            why=later,
            remedy=f"Start from that day: --from {max(first, known_to_dagster)}",
        )
    return published


def _run(
    settings: Settings,
    around: Surroundings,
    database: Database,
    arguments: Sequence[str],
    say: Callable[[str], None],
    wait: Callable[[float], None],
) -> int:
    """Execute the runs in a separate process. Returns the exit code."""
    logs = directory(settings.home, "logs")
    keep_small(logs / "backfill.log")
    program = Program("backfill", (sys.executable, "-m", __name__, *arguments))
    child = Child(program, around.environment, logs, cwd="/", stdout=subprocess.PIPE)
    try:
        line = ""
        for line in _lines(child, wait):
            say(_words(database, line))
        code = child.process.wait()
        if code != 0 and line.split(" ")[2:3] != [str(code)]:
            say(f"the runs ended with code {code}{child.see_log(', see {log}')}")
        return code if code >= 0 else 1
    finally:
        child.stop()
        child.wait(_STOP_SECONDS)


def _lines(child: Child, wait: Callable[[float], None]) -> Iterator[str]:
    """The output of the process, line by line, to its end; a signal is also noticed between lines."""
    lines: SimpleQueue[str] = SimpleQueue()
    reader = Thread(target=_read, args=[child, lines], daemon=True)
    reader.start()
    while reader.is_alive() or not lines.empty():
        try:
            yield lines.get_nowait()
        except Empty:
            wait(_LOOK_SECONDS)


def _read(child: Child, lines: "SimpleQueue[str]") -> None:
    for line in child.process.stdout or ():
        lines.put(line.rstrip("\n"))


def _words(database: Database, line: str) -> str:
    """One run's line for people, with the figures that it computed."""
    day, account, code, said = line.split(" ", 3)
    if code != "0":
        return f"{day} {account}: {said}"
    row = assortment_of(database, account, date.fromisoformat(day))
    if row is None:  # removed since: its account was forgotten
        return f"{day} {account}: no row"
    return f"{day} {account}: {counted(row['offers'], 'offer')}, {row['saleable_offers']:,} of them saleable"


def main() -> int:
    """Execute the runs of the command line, the oldest day first. Returns the exit code of the last one."""
    # imported here, so that the command, which shares this module, starts without Dagster
    import dagster as dg

    from emag_pipeline.dagster_runs import ASSORTMENT_JOB, exit_code, failure
    from emag_pipeline.dagster_runs.executing import execute

    first, last = (date.fromisoformat(text) for text in sys.argv[1:3])
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    begins = {account: date.fromisoformat(text) for account, _, text in (one.partition("=") for one in sys.argv[3:])}
    with dg.DagsterInstance.get() as instance:
        for day, account in ((day, account) for day in days for account, begin in begins.items() if begin <= day):
            key = dg.MultiPartitionKey({"account": account, "day": day.isoformat()})
            run_id = execute(instance, ASSORTMENT_JOB, key)
            code = exit_code(instance, run_id)
            sys.stdout.write(f"{day} {account} {code} {failure(instance, run_id)}\n")
            sys.stdout.flush()
            if code != 0:
                return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
