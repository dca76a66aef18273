"""What a scan reads next: windows of the listing by position, their page sizes, and what follows when one fails.

A listing has positions from 0 on; page p of size s shows positions (p-1)·s to p·s-1. A window is the part of one such
page that no other window accounts for, so a scan may change the size of its pages and still read every position once.

A page that fails is read in smaller ones. If none of its halves answers, or if the page was too slow and all of its
parts answer, the size itself is too large and the smaller one is used from then on. If some part fails for good down to
a single position, the fault is local: that position is given up, and the size before is used again.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from emag_pipeline.errors import PageBoundExceeded

#: EMAG_SYNC_MAX_PAGES counts pages of so many offers, whatever the size that a scan reads them with.
OFFERS_A_PAGE = 100
#: The sizes that are tried when a page fails, largest first.
SIZES = (100, 50, 20, 10, 5, 1)
#: A page that failed though all of its parts answered may have been bad luck once, not twice.
_LUCK = 2
_PART_TRIES = 2


def bounded(account: str, offers: int, max_pages: int) -> int:
    """Pages of 100 offers that a catalogue has.

    Raises PageBoundExceeded when they are more than EMAG_SYNC_MAX_PAGES; nothing has been read then.
    """
    pages = -(-offers // OFFERS_A_PAGE)
    if pages > max_pages:
        enough = pages + max(5, pages // 20)  # some air for growth, or the next week brings the same error
        raise PageBoundExceeded(
            f"the catalogue has {offers:,} offers = {pages:,} pages, EMAG_SYNC_MAX_PAGES is {max_pages:,}",
            where=account,
            why="nothing was read",
            remedy=f"Set it to {enough} or more",
        )
    return pages


def smaller(size: int) -> int:
    """The next smaller page size. Raises StopIteration for 1."""
    return next(one for one in SIZES if one < size)


def larger(size: int, most: int) -> int:
    """The next larger page size, at most `most`."""
    return min(most, next((one for one in reversed(SIZES) if one > size), most))


@dataclass(frozen=True, slots=True)
class Window:
    """Positions `first` up to `stop`, read from one page of `size` offers."""

    first: int
    stop: int
    size: int
    #: behind the end of the listing, where nothing should be
    is_behind: bool = False
    #: of a window that failed
    is_part: bool = False

    @property
    def tries(self) -> int | None:
        """How often to ask for it, if less often than usual: a part that fails is narrowed down further anyway."""
        return _PART_TRIES if self.is_part and self.size > 1 else None

    @property
    def page(self) -> int:
        """The page to ask for, from 1 on."""
        return self.first // self.size + 1

    @property
    def part(self) -> range:
        """The rows of that page which belong to the window, from 0 on."""
        start = (self.page - 1) * self.size
        return range(self.first - start, self.stop - start)


@dataclass(slots=True)
class _Split:
    """A window that failed and is read in parts."""

    window: Window
    above: "_Split | None"
    is_slow: bool
    parts: int
    open_parts: int
    failed_parts: int = 0
    unreadable: int = 0

    @property
    def root(self) -> "_Split":
        return self if self.above is None else self.above.root


class ScanPlan:
    """Hands out the windows of one reading of a listing, and learns from what became of them."""

    def __init__(self, offers: int, size: int, durable: Iterable[range] = ()) -> None:
        """Plan for a listing of so many offers. `durable` are the positions that need not be read again."""
        #: the page size of the next window that is not a part of a failed one
        self.size = size
        #: the size that has proven itself; `size` is smaller while a failed page is being looked into
        self.settled_size = size
        #: hand out one window at a time
        self.is_cautious = False
        self._waiting: deque[tuple[Window, _Split | None]] = deque()
        self._under_way: dict[Window, _Split | None] = {}
        self._done = 0
        self._next = 0
        self._end = offers
        self._is_behind_planned = False
        self._luck: dict[int, int] = {}
        self._wanted: dict[int, int] = {}
        for positions in sorted(durable, key=lambda one: one.start):
            self._done += 1
            self._fill(self._next, positions.start)
            self._next = max(self._next, positions.stop)

    @property
    def pages(self) -> int:
        """How many windows there will be, as far as can be seen now; the one behind the end does not count."""
        left = max(0, self._end - self._next)
        under_way = sum(not window.is_behind for window in self._under_way)
        waiting = sum(not window.is_behind for window, _ in self._waiting)
        return self._done + under_way + waiting + -(-(left + self._next % self.size if left else 0) // self.size)

    def take(self) -> Window | None:
        """The next window to read; None when there is none now: what is under way may bring more."""
        if self.is_cautious and self._under_way:
            return None
        if self._waiting:
            window, split = self._waiting.popleft()
        elif (planned := self._planned()) is not None:
            window, split = planned, None
        else:
            return None
        self._under_way[window] = split
        return window

    def answered(self, window: Window) -> None:
        """The window was read."""
        split = self._under_way.pop(window)
        self._done += not window.is_behind
        if split is not None:
            self._close_part(split, unreadable=0)

    def narrow(self, window: Window, *, is_slow: bool) -> None:
        """The window's page failed: read it in smaller ones. Its size is above 1.

        `is_slow`: the answer took too long or was cut off, so that its size may be why.
        """
        above = self._under_way.pop(window)
        parts = [replace(part, is_part=True) for part in _parts(window, smaller(window.size))]
        if window.is_behind:  # one row there says as much as many
            self._waiting.appendleft((parts[0], None))
            return
        split = _Split(window, above, is_slow, len(parts), len(parts))
        self._waiting.extendleft((part, split) for part in reversed(parts))
        if above is not None:
            above.failed_parts += 1
            if above.failed_parts == above.parts > 1:
                self._lower_for_now(split.root, smaller(window.size))

    def give_up(self, window: Window) -> None:
        """The window's single position is unreadable."""
        split = self._under_way.pop(window)
        self._done += 1
        if split is not None:
            self._close_part(split, unreadable=1)

    def _planned(self) -> Window | None:
        if self._next < self._end:
            first = self._next
            self._next = (first // self.size + 1) * self.size
            return Window(first, self._next, self.size)
        if self._is_behind_planned:
            return None
        self._is_behind_planned = True
        return Window(self._next, (self._next // self.size + 1) * self.size, self.size, is_behind=True)

    def _fill(self, first: int, stop: int) -> None:
        """Read a gap between durable windows with pages that fit into it: a larger one may have failed there."""
        if first < stop:
            size = next((one for one in SIZES if one <= min(self.size, stop - first)), 1)
            whole = Window(first, stop, size)
            self._waiting.extend((part, None) for part in _parts(whole, size))

    def _close_part(self, split: _Split, unreadable: int) -> None:
        split.open_parts -= 1
        split.unreadable += unreadable
        if split.open_parts == 0:
            if split.above is not None:
                self._close_part(split.above, split.unreadable)
            else:
                self._judge(split)

    def _lower_for_now(self, root: _Split, size: int) -> None:
        self._wanted[id(root)] = size
        self.size = min(self.size, size)

    def _judge(self, root: _Split) -> None:
        """All parts of a failed page are accounted for: was its size the fault, or something in it?"""
        wanted = self._wanted.pop(id(root), None)
        size = root.window.size
        if not root.unreadable:
            self._luck[size] = self._luck.get(size, 0) + 1
            if wanted is None and (root.is_slow or self._luck[size] >= _LUCK):
                wanted = smaller(size)
            if wanted is not None:
                self.settled_size = min(self.settled_size, wanted)
        self.size = min([self.settled_size, *self._wanted.values()])


def _parts(window: Window, size: int) -> Iterator[Window]:
    """The window in pages of another size, cut to its positions."""
    first = window.first
    while first < window.stop:
        stop = min((first // size + 1) * size, window.stop)
        yield Window(first, stop, size, window.is_behind)
        first = stop
