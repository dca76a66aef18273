"""A stretch of the listing in plain reads, narrowed down around what cannot be read.

Plain reads share no offers, so nothing shows whether one slipped past a border between two of them. A stretch is
therefore read until two readings in a row show the same rows and fail at the same positions; after `MOST_PASSES` it is
given as the last reading showed it, and said to be united from all of them.
"""

from collections import deque
from collections.abc import Sequence

from emag_pipeline.completeness.reads import UNREADABLE, Read, parts

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
