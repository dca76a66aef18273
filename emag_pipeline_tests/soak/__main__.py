"""`python -m emag_pipeline_tests.soak [--minutes N] [--seed N] [--report FILE]`: exit code 0 when nothing was lost."""

import argparse
import random
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from emag_pipeline.store.engine import Database
from emag_pipeline_tests.local.ups import wait_until
from emag_pipeline_tests.soak.report import Harm, judge, report
from emag_pipeline_tests.soak.stack import ACCOUNTS, Stack, running_stack
from emag_pipeline_tests.soak.troubles import TROUBLES
from emag_pipeline_tests.soak.watch import Watch
from emag_pipeline_tests.sync.syncs import rows

#: Between the beginnings of two troubles.
_PAUSE = (3.0, 25.0)
#: How long a sync may take to be published after the last trouble.
_QUIET_SECONDS = 300


def main() -> int:
    """Soak, print, and say whether the numbers that must be 0 are."""
    asked = _arguments()
    say(f"seed {asked.seed}, {asked.minutes:g} minutes")
    with running_stack() as stack:
        with Watch(stack) as watch:
            harms = _soak(stack, random.Random(asked.seed), asked.minutes * 60)
            _wait_for_quiet(stack)
        database = Database(stack.database_url)
        verdict = judge(stack, database)
        heading = f"Soak of {asked.minutes:g} minutes, seed {asked.seed}"
        text = "\n".join(report(stack, database, watch, harms, verdict, heading))
        database.close()
    print(text, flush=True)
    if asked.report:
        asked.report.write_text(text + "\n")
    return 0 if verdict.is_clean else 1


def say(line: str) -> None:
    """What happens, as it happens, on stderr."""
    print(f"{datetime.now(UTC):%H:%M:%S} {line}", file=sys.stderr, flush=True)


def _soak(stack: Stack, chance: random.Random, seconds: float) -> list[Harm]:
    """Do harm until the time is over; returns what was done."""
    until = time.time() + seconds
    harms: list[Harm] = []
    ends: list[tuple[float, Callable[[], None]]] = []
    while time.time() < until:
        trouble = chance.choice(TROUBLES)
        lasts = chance.uniform(*trouble.seconds)
        say(f"{trouble.name} ({lasts:.0f} s)")
        ends.append((time.time() + lasts, trouble.begin(stack, chance, lasts)))
        harms.append(Harm(trouble.name, time.time() + lasts))
        pause = time.time() + chance.uniform(*_PAUSE)
        while time.time() < pause:
            time.sleep(0.2)
            ends = _end_what_is_over(ends, time.time())
    time.sleep(max([0.0, *(at - time.time() for at, _ in ends)]))
    _end_what_is_over(ends, float("inf"))
    stack.market.clear_faults()
    return harms


def _end_what_is_over(
    ends: list[tuple[float, Callable[[], None]]], now: float
) -> list[tuple[float, Callable[[], None]]]:
    for at, end in ends:
        if at <= now:
            end()
    return [(at, end) for at, end in ends if at > now]


def _wait_for_quiet(stack: Stack) -> None:
    """Until each account was published by a sync that began after the last trouble."""
    since = datetime.now(UTC)
    sql = """SELECT count(DISTINCT account_type) AS accounts FROM emag_offer_syncs
             WHERE status = 'completed' AND started_at > :since"""
    database = Database(stack.database_url)
    wait_until(lambda: rows(database, sql, since=since)[0].accounts == len(ACCOUNTS), _QUIET_SECONDS)
    database.close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m emag_pipeline_tests.soak")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--report", type=Path, help="write the report to this file too")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
