"""The stretches of a chain: what to read in smaller pages because a page failed, or over a border that no page crosses.

One stretch is read at a time, when nothing else is under way. Pages that fail twice though all of their parts answer
are too large, and the chain goes on with smaller ones.
"""

from array import array
from collections import deque
from collections.abc import Iterator, Sequence

from emag_pipeline.sync.completeness.reads import UNREADABLE, Read, Window, parts

# A stretch of the listing in plain reads, narrowed down around what cannot be read.
#
# Plain reads share no offers, so nothing shows whether one slipped past a border between two of them. A stretch is
# therefore read until two readings in a row show the same rows and fail at the same positions; after `MOST_PASSES` it
# is given as the last reading showed it, and said to be united from all of them.

#: The sizes that are tried when a page fails, largest first.
SIZES = (100, 50, 20, 10, 5, 1)
MOST_PASSES = 4


def smaller(size: int) -> int:
    """The next smaller page size; `size` is above 1."""
    return next(one for one in SIZES if one < size)


def usual(size: int) -> int:
    """The largest usual page size that is not above this one."""
    return next(one for one in SIZES if one <= size)


class Stretch:
    """The positions `first` up to `stop`. Hands out reads, and is told what became of them."""

    def __init__(self, first: int, stop: int, size: int, *, narrowed: bool = False) -> None:
        """`narrowed`: it is read because a larger page failed."""
        self.first, self.stop = first, stop
        #: rows of the last pass, once it has ended as it should
        self.ids: list[int] | None = None
        #: the passes did not agree with each other: what they showed together is all that is known
        self.is_united = False
        #: in some pass a position could not be read: an offer breaks pages, which may have moved out of it since
        self.was_unreadable = False
        #: some part of it had to be read in smaller pages
        self.narrowed = narrowed
        self._plan = parts(first, stop, size)
        self._waiting: deque[Read] = deque(self._plan)
        self._shown: dict[Read, Sequence[int]] = {}
        self._largest = size
        self._before: list[int] | None = None
        self._passes = 0

    @property
    def largest(self) -> int:
        """The size of the largest pages that it has not found to fail."""
        return self._largest

    def take(self) -> Read | None:
        """The next read; None while answers are outstanding."""
        return self._waiting.popleft() if self._waiting else None

    def has(self, read: Read) -> bool:
        """Whether it asked for this and was not told yet."""
        return read in self._plan and read not in self._shown and read not in self._waiting

    def answered(self, read: Read, ids: Sequence[int]) -> None:
        """The read showed these rows."""
        self._shown[read] = list(ids)
        self._end_pass()

    def failed(self, read: Read) -> None:
        """The read failed, while the marketplace answers others."""
        if read.size == 1:
            self.was_unreadable = True
            self._shown[read] = [UNREADABLE]
            self._end_pass()
            return
        self.narrowed = True
        self._largest = min(self._largest, smaller(read.size))
        narrowed = parts(read.first, read.stop, smaller(read.size))
        at = self._plan.index(read)
        self._plan[at : at + 1] = narrowed
        self._waiting.extendleft(reversed(narrowed))

    def _end_pass(self) -> None:
        if len(self._shown) < len(self._plan):
            return
        rows = self._rows()
        self._passes += 1
        if rows == self._before or self._passes == MOST_PASSES:
            self.is_united = rows != self._before
            self.ids = rows
            return
        self._before = rows
        self._shown.clear()
        self._waiting = deque(self._plan)

    def _rows(self) -> list[int]:
        rows: list[int] = []
        for read in self._plan:
            shown = self._shown[read]
            rows.extend(shown)
            if len(shown) < read.size:  # the end of the listing: what follows shows nothing, or has arrived meanwhile
                break
        return rows


#: A page that failed though all of its parts answered may have been bad luck once, not twice.
_LUCK = 2


class Stretches:
    """Hands out their reads. `size`: the largest page."""

    def __init__(self, size: int) -> None:
        #: the largest page that has not been found to fail
        self.size = size
        #: stretches begun, and those whose readings did not agree
        self.begun = self.united = 0
        #: different positions that no page shows
        self.unreadable = 0
        self._unreadable: set[tuple[int, int]] = set()
        self._now: Stretch | None = None
        self._failed: list[Read] = []
        self._luck = 0
        self._newest = 0

    @property
    def are_due(self) -> bool:
        """Whether one is being read, or is to be."""
        return self._now is not None or bool(self._failed)

    def add(self, read: Read, *, is_slow: bool) -> None:
        """The read failed, while the marketplace answers others. `is_slow`: its size may be why."""
        if is_slow:
            self._luck = _LUCK
        self._failed.append(read)

    def open(self, first: int, stop: int) -> None:
        """Begin a stretch that no single page shows."""
        self._begin(Stretch(first, stop, self.size))

    def take(self, *, is_quiet: bool) -> Read | None:
        """The next read; None while answers are outstanding. `is_quiet`: nothing else of the chain is under way."""
        while self._now is None and self._failed and is_quiet:
            failed = self._failed.pop()
            if failed.size <= self.size:
                size = smaller(failed.size) if failed.size > 1 else 1
                self._begin(Stretch(failed.first, failed.stop, size, narrowed=True))
        return self._now.take() if self._now is not None else None

    def has(self, read: Read) -> bool:
        """Whether it asked for this and was not told yet."""
        return self._now is not None and self._now.has(read)

    def answered(self, read: Read, window: Window) -> Window | None:
        """The read showed these rows. Returns the whole stretch as one window, once it has been read to its end."""
        self._newest = window.number
        if self._now is not None:
            self._now.answered(read, window.ids)
        return self._closed()

    def failed(self, read: Read) -> Window | None:
        """The read failed; otherwise as `answered`."""
        if self._now is not None:
            self._now.failed(read)
        return self._closed()

    def _begin(self, stretch: Stretch) -> None:
        self._now = stretch
        self.begun += 1

    def _closed(self) -> Window | None:
        stretch = self._now
        if stretch is None or stretch.ids is None:
            return None
        self._now = None
        self._note_unreadable(stretch.first, stretch.ids)
        self.united += stretch.is_united
        if not stretch.was_unreadable and stretch.narrowed:
            self._luck += 1
            if self._luck >= _LUCK and stretch.largest < self.size:
                self.size, self._luck = stretch.largest, 0
        is_short = len(stretch.ids) < stretch.stop - stretch.first
        return Window(Read(1, 1), stretch.first, array("q", stretch.ids), self._newest, is_short)

    def _note_unreadable(self, first: int, ids: Sequence[int]) -> None:
        """Two stretches may hold the same one: at its position or, where the listing has moved, beside its neighbours.

        In doubt it is the same: what is counted once too often would hide from the count an offer that was not seen.
        """
        for place, one in enumerate(ids):
            if one == UNREADABLE:
                known_by = set(_names(first, ids, place))
                self.unreadable += known_by.isdisjoint(self._unreadable)
                self._unreadable |= known_by


def _names(first: int, ids: Sequence[int], place: int) -> Iterator[tuple[int, int]]:
    """How an unreadable row may be known again: by its position, and by the nearest offers and how far off they are."""
    yield 0, first + place
    for way in (-1, 1):
        at = place + way
        while 0 <= at < len(ids) and ids[at] <= 0:
            at += way
        if 0 <= at < len(ids):
            yield ids[at], place - at
