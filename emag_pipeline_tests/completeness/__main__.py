"""`python -m emag_pipeline_tests.completeness [--scans N] [--seed N] [--section NAME]` for docs/completeness.md.

The exit code is 1 when a figure that has to be 0 is not, or when a sync asks for too many calls.
"""

import argparse
import sys
import time
from math import ceil

from emag_pipeline_tests.completeness.budgets import budgets
from emag_pipeline_tests.completeness.groups import groups
from emag_pipeline_tests.completeness.judge import Figures, judge
from emag_pipeline_tests.completeness.settings import Group
from emag_pipeline_tests.completeness.table import SECTIONS, budget_table, table

_SHARES = sum(group.share for group in groups())


def main() -> int:
    """Play, print; say whether all is as it should be."""
    asked = _arguments()
    began = time.monotonic()
    figures: list[Figures] = []
    for section in SECTIONS:
        if asked.section in (None, section):
            played = [_judge(group, asked.scans, str(asked.seed)) for group in groups() if group.section == section]
            print("\n".join(table(section, played)), flush=True)
            print(f"{section}: {time.monotonic() - began:.0f} s", file=sys.stderr)
            figures += played
    against = [line for one in figures for line in one.against()]
    if asked.section is None:
        calls = list(budgets(scans=max(1, asked.scans // 5_000)))
        against += [
            f"{one.offers:,} offers, {one.situation}: {one.calls:.1f} calls" for one in calls if not one.is_borne
        ]
        print("\n".join(budget_table(calls)))
    scans, resumed = sum(one.scans for one in figures), sum(one.resumed for one in figures)
    print(f"{scans:,} scans, seed {asked.seed}, {resumed:,} resumed.")
    for line in against:
        print(f"- not as it should be: {line}")
    return 1 if against else 0


def _judge(group: Group, scans: int, seed: str) -> Figures:
    number = max(1, ceil(scans * group.share / _SHARES))
    return judge(group, min(number, group.most or number), seed)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m emag_pipeline_tests.completeness", description=__doc__)
    parser.add_argument("--scans", type=int, default=100_000, help="scans in all (default: 100,000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--section", choices=list(SECTIONS))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
