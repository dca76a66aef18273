"""Does the listing keep its order? Compares it with the order of the previous scan, without further calls.

A listing that puts the last changed offer first moves offers out of the part still to be read, which no window shows.
But changes between two scans are visible: offers that both scans saw are in another order. Offers that the listing
contains twice look similar and are told apart by `Doubles`.
"""

from array import array
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Iterable, Sequence, Set
from heapq import merge

from emag_pipeline.sync.completeness.reads import Read, Window, reaching

#: An offer seen before is a stray if there are this many new offers on both sides of it.
_AROUND = 5
#: Up to this many offers a dictionary is used: it is faster, but takes 100 bytes per offer.
_FEW = 50_000
#: Maximum of inverted pairs whose offers are recorded.
_LISTED = 50
#: The order counts as compared only if at least this share of neighbours was in the previous scan too: offers that have
#: arrived since prove nothing.
_COMPARED = 0.85
#: A window joins one of this many windows before it.
_JOINED = 3


class PreviousOrder:
    """The order in which the previous complete scan saw the offers. Sixteen bytes per offer for large catalogues."""

    def __init__(self, ids: Sequence[int]) -> None:
        """`ids` in the order of the listing. Ids that occur twice have no place."""
        self._few: dict[int, int | None] | None = {} if len(ids) <= _FEW else None
        if self._few is not None:
            for place, one in enumerate(ids):
                self._few[one] = None if one in self._few else place
        self._places = array("q") if self._few is not None else _sorted_places(ids)
        self._ids = array("q", (ids[place] for place in self._places))

    def place(self, one: int) -> int | None:
        """The place of the offer in the order; None if it was not seen, or twice."""
        if self._few is not None:
            return self._few.get(one)
        at = bisect_left(self._ids, one)
        if at == len(self._ids) or self._ids[at] != one:
            return None
        is_double = at + 1 < len(self._ids) and self._ids[at + 1] == one
        return None if is_double else self._places[at]


def _sorted_places(ids: Sequence[int]) -> "array[int]":
    """The places of the ids, sorted by id. Sorted in pieces, since a million Python integers would take 80 MB."""
    starts = range(0, len(ids), _FEW)
    pieces = [array("q", sorted(range(at, min(at + _FEW, len(ids))), key=ids.__getitem__)) for at in starts]
    return array("q", merge(*pieces, key=ids.__getitem__))


def order_of(windows: Iterable[Window]) -> "array[int]":
    """The offers of windows that join from left to right, in order, for the next `PreviousOrder`.

    Rows without an id, and offers that arrived among the anchors of two windows, are left out: their place among the
    others is unknown.
    """
    order = array("q")
    before: deque[set[int]] = deque(maxlen=_JOINED)
    for window in windows:
        last = max((place for place, one in enumerate(window.ids) if any(one in ids for ids in before)), default=-1)
        order.extend(one for one in window.ids[last + 1 :] if one > 0)
        before.append(set(window.ids))
    return order


class OrderEvidence:
    """Counts the pairs of neighbours that both scans saw, and those of them that are inverted."""

    def __init__(self, previous: PreviousOrder | None, *, is_known_to_reorder: bool = False) -> None:
        """`is_known_to_reorder`: observed by an earlier scan of the account."""
        self._previous = previous
        self._is_known_to_reorder = is_known_to_reorder
        self.compared = 0
        #: pairs of neighbours in this scan
        self.pairs = 0
        #: inverted pairs, and the offers of the first ones
        self.inversions = 0
        self._inverted: list[tuple[int, int]] = []
        #: offers seen before that appear alone among new ones
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
        """Find known offers that appear alone: windows overlap in blocks, so a single known offer has moved."""
        for place in range(_AROUND, len(known) - _AROUND):
            if known[place] and sum(known[place - _AROUND : place + _AROUND + 1]) == 1:
                self.strays.add(ids[place])

    @property
    def suspects(self) -> set[int]:
        """Offers that have moved or that the listing contains twice; incomplete if there are many."""
        return self.strays.union(*self._inverted)

    def excuse(self, doubled: Set[int]) -> None:
        """Exclude offers that have not moved but that the listing contains twice."""
        self.strays -= doubled
        kept = [pair for pair in self._inverted if doubled.isdisjoint(pair)]
        self.inversions -= len(self._inverted) - len(kept)
        self._inverted = kept

    @property
    def is_stable(self) -> bool:
        """Whether most pairs were compared and none contradicts the order; never at a first publish."""
        is_compared = self.compared > 0 and self.compared >= _COMPARED * self.pairs
        return is_compared and not self.is_broken and not self._is_known_to_reorder

    @property
    def is_broken(self) -> bool:
        """Whether offers have changed their places."""
        return self.inversions > 0 or bool(self.strays)


# Offers that the listing contains twice, which is neither movement nor a reordering listing.
#
# A known offer that appears alone among new ones has moved, or the listing contains it at both places. So both places
# are read again in succession: if both show it, the listing contains it twice, and the count includes it twice. Two
# rows on one page are sufficient proof.

#: If there are more suspects than this, they have moved; a listing does not contain that many offers twice.
_MOST = 5
_MOST_SUSPECTS = 30


class Doubles:
    """Hands out the reads that decide, one at a time."""

    def __init__(self) -> None:
        #: offers that the listing contains twice
        self.found: set[int] = set()
        self._asked: set[int] = set()
        self._waiting: deque[tuple[int, Read, Read]] = deque()
        self._under_way: Read | None = None
        self._shown_before = False

    def note(self, ids: Sequence[int]) -> None:
        """Find offers with two rows on a single page."""
        if len(set(ids)) < len(ids):
            self.found.update(one for one, rows in Counter(ids).items() if one > 0 and rows > 1)

    def suspect(self, strays: Iterable[int], windows: Sequence[Window], size: int) -> bool:
        """Plan to read both places of these offers again. Returns whether there is anything to read."""
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
        """The next read; None while one is in progress, and at the end."""
        if self._under_way is not None or not self._waiting:
            return None
        _, first, second = self._waiting[0]
        self._under_way = second if self._shown_before else first
        return self._under_way

    def has(self, read: Read) -> bool:
        """Whether it is waiting for this read."""
        return read == self._under_way

    @property
    def are_settled(self) -> bool:
        """Whether nothing is left to read."""
        return not self._waiting

    def answered(self, ids: Sequence[int]) -> None:
        """Evaluate the ids that the read showed; none if it failed."""
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
