"""`python -m emag_pipeline_tests.month [--days N] [--seed N] [--keep DIR] [--report FILE]`.

The exit code is 1 when anything differs. In `--keep` stay the database, Dagster's files and an HTML report an account.
"""

import argparse
import random
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from emag_pipeline.report import facts_of, page, write
from emag_pipeline_tests.month.backfill import backfill
from emag_pipeline_tests.month.play import play
from emag_pipeline_tests.month.reconcile import reconcile
from emag_pipeline_tests.month.report import report
from emag_pipeline_tests.month.stage import stage


def main() -> int:
    """Play, backfill, reconcile, print; say whether anything differs."""
    asked = _arguments()
    say(f"seed {asked.seed}, {asked.days} days")
    with stage(seed=asked.seed, home=asked.keep) as place:
        month = play(place, asked.days, random.Random(asked.seed), say)
        begun = time.monotonic()
        days = backfill(place, month.past)
        say(f"{days} days of the assortment computed")
        backfill_seconds = time.monotonic() - begun
        reckoning = reconcile(place.database, month.past)
        if asked.keep:
            for account in place.accounts:
                write(asked.keep / "reports" / f"{account}.html", page(facts_of(place.database, account)))
    differences = month.on_the_way.differences + reckoning.differences
    differences += [f"the check {name} did not pass" for name in place.failed_checks if "reconcile" in name]
    for line in differences:
        print(line)
    heading = f"A month of {asked.days} days, seed {asked.seed}"
    text = "\n".join(report(heading, month, asked.days, reckoning, backfill_seconds, place.failed_checks))
    print(text, flush=True)
    if asked.report:
        asked.report.write_text(text + "\n", encoding="utf-8")
    return 1 if differences else 0


def say(line: str) -> None:
    """What happens, as it happens."""
    print(f"{datetime.now(UTC):%H:%M:%S} {line}", flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m emag_pipeline_tests.month")
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--keep", type=Path, help="a directory for what is to stay")
    parser.add_argument("--report", type=Path, help="write the report to this file too")
    asked = parser.parse_args()
    if asked.keep and asked.keep.exists() and any(asked.keep.iterdir()):
        parser.error(f"{asked.keep} is not empty: name a directory for this month alone")
    return asked


if __name__ == "__main__":
    sys.exit(main())
