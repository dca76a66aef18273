"""Positions of the listing that the marketplace fails to show, whatever the page's size.

One offer that breaks its pages fails at several positions while the listing moves: each arrival in front of it takes it
one further. So a position that a later page has shown is no longer counted, once another one nearby has failed too.
"""

#: An offer moves by no more than this while the page that it breaks is read in smaller ones.
_NEARBY = 100


class Unreadable:
    """What one scan has found of them."""

    def __init__(self) -> None:
        #: in the order of their failures, and whether a later page has shown what stands there
        self._failed: dict[int, bool] = {}
        self._settled: set[int] = set()

    def __len__(self) -> int:
        return len(self._failed)

    def restore(self, positions: list[int]) -> None:
        """Take up what is durable, in the order of the failures."""
        self._failed.update(dict.fromkeys(positions, False))

    def failed(self, position: int) -> bool:
        """No page shows the position. Returns whether that has to be made durable."""
        is_known = position in self._failed or position in self._settled
        self._settled.discard(position)
        self._failed.pop(position, None)
        self._failed[position] = False
        self._settle()
        return not is_known

    def shown(self, first: int, stop: int) -> None:
        """A page has shown the positions from `first` up to `stop`."""
        if any(first <= one < stop for one in self._failed):
            self._failed.update({one: True for one in self._failed if first <= one < stop})
            self._settle()

    def keep(self, most: int) -> None:
        """No more than so many stand for rows that no page shows: those that none has shown since, else the last."""
        order = sorted(self._failed, key=lambda one: not self._failed[one])  # of the same, in the order of failures
        for one in order[: max(0, len(order) - most)]:
            del self._failed[one]
            self._settled.add(one)

    def settled(self) -> list[int]:
        """The positions that are not counted any more and were not told yet."""
        told, self._settled = sorted(self._settled), set()
        return told

    def _settle(self) -> None:
        places = {one: place for place, one in enumerate(self._failed)}
        for one in [one for one, is_shown in self._failed.items() if is_shown]:
            near = (other for other in self._failed if other != one and abs(other - one) <= _NEARBY)
            if any(not self._failed[other] or places[other] > places[one] for other in near):
                del self._failed[one]
                self._settled.add(one)
