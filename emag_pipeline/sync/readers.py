"""Concurrent calls: as many under way as latency and the allowed rate ask for, and never more held in memory."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from math import ceil
from typing import TypeVar

from emag_pipeline.errors import ApiUnavailable, RequestRefused
from emag_pipeline.logs import with_context

Item = TypeVar("Item")
Result = TypeVar("Result")

#: A read that fails, or that is refused while others are answered: which status goes with what is not documented.
ReadFailure = ApiUnavailable | RequestRefused

_FEWEST, _MOST = 3, 32
#: Answers that may wait to be taken; more mean that storing, not reading, takes the time.
_WAITING = 2


def calls_under_way(latency_seconds: float, calls_per_second: float) -> int:
    """How many calls must be under way to use the whole rate: Little's law, one waiting, one being stored."""
    return min(_MOST, max(_FEWEST, ceil(latency_seconds * calls_per_second) + 2))


class CallWindow:
    """How many calls may be under way: no more than `needed` says, and no more than their answers are taken.

    It grows by two with each answer, and is halved when answers pile up: a page that waits is memory.
    """

    def __init__(self, needed: Callable[[], int]) -> None:
        self._needed = needed
        self.size = min(_FEWEST, needed())

    def note_taken(self, waiting: int) -> None:
        """An answer is about to be used while so many others wait."""
        if waiting > _WAITING:
            self.size = max(_FEWEST, self.size // 2)
        else:
            self.size = min(self.size + 2, self._needed())


class Readers:
    """Threads that call the marketplace. `needed` is asked with each answer how many calls should be under way."""

    def __init__(self, needed: Callable[[], int]) -> None:
        self._needed = needed
        self._threads = ThreadPoolExecutor(_MOST, thread_name_prefix="reader")

    def each(self, items: Iterable[Item], call: Callable[[Item], Result]) -> Iterator[tuple[Item, Result]]:
        """Call for each item; otherwise as `as_taken`."""
        waiting = iter(items)
        return self.as_taken(lambda: next(waiting, None), call)

    def as_taken(
        self, take: Callable[[], Item | None], call: Callable[[Item], Result]
    ) -> Iterator[tuple[Item, Result]]:
        """Call for what `take` gives; yields item and result as they come, in any order.

        `take` is asked again after each result was used, so a result may bring more to do; it ends when `take` gives
        None while nothing is under way. At most a window of results exists at once: the next call starts when one was
        taken. The first failure is raised, and nothing more is started.
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
        """Start nothing more and wait for what is under way; abort the client first, or this waits for answers."""
        self._threads.shutdown(wait=True, cancel_futures=True)
