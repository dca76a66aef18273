"""Concurrent calls: as many as latency and the allowed rate require, with a bounded number of results in memory."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from math import ceil
from typing import TypeVar

from emag_pipeline.errors import ApiUnavailable, RequestRefused
from emag_pipeline.logs import with_context

Item = TypeVar("Item")
Result = TypeVar("Result")

#: A failed or refused read; either may concern a single page only, since the meaning of the statuses is undocumented.
ReadFailure = ApiUnavailable | RequestRefused

_FEWEST, _MOST = 3, 32
#: Results that may wait to be used; more mean that storing is the bottleneck, not reading.
_WAITING = 2


def calls_under_way(latency_seconds: float, calls_per_second: float) -> int:
    """Concurrent calls needed to use the full rate: Little's law, plus one waiting and one being stored."""
    return min(_MOST, max(_FEWEST, ceil(latency_seconds * calls_per_second) + 2))


class CallWindow:
    """The number of concurrent calls: at most `needed()`, and fewer if results are used too slowly.

    It grows by two with each result, and is halved when results pile up, to save memory.
    """

    def __init__(self, needed: Callable[[], int]) -> None:
        self._needed = needed
        self.size = min(_FEWEST, needed())

    def note_taken(self, waiting: int) -> None:
        """A result is about to be used while `waiting` others wait."""
        if waiting > _WAITING:
            self.size = max(_FEWEST, self.size // 2)
        else:
            self.size = min(self.size + 2, self._needed())


class Readers:
    """Threads that call the marketplace. `needed` returns how many concurrent calls are useful; called per result."""

    def __init__(self, needed: Callable[[], int]) -> None:
        self._needed = needed
        self._threads = ThreadPoolExecutor(_MOST, thread_name_prefix="reader")

    def each(self, items: Iterable[Item], call: Callable[[Item], Result]) -> Iterator[tuple[Item, Result]]:
        """Call for each item; otherwise like `as_taken`."""
        waiting = iter(items)
        return self.as_taken(lambda: next(waiting, None), call)

    def as_taken(
        self, take: Callable[[], Item | None], call: Callable[[Item], Result]
    ) -> Iterator[tuple[Item, Result]]:
        """Call for each item that `take` returns; yields items with results as they arrive, in any order.

        `take` is called again after each result was used, so a result may add work. Ends when `take` returns None while
        no call is in progress. The number of results in memory is limited: the next call starts when a result is
        taken. The first failure is raised, and no more calls are started.
        """
        tell_alike = with_context(call)
        window = CallWindow(self._needed)
        under_way: dict[Future[Result], Item] = {}
        while True:
            while len(under_way) < window.size and (item := take()) is not None:
                under_way[self._threads.submit(tell_alike, item)] = item
            if not under_way:
                return
            done, _ = wait(under_way, return_when=FIRST_COMPLETED)
            window.note_taken(waiting=len(done) - 1)
            future = done.pop()
            yield under_way.pop(future), future.result()

    def close(self) -> None:
        """Start no more calls and wait for those in progress; abort the client first, or this waits for responses."""
        self._threads.shutdown(wait=True, cancel_futures=True)
