"""A whole `emag-pipeline sync` as a person has it: its CPU, and its time around the scan.

At the marketplace's real limits, in a database that another account's sync has set up. CPU of the run's process, of the
command that started it, and of PostgreSQL, told apart. The scan lasts from its first call to its last.
"""

from collections.abc import Iterator

from benchmarks import processes
from benchmarks.processes import Used
from benchmarks.report import Aim, Outcome
from benchmarks.spoiling import burdened
from benchmarks.surroundings import fresh_database, sandbox, variables
from benchmarks.wish import Wish

NAME = "command"
SPOILT = "the run burns 5 CPU-seconds and sleeps 5 seconds before it begins."

_OFFERS, _FEW = 2_000, 10


def measure(wish: Wish) -> Iterator[Outcome]:
    """A small account and one of 2,000 offers, each unchanged since the sync before."""
    with fresh_database() as fresh, sandbox(_OFFERS, _FEW) as market:
        given = variables(market)
        first = processes.sync(fresh, market, given, "warm")
        if wish.spoil:
            given = burdened(given, fresh.home, cpu=5, seconds=5)
        few = processes.sync(fresh, market, given, "warm")
        created = processes.sync(fresh, market, given)
        again = processes.sync(fresh, market, given)
    yield Outcome(f"CPU-seconds of a sync beyond its rows ({_FEW} offers, unchanged)", few.cpu, Aim("≤", 3), few.told())
    yield Outcome(f"CPU-seconds of a sync of {_OFFERS:,} offers, unchanged", again.cpu, None, again.told())
    yield Outcome(f"CPU-seconds of its first publish, {_OFFERS:,} offers", created.cpu, None, created.told())
    yield Outcome(
        "CPU-seconds of the very first sync of a database", first.cpu, None, f"{first.told()}; sets up Dagster's tables"
    )
    yield _around(f"seconds around the scan, {_OFFERS:,} offers unchanged", again)
    yield _around(f"seconds around the scan, first publish of {_OFFERS:,}", created)


def _around(what: str, used: Used) -> Outcome:
    scan = used.seconds - used.around_seconds
    details = f"{used.seconds:.1f} s in all, {scan:.1f} s of them {used.calls} calls"
    return Outcome(what, used.around_seconds, Aim("≤", 3), details)
