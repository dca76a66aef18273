"""Decides when a call may be sent: each call takes one slot of the rate budget, in the order in which threads asked.

A call that is sent late comes too close to the next ones: together with three calls on time it could exceed the limit
of a second (docs/marketplace-api.md, "Rate limits"). So a missed slot is not used; the next one is taken instead. If a
busy machine delays a call between its slot and sending, the following calls are delayed too: the next one keeps nearly
the full pace, and no second gets more calls than it may hold.
"""

import math
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from emag_pipeline.errors import CallAborted
from emag_pipeline.settings.accounts import pace_seconds

#: How late after its slot a call may be sent; `accounts.SAFETY_MARGIN` allows slightly more.
LATEST_SECONDS = 0.025


#: Smallest distance between two sends as a fraction of the pace, so that calls after a delayed one can catch up.
_SQUEEZE = 0.97
#: Fraction of the spare time per second that is reserved for delays in the network.
_KEPT_MARGIN = 0.6


class RateBudget(Protocol):
    """The slots of each login (`Account.login`), shared by all its users: at most one per `pace_seconds`."""

    pace_seconds: float

    def reserve(self, login: str) -> float:
        """Take the login's next slot. Returns the seconds from now until it comes."""
        ...

    def slow_down(self, login: str, wait_seconds: float, sent_seconds_ago: float) -> None:
        """Give out no slots for this login for `wait_seconds`, after a 429 to a call sent `sent_seconds_ago`."""
        ...

    def is_quiet(self, login: str) -> bool:
        """Whether the wait after a 429 is still running, so that slots reserved earlier must not be used."""
        ...


class ProcessBudget:
    """A rate budget for this process only, for tests and tools without a database."""

    def __init__(self, requests_per_second: float, requests_per_minute: float, share: float = 1.0) -> None:
        self.pace_seconds = pace_seconds(requests_per_second, requests_per_minute, share)
        self._lock = threading.Lock()
        self._next: dict[str, float] = {}
        self._quiet_until: dict[str, float] = {}

    def reserve(self, login: str) -> float:
        """Take the login's next slot. Returns the seconds until it comes, 0 if it is now."""
        with self._lock:
            now = time.monotonic()
            slot = max(now, self._next.get(login, now))
            self._next[login] = slot + self.pace_seconds
            return slot - now

    def slow_down(self, login: str, wait_seconds: float, sent_seconds_ago: float = 0.0) -> None:
        """Give out no slots for this login for `wait_seconds`."""
        with self._lock:
            quiet_until = time.monotonic() + wait_seconds
            self._next[login] = max(quiet_until, self._next.get(login, quiet_until))
            self._quiet_until[login] = quiet_until

    def is_quiet(self, login: str) -> bool:
        """Whether the wait after a 429 is still running."""
        return time.monotonic() < self._quiet_until.get(login, 0.0)


class Pacer:
    """Releases the calls of one account one by one, each in its slot. Thread-safe; `stop` wakes all threads."""

    def __init__(self, budget: RateBudget, login: str) -> None:
        self._budget = budget
        self._login = login
        self._stopped = threading.Event()
        self._queue: deque[threading.Event] = deque()
        self._lock = threading.Lock()
        self._usual_seconds = float("inf")
        #: when the last calls were sent, as many as a second may hold
        self._sent: deque[float] = deque(maxlen=_calls_a_second(budget.pace_seconds))

    def wait_for_slot(self) -> None:
        """Return when a call may be sent. Raises CallAborted when stopped."""
        with self._turn():
            while not self._reached(*self._reserve()):
                pass

    def note_sent(self) -> None:
        """A call was sent now: the next ones keep their distance from this time."""
        self._sent.append(time.monotonic())

    def sleep(self, seconds: float) -> None:
        """Wait, e.g. before a retry. Raises CallAborted as soon as the pacer is stopped."""
        if self._stopped.wait(max(0.0, seconds)):
            raise stopped()

    def stop(self) -> None:
        """End all waiting, now and later."""
        self._stopped.set()
        with self._lock:
            for turn in self._queue:
                turn.set()

    def _reserve(self) -> tuple[float, float]:
        """The slot by this process's clock, and how much longer than usual the reservation took."""
        began = time.monotonic()
        wait_seconds = self._budget.reserve(self._login)
        answered = time.monotonic()
        took = answered - began
        # the usual time is a slowly rising minimum, so that it adapts if the database becomes slower for good
        self._usual_seconds = min(took, self._usual_seconds * 1.1 + 0.001)
        return answered + wait_seconds, took - self._usual_seconds

    def _reached(self, slot: float, delay_seconds: float) -> bool:
        waited_seconds = slot - time.monotonic()
        self.sleep(waited_seconds)
        if waited_seconds > 0 and self._budget.is_quiet(self._login):
            return False
        now = time.monotonic()
        too_soon_by = self._earliest() - now
        if max(now - slot + delay_seconds, too_soon_by) > LATEST_SECONDS:
            return False
        self.sleep(too_soon_by)
        return True

    def _earliest(self) -> float:
        """The earliest time for the next call, given the calls already sent."""
        if not self._sent:
            return float("-inf")
        pace, most = self._budget.pace_seconds, _calls_a_second(self._budget.pace_seconds)
        after_last = self._sent[-1] + pace * _SQUEEZE
        if len(self._sent) < most:
            return after_last
        return max(after_last, self._sent[0] + 1.0 + (most * pace - 1.0) * _KEPT_MARGIN)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """First come, first served: only the first thread in the queue reserves a slot and waits for it."""
        mine = threading.Event()
        with self._lock:
            self._queue.append(mine)
            self._queue[0].set()
        try:
            mine.wait()
            yield
        finally:
            with self._lock:
                self._queue.remove(mine)
                if self._queue:
                    self._queue[0].set()


def _calls_a_second(pace_seconds: float) -> int:
    """The number of calls at this pace that fit into a second."""
    return max(1, math.ceil(1.0 / pace_seconds))


def stopped() -> CallAborted:
    """The error of every call during and after an abort."""
    return CallAborted("the call was aborted", why="this process is stopping", remedy="The next run resumes")
