"""docs/month.md: what a month was, what was compared, and the number that must be 0."""

from collections.abc import Iterator, Mapping
from statistics import median

from emag_pipeline_tests.month.play import Month
from emag_pipeline_tests.month.reconcile import Reckoning

_HOW = """\
By `make month`: two accounts of the sandbox are synced one to three times a day by the real job while their catalogues
live: sales, deliveries, price moves, arrivals, departures and returns, verdicts of every kind, rows that cannot be
represented. After each sync the job `refresh_marts` runs, and its marts are compared with what the sandbox truly held,
row by row and column by column. At the end all days of the assortment are backfilled from history and compared too, and
so is every past moment. What must be there is worked out in plain Python (`emag_pipeline_tests/month/judge`), without a
rule or a statement of the pipeline."""


def report(
    heading: str,
    month: Month,
    days: int,
    reckoning: Reckoning,
    backfill_seconds: float,
    failed_checks: Mapping[str, int],
) -> Iterator[str]:
    """The report, line by line, as Markdown."""
    yield f"# {heading}"
    yield ""
    yield _HOW
    yield ""
    yield "| what | number |"
    yield "|---|---:|"
    for what, number in _numbers(month, days, backfill_seconds):
        yield f"| {what} | {number} |"
    yield ""
    yield "| compared with the sandbox's truth | rows | differences |"
    yield "|---|---:|---:|"
    on_the_way = month.on_the_way
    for what, rows in (on_the_way.compared + reckoning.compared).items():
        yield f"| {what} | {rows:,} | {on_the_way.differing[what] + reckoning.differing[what]} |"
    if failed_checks:
        yield ""
        yield "| check that found something to look at | times |"
        yield "|---|---:|"
        for name, times in sorted(failed_checks.items()):
            yield f"| `{name}` | {times} |"


def _numbers(month: Month, days: int, backfill_seconds: float) -> Iterator[tuple[str, str]]:
    publishes = month.past.publishes
    offers = {(account, one) for account, past in publishes.items() for publish in past for one in publish.offers}
    yield "days", f"{days}"
    yield "syncs", f"{len(month.sync_seconds)}"
    yield "offers that were ever there", f"{len(offers):,}"
    for account, past in publishes.items():
        yield f"offers of `{account}` at the first and last publish", f"{len(past[0].offers)}, {len(past[-1].offers)}"
    yield "rows kept back in quarantine", f"{month.spoilt}"
    yield "seconds of a sync, median and longest", f"{median(month.sync_seconds):.2f}, {max(month.sync_seconds):.2f}"
    yield "seconds of the marts after it", f"{median(month.mart_seconds):.2f}, {max(month.mart_seconds):.2f}"
    yield "seconds of the backfill of all days", f"{backfill_seconds:.0f}"
