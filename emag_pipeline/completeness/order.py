"""Does the listing keep its order? The offers that stayed, compared with the order of the previous scan: no call.

A listing that puts the offer last changed first takes offers out of the part that is still to be read, and no window
shows that. But the changes between two scans show: offers that both scans saw stand in another order.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence

#: So many new offers before and behind one that was seen before.
_AROUND = 5
#: A dictionary is quicker, and 100 bytes an offer; so many are not worth the difference.
_FEW = 50_000


class PreviousOrder:
    """The order in which the previous complete scan saw the offers. Sixteen bytes an offer where they are many."""

    def __init__(self, ids: Sequence[int]) -> None:
        """`ids` in the order of the listing, each once."""
        self._few = {one: place for place, one in enumerate(ids)} if len(ids) <= _FEW else None
        places = [] if self._few is not None else sorted(range(len(ids)), key=ids.__getitem__)
        self._places = array("q", places)
        self._ids = array("q", (ids[place] for place in places))

    def place(self, one: int) -> int | None:
        """Where the offer stood, counted in offers; None where it was not seen."""
        if self._few is not None:
            return self._few.get(one)
        at = bisect_left(self._ids, one)
        return self._places[at] if at < len(self._ids) and self._ids[at] == one else None


class OrderEvidence:
    """How many pairs of neighbours that both scans saw were compared, and how many stand the other way round."""

    def __init__(self, previous: PreviousOrder | None, *, is_known_to_reorder: bool = False) -> None:
        """`is_known_to_reorder`: an earlier scan of the account has found it out."""
        self._previous = previous
        self._is_known_to_reorder = is_known_to_reorder
        self.compared = 0
        self.inversions = 0
        #: offers that were seen before and show up alone among offers that were not
        self.moved = 0

    def note(self, ids: Iterable[int]) -> None:
        """Compare the rows of one window."""
        if self._previous is None:
            return
        last = -1
        for one in ids:
            place = self._previous.place(one) if one > 0 else None
            if place is None:
                continue
            if last >= 0:
                self.compared += 1
                self.inversions += place < last
            last = place

    def note_strays(self, known: Sequence[bool]) -> None:
        """Look at which rows of a window were seen before: windows overlap in blocks, an offer that moved is alone."""
        for place in range(_AROUND, len(known) - _AROUND):
            if known[place]:
                self.moved += sum(known[place - _AROUND : place + _AROUND + 1]) == 1

    @property
    def is_stable(self) -> bool:
        """Whether something was compared and nothing speaks against the order; never at a first publish."""
        return self.compared > 0 and not self.is_broken and not self._is_known_to_reorder

    @property
    def is_broken(self) -> bool:
        """Whether offers were seen to change their places."""
        return self.inversions > 0 or self.moved > 0
