"""The marketplace's rate limits, applied exactly: two sliding windows per account.

A request that arrives at t is refused if either window that ends at t is already full: (t - 1 s, t] or (t - 60 s, t].
Refused and invalid requests count like any other (docs/marketplace-api.md, "Rate limits").
"""

from bisect import bisect_right, insort
from dataclasses import dataclass
from threading import Lock

SECOND = 1.0
MINUTE = 60.0
_KEPT = MINUTE + 5.0  # handler threads may report slightly out of order


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request is allowed, and how many more the one-second window allows after it."""

    allowed: bool
    limit: int
    remaining: int


class RateWindows:
    """Counts one account's requests and checks each one. Times are seconds of the monotonic clock."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._arrivals: list[float] = []
        self._start = 0  # entries before it are too old; deleted from time to time
        self.most_in_a_second = 0
        self.most_in_a_minute = 0

    def arrive(self, moment: float, per_second: float, per_minute: float) -> Verdict:
        """Count a request and check it. A limit of 0 or less means no limit."""
        with self._lock:
            insort(self._arrivals, moment, lo=self._start)
            in_second, in_minute = self._counts(moment)
            self._note_records(moment)
            self._forget(self._arrivals[-1] - _KEPT)
        allowed = _within(in_second, per_second) and _within(in_minute, per_minute)
        return Verdict(allowed, int(per_second), max(0, int(per_second) - in_second))

    def forget_records(self) -> None:
        """Reset the two maxima."""
        with self._lock:
            self.most_in_a_second = self.most_in_a_minute = 0

    def _counts(self, moment: float) -> tuple[int, int]:
        upto = bisect_right(self._arrivals, moment, lo=self._start)
        second = upto - bisect_right(self._arrivals, moment - SECOND, lo=self._start)
        return second, upto - bisect_right(self._arrivals, moment - MINUTE, lo=self._start)

    def _note_records(self, moment: float) -> None:
        """Update the maxima: a fullest window ends at this request, or at a later one that was reported before it."""
        place = bisect_right(self._arrivals, moment, lo=self._start) - 1
        for end in self._arrivals[place:]:
            in_second, in_minute = self._counts(end)
            self.most_in_a_second = max(self.most_in_a_second, in_second)
            self.most_in_a_minute = max(self.most_in_a_minute, in_minute)

    def _forget(self, before: float) -> None:
        self._start = bisect_right(self._arrivals, before, lo=self._start)
        if self._start > 1000 and self._start * 2 > len(self._arrivals):
            del self._arrivals[: self._start]
            self._start = 0


def _within(count: int, limit: float) -> bool:
    return limit <= 0 or count <= limit
