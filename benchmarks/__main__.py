"""`python -m benchmarks [NAME …] [--spoil] [--scale SHARE]`: measure and print.

Without a name all are measured, and renew docs/benchmarks.md.

`--spoil` makes things worse on purpose: every figure that has an aim must miss it then, or the exit code is 1.
"""

import argparse
import signal
import sys
import time
import traceback

from benchmarks import calls, command, load, memory, page, peers, rate, scrape
from benchmarks.page import Section
from benchmarks.report import Outcome
from benchmarks.wish import Wish

_ALL = {module.NAME: module for module in (rate, calls, load, command, memory, peers, scrape)}


def main() -> int:
    """Run the benchmarks that are named, or all. Returns 1 if one of them broke, or could not be spoilt."""
    given = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # servers and sandboxes are stopped then
    began = page.Start.now()
    wish = Wish(given.spoil, given.scale)
    sections: list[Section] = []
    for name in given.names or _ALL:
        sections.append(_section(name, wish))
        if not given.names and not given.spoil:  # after each: a run that is ended has measured something
            page.write(began, wish, sections)
    if given.spoil:
        kept = [one.what for section in sections for one in section.outcomes if one.verdict == "met"]
        sys.stdout.write("".join(f"not spoilt: {what}\n" for what in kept))
        return int(bool(kept) or any(section.broke for section in sections))
    return int(any(section.broke for section in sections))


def _section(name: str, wish: Wish) -> Section:
    """One benchmark; one that breaks costs the others nothing."""
    module = _ALL[name]
    sys.stdout.write(f"{name}\n")
    outcomes: list[Outcome] = []
    broke = ""
    began = time.monotonic()
    try:
        for outcome in module.measure(wish):
            outcomes.append(outcome)
            sys.stdout.write(f"  {outcome.line()}\n")
            sys.stdout.flush()
    except Exception as error:
        traceback.print_exc()
        broke = f"{type(error).__name__}: {error}".splitlines()[0]
    about = (module.__doc__ or "").strip()
    return Section(name, about, module.SPOILT, outcomes, time.monotonic() - began, broke)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("names", nargs="*", choices=[[], *_ALL], metavar="NAME", help=f"of {', '.join(_ALL)}")
    parser.add_argument("--spoil", action="store_true", help="make it worse on purpose, to see it come out bad")
    parser.add_argument("--scale", type=float, default=1.0, help="a share of the large catalogues, to be done sooner")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
