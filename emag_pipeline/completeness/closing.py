"""The closing step: the head of the listing once more, and its tail.

A listing that puts the offer last changed first takes offers out of the part that is still to be read and puts them
where the scan has been. They stand before the offers that were seen there, so the head is read until a page ends with
one that was known.
"""

from emag_pipeline.completeness.reads import Read, Window, anchors_for, reaching

#: Pages of one reading of the head.
_MOST_PAGES = 10


class Closing:
    """Hands out the reads of the closing step, one at a time."""

    def __init__(self) -> None:
        #: how often the head or the tail was read to its end
        self.times = 0
        #: the position behind the listing's last row, as its tail showed it last; None where that page was no last one
        self.ends_at: int | None = None
        self._under_way: Read | None = None
        self._page = self._pages = self._tail = 0
        self._is_at_tail = False

    def take(self, size: int, end: int, *, tail: bool) -> Read | None:
        """The next read; None while one is under way. `end`: of what was read. `tail`: it is due, and not the head."""
        if self._under_way is not None:
            return None
        self._is_at_tail = tail
        if tail:
            self._tail = max(self._tail, end)
            self._under_way = reaching(max(0, self._tail - anchors_for(size)), size)
        else:
            self._page += 1
            self._under_way = Read(self._page, size)
        return self._under_way

    def has(self, read: Read) -> bool:
        """Whether it asked for this and was not told yet."""
        return read == self._under_way

    def answered(self, window: Window, *, ends_known: bool) -> bool:
        """What it showed; `ends_known`: the last row was seen before. Returns whether no more needs to be read."""
        self._under_way = None
        self._tail = max(self._tail, window.stop)
        if self._is_at_tail:
            self.ends_at = window.stop if window.ids and window.is_short else None
        self._pages += 1
        if not ends_known and self._pages < _MOST_PAGES:
            return False
        self._end()
        return True

    def failed(self) -> None:
        """The read failed: the step goes without it."""
        self._under_way = None
        self._end()

    def _end(self) -> None:
        self.times += 1
        self._page = self._pages = 0
