"""Does the listing keep its order? The offers that stayed, compared with the order of the previous scan: no call.

A listing that puts the offer last changed first takes offers out of the part that is still to be read, and no window
shows that. But the changes between two scans show: offers that both scans saw stand in another order. What stands twice
in the listing looks like that too, and is told apart (`Doubles`).
"""

from array import array
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Iterable, Sequence, Set
from heapq import merge

from emag_pipeline.sync.completeness.reads import Read, Window, reaching

#: So many new offers before and behind one that was seen before.
_AROUND = 5
#: A dictionary is quicker, and 100 bytes per offer; so many are not worth the difference.
_FEW = 50_000
#: Of so many pairs it is known which offers they are.
_LISTED = 50
#: The order was compared where at least so many of the neighbours that were seen stood in the previous scan too: what
#: has arrived since says nothing, and what has not changed since says nothing of offers that do.
_COMPARED = 0.85
#: A window joins one of so many before it.
_JOINED = 3


class PreviousOrder:
    """The order in which the previous complete scan saw the offers. Sixteen bytes per offer where they are many."""

    def __init__(self, ids: Sequence[int]) -> None:
        """`ids` in the order of the listing. Those that stand there twice have no place."""
        self._few: dict[int, int | None] | None = {} if len(ids) <= _FEW else None
        if self._few is not None:
            for place, one in enumerate(ids):
                self._few[one] = None if one in self._few else place
        self._places = array("q") if self._few is not None else _sorted_places(ids)
        self._ids = array("q", (ids[place] for place in self._places))

    def place(self, one: int) -> int | None:
        """Where the offer stood, counted in offers; None where it was not seen."""
        if self._few is not None:
            return self._few.get(one)
        at = bisect_left(self._ids, one)
        if at == len(self._ids) or self._ids[at] != one:
            return None
        is_double = at + 1 < len(self._ids) and self._ids[at + 1] == one
        return None if is_double else self._places[at]


def _sorted_places(ids: Sequence[int]) -> "array[int]":
    """The places of the ids, by id. In pieces: as Python's numbers a million of them would take 80 MB at once."""
    starts = range(0, len(ids), _FEW)
    pieces = [array("q", sorted(range(at, min(at + _FEW, len(ids))), key=ids.__getitem__)) for at in starts]
    return array("q", merge(*pieces, key=ids.__getitem__))


def order_of(windows: Iterable[Window]) -> "array[int]":
    """The offers that windows showed which join from left to right, in their order, for the next `PreviousOrder`.

    Rows without an id, and offers that arrived among the anchors of two windows, are left out: their place among the
    others is not known.
    """
    order = array("q")
    before: deque[set[int]] = deque(maxlen=_JOINED)
    for window in windows:
        last = max((place for place, one in enumerate(window.ids) if any(one in ids for ids in before)), default=-1)
        order.extend(one for one in window.ids[last + 1 :] if one > 0)
        before.append(set(window.ids))
    return order


class OrderEvidence:
    """How many pairs of neighbours that both scans saw were compared, and how many stand the other way round."""

    def __init__(self, previous: PreviousOrder | None, *, is_known_to_reorder: bool = False) -> None:
        """`is_known_to_reorder`: an earlier scan of the account has found it out."""
        self._previous = previous
        self._is_known_to_reorder = is_known_to_reorder
        self.compared = 0
        #: neighbours that were seen
        self.pairs = 0
        #: pairs that stand the other way round, and the first of them by their offers
        self.inversions = 0
        self._inverted: list[tuple[int, int]] = []
        #: offers that were seen before and show up alone among offers that were not
        self.strays: set[int] = set()

    def note(self, ids: Sequence[int]) -> None:
        """Compare the rows of one window."""
        if self._previous is None:
            return
        self.pairs += max(0, len(ids) - 1)
        last, before = -1, 0
        for one in ids:
            place = self._previous.place(one) if one > 0 else None
            if place is None:
                continue
            if last >= 0:
                self.compared += 1
                if place < last:
                    self.inversions += 1
                    if len(self._inverted) < _LISTED:
                        self._inverted.append((before, one))
            last, before = place, one

    def note_strays(self, ids: Sequence[int], known: Sequence[bool]) -> None:
        """Look at which rows of a window were seen before: windows overlap in blocks, an offer that moved is alone."""
        for place in range(_AROUND, len(known) - _AROUND):
            if known[place] and sum(known[place - _AROUND : place + _AROUND + 1]) == 1:
                self.strays.add(ids[place])

    @property
    def suspects(self) -> set[int]:
        """Offers that have moved, or that stand at two places; not all of them where they are many."""
        return self.strays.union(*self._inverted)

    def excuse(self, doubled: Set[int]) -> None:
        """These offers have not moved: they stand at two places."""
        self.strays -= doubled
        kept = [pair for pair in self._inverted if doubled.isdisjoint(pair)]
        self.inversions -= len(self._inverted) - len(kept)
        self._inverted = kept

    @property
    def is_stable(self) -> bool:
        """Whether most was compared and nothing speaks against the order; never at a first publish."""
        is_compared = self.compared > 0 and self.compared >= _COMPARED * self.pairs
        return is_compared and not self.is_broken and not self._is_known_to_reorder

    @property
    def is_broken(self) -> bool:
        """Whether offers were seen to change their places."""
        return self.inversions > 0 or bool(self.strays)


# Offers that stand twice in the listing: neither movement nor a listing that reorders itself.
#
# An offer that was seen and shows up alone among new ones has moved, or it stands at both places. So both are read
# again, one right after the other: what shows it twice has it twice, and the count counts it twice. Two rows of one
# page are proof by themselves.

#: More than these have moved; a listing does not hold so many offers twice.
_MOST = 5
_MOST_SUSPECTS = 30


class Doubles:
    """Hands out the reads that tell, one at a time."""

    def __init__(self) -> None:
        #: offers that stand twice
        self.found: set[int] = set()
        self._asked: set[int] = set()
        self._waiting: deque[tuple[int, Read, Read]] = deque()
        self._under_way: Read | None = None
        self._shown_before = False

    def note(self, ids: Sequence[int]) -> None:
        """Look for rows of one offer on a single page."""
        if len(set(ids)) < len(ids):
            self.found.update(one for one, rows in Counter(ids).items() if one > 0 and rows > 1)

    def suspect(self, strays: Iterable[int], windows: Sequence[Window], size: int) -> bool:
        """Plan to read the places of these offers again. Returns whether there is something to read."""
        fresh = {one for one in strays if one not in self.found} - self._asked
        if not fresh or len(fresh) > _MOST_SUSPECTS:
            return False
        self._asked |= fresh
        found: dict[int, list[int]] = {one: [] for one in fresh}
        for window in windows:
            for one in fresh.intersection(window.ids):
                found[one].append(window.first + window.ids.index(one))
        twice = {one: places for one, places in found.items() if places and max(places) - min(places) >= size // 2}
        if len(twice) <= _MOST:
            for one, places in sorted(twice.items()):
                self._waiting.append((one, reaching(min(places), size), reaching(max(places), size)))
        return bool(self._waiting)

    def take(self) -> Read | None:
        """The next read; None while one is under way, and at the end."""
        if self._under_way is not None or not self._waiting:
            return None
        _, first, second = self._waiting[0]
        self._under_way = second if self._shown_before else first
        return self._under_way

    def has(self, read: Read) -> bool:
        """Whether it asked for this and was not told yet."""
        return read == self._under_way

    @property
    def are_told(self) -> bool:
        """Whether nothing is left to be read."""
        return not self._waiting

    def answered(self, ids: Sequence[int]) -> None:
        """What the read showed; nothing where it failed."""
        self._under_way = None
        one, _, _ = self._waiting[0]
        is_shown = one in ids
        if is_shown and not self._shown_before:
            self._shown_before = True
            return
        if is_shown:
            self.found.add(one)
        self._shown_before = False
        self._waiting.popleft()
