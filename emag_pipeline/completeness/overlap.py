"""Do two windows join? The anchors that they share, and whether these can be trusted.

Let offers that stay keep their order. Each window holds a contiguous run of them. If two runs share an offer, their
union is contiguous too: an offer between the two would stand next to the shared one in both, so one of them shows it.

A single shared id is not enough to believe this: an offer may have left and come back elsewhere. So what is shared has
to stand in one order, and at each end one of the two windows has to run out where the shared offers end: the end of one
is the beginning of the other, or one lies within the other. Every row that breaks the pattern needs an arrival or a
departure as its excuse, and a join with more excuses than anchors is not trusted: a further read there decides.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

#: With so many anchors in one order, all that stood behind them may have departed: a bulk deletion.
_MANY = 5


@dataclass(frozen=True, slots=True)
class Overlap:
    """What two windows share: how many anchors, and how many rows around them."""

    anchors: int
    #: rows before the first shared offer, and behind the last one
    left_head: int
    right_head: int
    left_tail: int
    right_tail: int
    #: rows among the shared ones that the other window lacks, and shared ones that stand in another order
    excuses: int

    @property
    def joins(self) -> bool:
        """Whether the two windows together are one contiguous run."""
        head, tail = min(self.left_head, self.right_head), min(self.left_tail, self.right_tail)
        if self.anchors >= self.excuses + head + tail:
            return True
        return self.anchors >= _MANY and self.anchors >= self.excuses + min(head, tail)


def overlap(left: Sequence[int], right: Sequence[int]) -> Overlap | None:
    """Compare two windows' rows; None when they share no offer. Rows without an id are no anchors."""
    both = {one for one in left if one > 0}
    both.intersection_update(right)
    if not both:
        return None
    place_in_right = {one: place for place, one in enumerate(right) if one in both}
    in_left = [place for place, one in enumerate(left) if one in both]
    in_right = [place_in_right[left[place]] for place in in_left]
    if any(behind <= before for before, behind in pairwise(in_right)):
        kept = _longest_rise(in_right)
        in_left, in_right = [in_left[one] for one in kept], [in_right[one] for one in kept]
    among = (in_left[-1] - in_left[0] + 1 - len(in_left)) + (in_right[-1] - in_right[0] + 1 - len(in_right))
    return Overlap(
        anchors=len(in_left),
        left_head=in_left[0],
        right_head=in_right[0],
        left_tail=len(left) - 1 - in_left[-1],
        right_tail=len(right) - 1 - in_right[-1],
        excuses=among,
    )


def _longest_rise(places: Sequence[int]) -> list[int]:
    """Which of the places, by index, form their longest rising sequence."""
    ends: list[int] = []
    at: list[int] = []
    before: list[int | None] = []
    for index, place in enumerate(places):
        length = bisect_left(ends, place)
        before.append(at[length - 1] if length else None)
        if length == len(ends):
            ends.append(place)
            at.append(index)
        else:
            ends[length], at[length] = place, index
    kept = []
    index_or_none: int | None = at[-1]
    while index_or_none is not None:
        kept.append(index_or_none)
        index_or_none = before[index_or_none]
    return kept[::-1]
