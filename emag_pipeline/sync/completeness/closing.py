"""The closing step: the head of the listing once more, and its tail.

A listing that puts the offer last changed first takes offers out of the part that is still to be read and puts them
where the scan has been. They stand before the offers that were seen there, so the head is read until a page ends with
one that was known. A page that fails is read in smaller ones; where the head cannot be read all the same, the step was
not done, and the scan has to do without it.
"""

from emag_pipeline.sync.completeness.reads import Read, Window, anchors_for, behind, reaching
from emag_pipeline.sync.completeness.stretches import smaller

#: Pages of one reading of the head.
_MOST_PAGES = 10
#: Reads of one look that may fail. A single position that cannot be read costs up to fifteen.
_MOST_FAILURES = 20


class Closing:
    """Hands out the reads of the closing step, one at a time."""

    def __init__(self) -> None:
        #: how often the head or the tail was read to its end
        self.times = 0
        #: how often either was looked for, also in vain
        self.looks = 0
        #: the head was not read up to a known offer, when it was due last
        self.is_missed = False
        #: positions of the head that no page showed then
        self.unreadable = 0
        #: the position behind the listing's last row, as its tail showed it last; None where that page was no last one
        self.ends_at: int | None = None
        self._under_way: Read | None = None
        self._size = self._narrowed = self._place = self._skipped = self._failures = self._tail = 0
        self._is_at_tail = False

    def take(self, size: int, end: int, *, tail: bool) -> Read | None:
        """The next read; None while one is under way. `end`: of what was read. `tail`: it is due, and not the head."""
        if self._under_way is not None:
            return None
        self._is_at_tail, self._size = tail, size
        size = self._narrowed or size
        if tail:
            self._tail = max(self._tail, end)
            self._under_way = reaching(max(0, self._tail - anchors_for(size)), size)
        else:
            self._under_way = behind(self._place, size)
        return self._under_way

    def has(self, read: Read) -> bool:
        """Whether it asked for this and was not told yet."""
        return read == self._under_way

    def answered(self, window: Window, *, ends_known: bool) -> bool:
        """What it showed; `ends_known`: the last row was seen before. Returns whether no more needs to be read."""
        self._under_way = None
        self._narrowed = 0
        self._tail = max(self._tail, window.stop)
        if self._is_at_tail:
            self.ends_at = window.stop if window.ids and window.is_short else None
            return self._end(is_done=True)
        self._place = window.read.stop
        if ends_known and (self._place >= self._size or window.is_short):
            return self._end(is_done=True)
        return self._place >= _MOST_PAGES * self._size and self._end(is_done=False)

    def failed(self) -> bool:
        """The read failed, while the marketplace answers others. Returns whether the look is given up."""
        read, self._under_way = self._under_way, None
        self._failures += 1
        if read is not None and read.size > 1 and self._failures < _MOST_FAILURES:
            self._narrowed = smaller(read.size)
            return False
        if self._is_at_tail or self._failures >= _MOST_FAILURES:
            self.ends_at = None
            return self._end(is_done=False)
        self._narrowed = 0
        self._place += 1
        self._skipped += 1
        return False

    def _end(self, *, is_done: bool) -> bool:
        self.looks += 1
        self.times += is_done
        if not self._is_at_tail:
            self.is_missed, self.unreadable = not is_done, self._skipped
        self._place = self._skipped = self._narrowed = self._failures = 0
        return True
