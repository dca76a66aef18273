"""When a call may leave: one slot of the rate budget for each, taken in the order in which threads asked.

A call that leaves late squeezes the calls behind it: three on time and a late one before them could arrive within a
second (docs/marketplace-api.md, "Rate limits"). So a slot that was overslept is not used; the next one is taken. And
a call that was held up between its slot and the wire (a busy machine) holds up those behind it: the next one, nearly
by a pace, and the one with which a second would be too full.
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

#: How late a call may leave; `rate_limit.SAFETY_MARGIN` has room for a little more.
LATEST_SECONDS = 0.025


#: How much closer than the pace two sends may follow each other: what one call lost, the next ones make up for.
_SQUEEZE = 0.97
#: How much of the room that an even pace leaves in a second stays there for what happens on the way.
_KEPT_MARGIN = 0.6


class RateBudget(Protocol):
    """The slots of each login (`Account.login`), for all who share it, one every `pace_seconds` or later."""

    pace_seconds: float

    def reserve(self, login: str) -> float:
        """Take the login's next slot. Returns the seconds from now until it comes."""
        ...

    def slow_down(self, login: str, wait_seconds: float, sent_seconds_ago: float) -> None:
        """After a 429 to a call that was sent so long ago: no slot for this login before `wait_seconds` are over."""
        ...

    def is_quiet(self, login: str) -> bool:
        """Whether somebody got a 429 whose wait is not over: a slot that was reserved before is not to be used."""
        ...


class ProcessBudget:
    """A rate budget of this process alone, for tests and tools that have no database."""

    def __init__(self, requests_per_second: float, requests_per_minute: float, share: float = 1.0) -> None:
        self.pace_seconds = pace_seconds(requests_per_second, requests_per_minute, share)
        self._lock = threading.Lock()
        self._next: dict[str, float] = {}
        self._quiet_until: dict[str, float] = {}

    def reserve(self, login: str) -> float:
        """Take the login's next slot. Returns the seconds from now until it comes, 0 when it is now."""
        with self._lock:
            now = time.monotonic()
            slot = max(now, self._next.get(login, now))
            self._next[login] = slot + self.pace_seconds
            return slot - now

    def slow_down(self, login: str, wait_seconds: float, sent_seconds_ago: float = 0.0) -> None:
        """Nobody calls with this login for `wait_seconds`."""
        with self._lock:
            quiet_until = time.monotonic() + wait_seconds
            self._next[login] = max(quiet_until, self._next.get(login, quiet_until))
            self._quiet_until[login] = quiet_until

    def is_quiet(self, login: str) -> bool:
        """Whether the wait after a 429 is not over."""
        return time.monotonic() < self._quiet_until.get(login, 0.0)


class Pacer:
    """Lets the calls of one account leave one by one, each in its slot. Thread-safe; `stop` wakes everybody."""

    def __init__(self, budget: RateBudget, login: str) -> None:
        self._budget = budget
        self._login = login
        self._stopped = threading.Event()
        self._queue: deque[threading.Event] = deque()
        self._lock = threading.Lock()
        self._usual_seconds = float("inf")
        #: when the last calls left, as many as a second may hold
        self._sent: deque[float] = deque(maxlen=_calls_a_second(budget.pace_seconds))

    def wait_for_slot(self) -> None:
        """Return at the moment at which a call may leave. Raises CallAborted when stopped."""
        with self._turn():
            while not self._reached(*self._reserve()):
                pass

    def note_sent(self) -> None:
        """A call is on the wire now: the next ones keep their distance from this moment."""
        self._sent.append(time.monotonic())

    def sleep(self, seconds: float) -> None:
        """Wait, as before another try. Raises CallAborted when stopped, at once."""
        if self._stopped.wait(max(0.0, seconds)):
            raise stopped()

    def stop(self) -> None:
        """End all waiting, now and later."""
        self._stopped.set()
        with self._lock:
            for turn in self._queue:
                turn.set()

    def _reserve(self) -> tuple[float, float]:
        """The slot by this process's clock, and by how much the reservation took longer than it usually does."""
        began = time.monotonic()
        wait_seconds = self._budget.reserve(self._login)
        answered = time.monotonic()
        took = answered - began
        # the usual time is a minimum that slowly rises, so that a database that moved away costs no slot for ever
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
        """The moment before which no call may leave, for the sake of those that have left."""
        if not self._sent:
            return float("-inf")
        pace, most = self._budget.pace_seconds, _calls_a_second(self._budget.pace_seconds)
        after_last = self._sent[-1] + pace * _SQUEEZE
        if len(self._sent) < most:
            return after_last
        return max(after_last, self._sent[0] + 1.0 + (most * pace - 1.0) * _KEPT_MARGIN)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """First come, first served: only the first in the queue reserves and waits for a slot."""
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
    """How many calls of this pace a second may hold; one more of them spans more than a second."""
    return max(1, math.ceil(1.0 / pace_seconds))


def stopped() -> CallAborted:
    """The error of every call during and after an abort."""
    return CallAborted("the call was cut off", why="this process is stopping", remedy="The next run resumes")
