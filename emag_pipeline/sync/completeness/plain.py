"""Readings of plain pages from the first to the last, each united with other readings.

Plain pages share no offers: an offer is missed at a border if another one departs in front of it at the wrong moment,
and an arrival hides that in the count. Two readings lose an offer only if that happens twice. Plain pages are used if
no chain is possible: page sizes are ignored or too small to overlap, or the listing reorders itself. So all pages have
usual sizes.
"""

from collections import deque
from collections.abc import Sequence

from emag_pipeline.sync.completeness.chain import Chain
from emag_pipeline.sync.completeness.reads import SMALLEST_OF_CHAIN, Read, Window, parts
from emag_pipeline.sync.completeness.runs import overlap
from emag_pipeline.sync.completeness.situation import ChainState, Fault
from emag_pipeline.sync.completeness.stretches import SIZES, smaller, usual

#: After this many repeats of the last page for pages behind it, it is taken to repeat for ever.
_FOR_EVER = 3
#: Fewer equal rows on two pages may be due to movement of the listing.
_FEW = 5
#: A page of which more than this share are rows of the first page counts as a repeat of it.
_ALIKE = 0.9


class Plain:
    """Hands out one reading's pages of at most `size` rows. `offers`: as counted; `most`: the last position."""

    def __init__(self, offers: int, size: int, most: int) -> None:
        size = usual(size)
        self.is_done = False
        #: behind the last page only the last page was repeated
        self.repeats = False
        #: faults with their positions; a fault that two readings agree on is persistent
        self.faults: dict[Fault, set[int]] = {}
        self.unreadable = 0
        #: number of offers that this reading was the first to show
        self.new = 0
        self._size, self._offers, self._most = size, offers, most
        self._page = 1
        self._parts: deque[Read] = deque()
        self._under_way: set[Read] = set()
        self._shorts: set[int] = set()
        self._empties: set[int] = set()
        self._last_shown = 0
        self._known_pages: dict[int, int] = {}
        self._last_ids: Sequence[int] = ()
        self._last_first = -1
        self._first_ids: set[int] = set()
        self._again = 0
        #: the position after which nothing is expected
        self._ends_at: int | None = None
        #: reads staged by an earlier attempt
        self._durable: set[Read] = set()

    def take(self) -> Read | None:
        """The next page; None while responses have to be awaited, and once the reading is done."""
        while not self.is_done and (read := self._next()) is not None:
            if read not in self._durable:
                self._under_way.add(read)
                return read
        return None

    def _next(self) -> Read | None:
        if self._parts:
            return self._parts.popleft()
        page = Read(self._page, self._size)
        if self._ends_at is not None:
            is_due = page.first < self._ends_at
            # the end was seen, but reads before it may still be in progress, or be repeated in smaller pages
            self.is_done = not is_due and not any(one.first < self._ends_at for one in self._under_way)
        else:
            is_due = page.stop < self._offers + self._size or not self._under_way
        self._page += is_due
        return page if is_due else None

    def has(self, read: Read) -> bool:
        """Whether it is waiting for this read."""
        return read in self._under_way

    def resume(self, window: Window, new: int) -> None:
        """Take over a window staged by an earlier attempt; it is not read again."""
        self._durable.add(window.read)
        self.answered(window.read, window, new)

    def answered(self, read: Read, window: Window, new: int) -> None:
        """The page showed this window, with `new` offers that were not known before."""
        self._under_way.discard(read)
        self.new += new
        repeats = self._repeats_last(read, window)
        if window.ids and not repeats:
            self._look_at(read, window, new)
        if window.ids and read.first >= self._last_first:
            self._last_first, self._last_ids = read.first, window.ids
        if window.is_short and not repeats:
            (self._shorts if window.ids else self._empties).add(window.stop)
        if read.first >= self._offers and self._is_behind(window, repeats=repeats):
            self._ends_at = min(read.first, self._ends_at or read.first)
        if read.first > self._most:
            self._note(Fault.ENDLESS, read.first)
            self.is_done = True

    def failed(self, read: Read) -> None:
        """The page failed, although the marketplace responds to others."""
        self._under_way.discard(read)
        if read.size > 1:
            self._parts.extendleft(reversed(parts(read.first, read.stop, smaller(read.size), SIZES)))
        else:
            self.unreadable += 1

    @property
    def shown_to(self) -> int:
        """The position after the last row that it showed."""
        return self._last_shown

    @property
    def ends_short(self) -> bool:
        """Whether the last page with rows was not full, a sign that the listing ended there.

        Pages of one row are always full.
        """
        return self._size == 1 or self._last_shown == 0 or self._last_shown in self._shorts

    def broken(self) -> dict[Fault, set[int]]:
        """The faults of a finished reading, with their positions."""
        for fault, places in ((Fault.SHORT_PAGE, self._shorts), (Fault.EMPTY_PAGE, self._empties)):
            for place in places:
                if place < self._last_shown:
                    self._note(fault, place)
        return self.faults

    def _is_behind(self, window: Window, *, repeats: bool) -> bool:
        if not window.ids:
            return True
        self._again = self._again + 1 if repeats else 0
        self.repeats = self._again >= _FOR_EVER
        return self.repeats

    def _repeats_last(self, read: Read, window: Window) -> bool:
        """Whether a page behind the end repeats the previous page, apart from movement."""
        if read.first < self._offers or read.first <= self._last_first:
            return False
        shared = overlap(self._last_ids, window.ids)
        return shared is not None and 2 * shared.anchors > max(len(self._last_ids), len(window.ids))

    def _look_at(self, read: Read, window: Window, new: int) -> None:
        self._last_shown = max(self._last_shown, window.stop)
        other = self._known_pages.setdefault(hash(tuple(window.ids)), read.first)
        if read.first == 0:
            self._first_ids = set(window.ids)
        elif len(self._first_ids.intersection(window.ids)) > _ALIKE * len(window.ids):
            other = 0  # apart from movement
        if other != read.first and read.first < self._offers and len(window.ids) >= _FEW:
            fault = Fault.IGNORED_PAGE if 0 in (other, read.first) else Fault.REPEATED_PAGE
            self._note(fault, read.first)
            self._note(fault, other)  # it is unknown which of the two is wrong

    def _note(self, fault: Fault, place: int) -> None:
        self.faults.setdefault(fault, set()).add(place)


# The readings of plain pages, used if a chain of windows proves too little; all of them are united.

#: Maximum of readings of all pages, including the chain.
MOST_READINGS = 4
#: More new offers than this, and than one in ten of those seen, cannot be explained by movement.
_FEW_NEW, _MANY_SEEN = 20, 10


class Readings:
    """Counts the readings of all pages, including the chain, and holds those of plain pages."""

    def __init__(self) -> None:
        #: number of the current reading, from 1; 0 before the first
        self.number = 0
        #: the remainder of the count when the last reading began; None if there was no count before
        self.remainder_before: int | None = None
        #: readings of plain pages that have ended
        self.done: list[Plain] = []
        #: the current one
        self.now: Plain | None = None
        #: number of offers that had been seen when it began
        self._seen = 0
        #: a reading has shown many offers that a chain from head to tail should have shown
        self.disprove = False
        self._durable: dict[int, list[tuple[Window, int]]] = {}

    def open(self, offers: int, size: int, most: int, *, remainder: int | None, seen: int) -> None:
        """Begin a reading, see `Plain`. `remainder`: of the last count; `seen`: number of distinct offers seen."""
        self.number += 1
        self.remainder_before = remainder
        self._seen = seen - sum(new for windows in self._durable.values() for _, new in windows)
        self.now = Plain(offers, size, most)
        self.resume()

    @property
    def label(self) -> int:
        """The `Window.reading` of the current reading, or of the next one. 1 is reserved for the chain."""
        return len(self.done) + 2

    def keep(self, window: Window, new: int) -> None:
        """Keep a window staged by an earlier attempt, which was the first to show `new` offers."""
        self._durable.setdefault(window.reading, []).append((window, new))

    def resume(self) -> None:
        """Pass the staged windows to the current reading."""
        if self.now is not None:
            for window, new in self._durable.pop(self.label, ()):
                self.now.resume(window, new)

    @property
    def were_begun(self) -> bool:
        """Whether an earlier attempt had already begun the next reading."""
        return self.label in self._durable

    def has(self, read: Read) -> bool:
        """Whether the current reading is waiting for this read."""
        return self.now is not None and self.now.has(read)

    def end(self, size: int, chain: Chain | None) -> bool:
        """The current reading has ended. Returns whether another one is needed.

        An offer may be missed at a border of plain pages in one reading, but hardly in two: they are read twice if
        there is no chain, or if the first reading contradicts it. Very small pages have many borders: they are read
        until nothing new is found.
        """
        plain, self.now = self.now, None
        if plain is None:
            return False
        self.done.append(plain)
        is_alone = chain is None or chain.state is ChainState.TORN
        self.disprove = self.disprove or (self.is_contradicted and not is_alone)
        is_alone = is_alone or self.disprove
        if (is_alone and len(self.done) == 1) or self.were_begun:
            return True
        return plain.new > 0 and size < SMALLEST_OF_CHAIN and self.number < MOST_READINGS

    @property
    def is_contradicted(self) -> bool:
        """Whether the last reading has shown more new offers than movement explains."""
        last = self.done[-1] if self.done else None
        return last is not None and last.new > max(_FEW_NEW, self._seen // _MANY_SEEN)

    @property
    def shown_to(self) -> int:
        """The position after the last row that any of them showed."""
        return max((one.shown_to for one in (*self.done, self.now) if one is not None), default=0)
