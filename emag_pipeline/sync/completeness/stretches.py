"""The stretches of a chain: parts read in smaller pages because a page failed, or across a border that no page crosses.

One stretch is read at a time, while no other read is in progress. If pages fail twice although all of their parts
succeed, they are too large, and the chain continues with smaller ones.
"""

from array import array
from collections import deque
from collections.abc import Iterator, Sequence

from emag_pipeline.sync.completeness.reads import UNREADABLE, Read, Window, parts

# A stretch of the listing in plain reads, which get smaller around unreadable positions.
#
# Plain reads share no offers, so an offer could be missed at a border between two of them. A stretch is therefore read
# until two passes in a row show the same rows and fail at the same positions; after `MOST_PASSES` the rows of the last
# pass are used, and the stretch is marked as united from several.

#: The page sizes that are tried when a page fails, largest first.
SIZES = (100, 50, 20, 10, 5, 1)
MOST_PASSES = 4


def smaller(size: int) -> int:
    """The next smaller page size; `size` is above 1."""
    return next(one for one in SIZES if one < size)


def usual(size: int) -> int:
    """The largest usual page size that is at most `size`."""
    return next(one for one in SIZES if one <= size)


class Stretch:
    """The positions from `first` up to `stop`. Hands out reads and takes their results."""

    def __init__(self, first: int, stop: int, size: int, *, narrowed: bool = False) -> None:
        """`narrowed`: it is read because a larger page failed."""
        self.first, self.stop = first, stop
        #: the rows of the last pass, once the stretch is finished
        self.ids: list[int] | None = None
        #: the passes did not agree with each other
        self.is_united = False
        #: some pass met an unreadable position; the offer that breaks pages may have moved out of the stretch since
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
        """The largest page size that has not failed in this stretch."""
        return self._largest

    def take(self) -> Read | None:
        """The next read; None while responses are outstanding."""
        return self._waiting.popleft() if self._waiting else None

    def has(self, read: Read) -> bool:
        """Whether it is waiting for this read."""
        return read in self._plan and read not in self._shown and read not in self._waiting

    def answered(self, read: Read, ids: Sequence[int]) -> None:
        """The read showed these rows."""
        self._shown[read] = list(ids)
        self._end_pass()

    def failed(self, read: Read) -> None:
        """The read failed, although the marketplace responds to others."""
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
            if len(shown) < read.size:  # the end of the listing; rows after it have arrived meanwhile
                break
        return rows


#: After this many pages failed although all of their parts succeeded, pages of their size are too large.
_LUCK = 2


class Stretches:
    """Hands out the reads of a chain's stretches. `size`: the largest page size."""

    def __init__(self, size: int) -> None:
        #: the largest page size that works
        self.size = size
        #: number of stretches begun, and of those whose passes did not agree
        self.begun = self.united = 0
        #: number of distinct unreadable positions
        self.unreadable = 0
        self._unreadable: set[tuple[int, int]] = set()
        self._now: Stretch | None = None
        self._failed: list[Read] = []
        self._luck = 0
        self._newest = 0

    @property
    def are_due(self) -> bool:
        """Whether one is being read or is waiting."""
        return self._now is not None or bool(self._failed)

    def add(self, read: Read, *, is_slow: bool) -> None:
        """The read failed, although the marketplace responds to others. `is_slow`: its size may be the cause."""
        if is_slow:
            self._luck = _LUCK
        self._failed.append(read)

    def open(self, first: int, stop: int) -> None:
        """Begin a stretch that no single page shows."""
        self._begin(Stretch(first, stop, self.size))

    def take(self, *, is_quiet: bool) -> Read | None:
        """The next read; None while responses are outstanding. `is_quiet`: the chain has no other read in progress."""
        while self._now is None and self._failed and is_quiet:
            failed = self._failed.pop()
            if failed.size <= self.size:
                size = smaller(failed.size) if failed.size > 1 else 1
                self._begin(Stretch(failed.first, failed.stop, size, narrowed=True))
        return self._now.take() if self._now is not None else None

    def has(self, read: Read) -> bool:
        """Whether it is waiting for this read."""
        return self._now is not None and self._now.has(read)

    def answered(self, read: Read, window: Window) -> Window | None:
        """The read showed this window. Returns the whole stretch as one window once it is finished."""
        self._newest = window.number
        if self._now is not None:
            self._now.answered(read, window.ids)
        return self._closed()

    def failed(self, read: Read) -> Window | None:
        """The read failed; otherwise like `answered`."""
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
        """Count new unreadable rows.

        Two stretches may contain the same one: at the same position or, if the listing has moved, next to the same
        offers. In doubt it counts as the same: a row counted twice would hide an unseen offer from the count.
        """
        for place, one in enumerate(ids):
            if one == UNREADABLE:
                known_by = set(_names(first, ids, place))
                self.unreadable += known_by.isdisjoint(self._unreadable)
                self._unreadable |= known_by


def _names(first: int, ids: Sequence[int], place: int) -> Iterator[tuple[int, int]]:
    """How an unreadable row can be recognised: by its position, and by its distance to the nearest offers."""
    yield 0, first + place
    for way in (-1, 1):
        at = place + way
        while 0 <= at < len(ids) and ids[at] <= 0:
            at += way
        if 0 <= at < len(ids):
            yield ids[at], place - at
