"""Peak memory of the run of a whole sync, first publish, at 10,000 and at 100,000 offers.

The kernel's own high-water mark of the run's process (VmHWM), read while it lives.
"""

from collections.abc import Iterator

from benchmarks import processes
from benchmarks.report import Aim, Outcome
from benchmarks.spoiling import burdened
from benchmarks.surroundings import fresh_database, rate, unlimited_sandbox, variables
from benchmarks.wish import Wish

NAME = "memory"
SPOILT = "the run with more offers holds 200 MiB from its beginning."

_SMALL, _LARGE = 10_000, 100_000


def measure(wish: Wish) -> Iterator[Outcome]:
    """The larger catalogue's peak, and as a multiple of the smaller one's."""
    few, many = wish.of(_SMALL), wish.of(_LARGE)
    small, large = _peak(few), _peak(many, mebibytes=200 if wish.spoil else 0)
    details = f"{small:.0f} MiB at {few:,} offers, {large:.0f} MiB at {many:,}"
    yield Outcome(f"peak of the run at {many:,} offers, MiB", large, Aim("≤", 250), details)
    yield Outcome(f"the same as a multiple of {few:,} offers", large / small, Aim("≤", 1.1), details)


def _peak(offers: int, *, mebibytes: int = 0) -> float:
    with fresh_database() as fresh, unlimited_sandbox(offers) as market:
        given = variables(market, **rate(100))
        if mebibytes:
            given = burdened(given, fresh.home, mebibytes=mebibytes)
        return processes.sync(fresh, market, given).peak_mebibytes
