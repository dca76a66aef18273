"""Plain pages from the first to the last, for a reading that is united with another one.

Plain pages share no offers: an offer slips past a border when another one departs in front of it at the right moment,
and an arrival hides that in the count. Two readings lose an offer only if it slips twice. This is the way where no
chain can be read: page sizes that are not obeyed, sizes too small to overlap, a listing that reorders itself. So all of
its pages have usual sizes.
"""

from collections import deque
from collections.abc import Sequence

from emag_pipeline.sync.completeness.chain import Chain
from emag_pipeline.sync.completeness.reads import SMALLEST_OF_CHAIN, Read, Window, parts
from emag_pipeline.sync.completeness.runs import overlap
from emag_pipeline.sync.completeness.situation import ChainState, Fault
from emag_pipeline.sync.completeness.stretches import SIZES, smaller, usual

#: The last page came so often for the pages behind it: it always will.
_FOR_EVER = 3
#: Fewer rows may be the same on two pages because the listing has moved by as many.
_FEW = 5
#: A page that shows more of the first one's rows than this share is the first one.
_ALIKE = 0.9


class Plain:
    """Hands out one reading's pages of at most `size` rows. `offers`: as counted; `most`: where to give up."""

    def __init__(self, offers: int, size: int, most: int) -> None:
        size = usual(size)
        self.is_done = False
        #: nothing but the last page came behind the last page
        self.repeats = False
        #: faults and where they were met: what two readings agree on does not heal
        self.faults: dict[Fault, set[int]] = {}
        self.unreadable = 0
        #: offers that this reading was the first to show
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
        #: the place behind which nothing is expected
        self._ends_at: int | None = None
        #: reads that an earlier attempt has made durable
        self._durable: set[Read] = set()

    def take(self) -> Read | None:
        """The next page; None while what is under way has to be awaited, and once it is done."""
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
            # the end was seen, but what stands before it may be under way still, or be read in smaller pages
            self.is_done = not is_due and not any(one.first < self._ends_at for one in self._under_way)
        else:
            is_due = page.stop < self._offers + self._size or not self._under_way
        self._page += is_due
        return page if is_due else None

    def has(self, read: Read) -> bool:
        """Whether it asked for this and was not told yet."""
        return read in self._under_way

    def resume(self, window: Window, new: int) -> None:
        """What an earlier attempt has read of this reading; it is not read again."""
        self._durable.add(window.read)
        self.answered(window.read, window, new)

    def answered(self, read: Read, window: Window, new: int) -> None:
        """The page showed these rows, of which so many offers were not known before."""
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
        """The page failed, while the marketplace answers others."""
        self._under_way.discard(read)
        if read.size > 1:
            self._parts.extendleft(reversed(parts(read.first, read.stop, smaller(read.size), SIZES)))
        else:
            self.unreadable += 1

    @property
    def shown_to(self) -> int:
        """The position behind the last row that it showed."""
        return self._last_shown

    @property
    def ends_short(self) -> bool:
        """Whether the last page that showed something was not full: a sign that the listing ended there.

        Pages of one row are always full.
        """
        return self._size == 1 or self._last_shown == 0 or self._last_shown in self._shorts

    def broken(self) -> dict[Fault, set[int]]:
        """The faults of a reading that is done, with the positions where they were met."""
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
        """Whether a page behind the end shows the page before it once more, but for what has moved meanwhile."""
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
            other = 0  # but for what has moved meanwhile
        if other != read.first and read.first < self._offers and len(window.ids) >= _FEW:
            fault = Fault.IGNORED_PAGE if 0 in (other, read.first) else Fault.REPEATED_PAGE
            self._note(fault, read.first)
            self._note(fault, other)  # which of the two is the right one cannot be seen

    def _note(self, fault: Fault, place: int) -> None:
        self.faults.setdefault(fault, set()).add(place)


# The readings of plain pages, one after the other, for what a chain of windows cannot prove; all are united.

#: All pages are read so often, the chain included.
MOST_READINGS = 4
#: More offers that no reading before has shown are no movement; or more than one in ten of those seen.
_FEW_NEW, _MANY_SEEN = 20, 10


class Readings:
    """Counts the readings of all pages, the chain included, and holds those of plain pages."""

    def __init__(self) -> None:
        #: the number of the reading under way, from 1; 0 before the first
        self.number = 0
        #: what the count left when the last one began; None where there was none before it
        self.remainder_before: int | None = None
        #: readings of plain pages that have ended
        self.done: list[Plain] = []
        #: the one under way
        self.now: Plain | None = None
        #: offers that were seen when it began
        self._seen = 0
        #: one of them has shown much that a chain which reached from head to tail would have shown
        self.disprove = False
        self._durable: dict[int, list[tuple[Window, int]]] = {}

    def open(self, offers: int, size: int, most: int, *, remainder: int | None, seen: int) -> None:
        """Begin one, as for `Plain`. `remainder`: what the count has left so far; `seen`: so many different offers."""
        self.number += 1
        self.remainder_before = remainder
        self._seen = seen - sum(new for windows in self._durable.values() for _, new in windows)
        self.now = Plain(offers, size, most)
        self.resume()

    @property
    def label(self) -> int:
        """The `Window.reading` of the one under way, or of the next: 1 is a chain's, and there may be none."""
        return len(self.done) + 2

    def keep(self, window: Window, new: int) -> None:
        """An earlier attempt has made this window of a reading durable, the first to show so many offers."""
        self._durable.setdefault(window.reading, []).append((window, new))

    def resume(self) -> None:
        """Tell the one under way what is durable of it."""
        if self.now is not None:
            for window, new in self._durable.pop(self.label, ()):
                self.now.resume(window, new)

    @property
    def were_begun(self) -> bool:
        """Whether an earlier attempt has come so far that it began the next one."""
        return self.label in self._durable

    def has(self, read: Read) -> bool:
        """Whether the one under way asked for this and was not told yet."""
        return self.now is not None and self.now.has(read)

    def end(self, size: int, chain: Chain | None) -> bool:
        """The one under way has ended. Returns whether one more is due.

        An offer slips past a border of plain pages in one reading, hardly in two: they are read twice where there is no
        chain, or where the first of them contradicts it. Every border between very small pages is one where that may
        happen: they are read until nothing new comes.
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
        """Whether the last one has brought more new offers than movement explains."""
        last = self.done[-1] if self.done else None
        return last is not None and last.new > max(_FEW_NEW, self._seen // _MANY_SEEN)

    @property
    def shown_to(self) -> int:
        """The position behind the last row that one of them showed."""
        return max((one.shown_to for one in (*self.done, self.now) if one is not None), default=0)
