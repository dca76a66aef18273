"""`python -m emag_pipeline_tests.completeness [--scans N] [--seed N] [--section NAME]` for docs/completeness.md.

The exit code is 1 when a figure that has to be 0 is not, or when a sync asks for too many calls.
"""

import argparse
import sys
import time

from emag_pipeline_tests.completeness.budgets import budgets
from emag_pipeline_tests.completeness.judge import Figures, judge
from emag_pipeline_tests.completeness.settings import groups
from emag_pipeline_tests.completeness.table import budget_table, table


def main() -> int:
    """Play, print; say whether all is as it should be."""
    asked = _arguments()
    began = time.monotonic()
    figures: list[Figures] = []
    for group in groups():
        if asked.section in (None, group.section):
            scans = max(1, round(asked.scans * group.share))
            figures.append(judge(group, min(scans, group.most or scans), str(asked.seed)))
            print(f"{group.name}: {time.monotonic() - began:.0f} s", file=sys.stderr)
    against = [line for one in figures for line in one.against()]
    print("\n".join(table(figures)))
    if asked.section is None:
        calls = list(budgets(scans=max(1, asked.scans // 5_000)))
        against += [
            f"{one.offers:,} offers, {one.situation}: {one.calls:.1f} calls" for one in calls if not one.is_kept
        ]
        print("\n".join(budget_table(calls)))
    scans, resumed = sum(one.scans for one in figures), sum(one.resumed for one in figures)
    print(f"{scans:,} scans, seed {asked.seed}, {resumed:,} resumed.")
    for line in against:
        print(f"- not as it should be: {line}")
    return 1 if against else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m emag_pipeline_tests.completeness", description=__doc__)
    parser.add_argument("--scans", type=int, default=100_000, help="scans in all (default: 100,000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--section", help="only these: stable, large, pages, reordering, faults, lies")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
