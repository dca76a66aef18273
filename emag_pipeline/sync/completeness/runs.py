"""Windows that join become runs; a scan is complete when one run reaches from the head of the listing to its tail.

Why: a run is contiguous in the order of the offers that stayed (see `overlap`). A window at position 0 begins before
all of them, a proven tail ends behind all of them. An offer that existed throughout the scan is between the two, and so
in the run: some window showed it. The number of arrivals and departures, the order of the responses and pauses between
reads make no difference.

Positions are only hints: they give the place of a run's edge when its newest window was read.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from emag_pipeline.sync.completeness.reads import Window

# Do two windows join? The anchors that they share, and whether these can be trusted.
#
# Assume that offers that stay keep their order. Each window contains a contiguous run of them. If two runs share an
# offer, their union is contiguous too: an offer between them would be next to the shared one in one of the two windows.
#
# A single shared id is not sufficient: an offer may have left and come back elsewhere. So shared offers must be in the
# same order, and at each end one of the two windows must end where the shared offers end: the end of one is the
# beginning of the other, or one is inside the other. Every row that breaks the pattern must be excused by an arrival or
# a departure, and a join with more excuses than anchors is not trusted: another read there decides.

#: With this many anchors in order, all rows behind them may have departed in a bulk deletion.
_MANY = 5


@dataclass(frozen=True, slots=True)
class Overlap:
    """What two windows share: the number of anchors, and of rows around them."""

    anchors: int
    #: rows before the first shared offer, and behind the last one
    left_head: int
    right_head: int
    left_tail: int
    right_tail: int
    #: rows among the shared ones that the other window lacks, and shared ones in another order
    excuses: int

    @property
    def joins(self) -> bool:
        """Whether the two windows together are one contiguous run."""
        head, tail = min(self.left_head, self.right_head), min(self.left_tail, self.right_tail)
        if self.anchors >= self.excuses + head + tail:
            return True
        return self.anchors >= _MANY and self.anchors >= self.excuses + min(head, tail)


def overlap(left: Sequence[int], right: Sequence[int]) -> Overlap | None:
    """Compare two windows' rows; None if they share no offer. Rows without an id cannot be anchors."""
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
    """The indexes of the longest increasing subsequence of the places."""
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


#: Neighbours are joined by their last windows, which suffices unless the listing moved by more than these contain.
_NEAR = 3


@dataclass(slots=True)
class Edge:
    """The beginning or end of a run: its position, and the number of the window that showed it."""

    position: int
    number: int


@dataclass(slots=True, eq=False)
class WindowRun:
    """Windows that join, from left to right."""

    windows: list[Window]
    left: Edge
    right: Edge
    has_head: bool
    #: its last short window, possibly the listing's tail
    short: Window | None = field(default=None)

    @property
    def end(self) -> Window | None:
        """The short window that shows the run's end, if one does."""
        short = self.short
        if short is None:
            return None
        is_last = short.number >= self.right.number or short.ids[-1] == self.windows[-1].ids[-1]
        return short if is_last else None

    @classmethod
    def of(cls, window: Window) -> "WindowRun":
        """A run of one window."""
        left, right = Edge(window.first, window.number), Edge(window.stop, window.number)
        return cls([window], left, right, window.first == 0, window if window.is_short else None)


class Runs:
    """The runs of one reading, in the order in which the listing shows them."""

    def __init__(self) -> None:
        self.all: list[WindowRun] = []
        #: number of offers by which windows joined
        self.anchors = 0
        #: runs that were set aside
        self.islands: list[WindowRun] = []
        self._compared: dict[tuple[int, int], tuple[int, int, int, int]] = {}

    @property
    def head(self) -> WindowRun | None:
        """The run that begins at position 0."""
        return self.all[0] if self.all and self.all[0].has_head else None

    def add(self, window: Window, before: WindowRun | None = None) -> bool:
        """Add a window that is not empty. Returns whether it extended or joined a run.

        `before`: it was read to close the gap in front of that run.
        """
        index = self._place(window, before)
        left = self.all[index - 1] if index else None
        right = self.all[index] if index < len(self.all) else None
        joined = False
        if left is not None and (met := _meet(left.windows, window)):
            _prolong(left, window, *met)
            self.anchors += met[1].anchors
            joined = True
        elif left is not None and window.first == 0 and left.has_head:
            left.windows.insert(0, window)
            if window.is_short:
                left.short, left.right = window, Edge(window.stop, window.number)
            joined = True
        else:
            left = WindowRun.of(window)
            self.all.insert(index, left)
            index += 1
        if right is not None and (met := _meet(right.windows, window, from_left=True)):
            self._unite(left, right, window, met)
            joined = True
        return joined

    def reconsider(self, index: int) -> bool:
        """Search the whole previous run for anchors of the run at `index`. Returns whether they joined.

        All offers read so far can be anchors, nearest first. With the last ones only, runs would never join again after
        a bulk deletion of some hundred neighbours, or after a burst of arrivals of more than a page.
        """
        left, right = self.all[index - 1], self.all[index]
        key = (id(left), id(right))
        now = (len(left.windows), left.right.number, len(right.windows), right.left.number)
        if self._compared.get(key) == now:
            return False
        self._compared[key] = now
        places = _places(left.windows, right.windows)
        for window in right.windows:
            near = sorted({at for one in window.ids for at in places.get(one, ())}, reverse=True)
            if met := _met(left.windows, window, near):
                _prolong(left, window, *met)
                self.anchors += met[1].anchors
                self._absorb(left, right, window)
                return True
        return False

    def leave_behind(self, index: int, *, is_gone: bool) -> bool:
        """Set the run at `index` aside if the previous run has passed its place, or ends before it.

        `is_gone`: reads at its place showed nothing. Its offers have departed or moved, so the previous run can reach
        the tail without it.
        """
        left, right = self.all[index - 1], self.all[index]
        if not is_gone:
            if left.right.number < right.right.number:
                return False
            ends_before = left.end is not None
            if left.right.position <= right.right.position and not ends_before:
                return False
        self.all.remove(right)
        self.islands.append(right)
        return True

    def rejoin(self) -> bool:
        """Join a run that was set aside if the last window of the first run shows its offers after all."""
        left = self.all[0]
        last = len(left.windows) - 1
        shown = set(left.windows[last].ids)
        for island in self.islands:
            for window in island.windows:
                if not shown.isdisjoint(window.ids) and (met := _met(left.windows, window, (last,))):
                    _prolong(left, window, *met)
                    self.islands.remove(island)
                    self.all.insert(1, island)
                    self._absorb(left, island, window)
                    return True
        return False

    def _place(self, window: Window, before: WindowRun | None) -> int:
        if before is not None and before in self.all:
            return self.all.index(before)
        index = bisect_right(self.all, window.first, key=lambda run: run.left.position)
        return max(index, 1) if self.head is not None else index

    def _unite(self, left: WindowRun, right: WindowRun, window: Window, met: tuple[int, Overlap]) -> None:
        """Unite two runs that both share offers with the window, which is in the left one already."""
        at, shared = met
        self.anchors += shared.anchors
        if window.number > right.left.number:
            right.left = Edge(window.first + shared.left_head - shared.right_head, window.number)
        right.windows[at].gain = shared.left_tail
        goes_on = at < len(right.windows) - 1 or shared.left_tail > 0
        self.all.remove(right)
        left.has_head = left.has_head or right.has_head
        if goes_on:
            left.windows.extend(right.windows[at:])
            left.right, left.short = right.right, right.short or left.short
        else:
            left.short = right.short or left.short

    def _absorb(self, left: WindowRun, right: WindowRun, window: Window) -> None:
        """Unite two runs after a window of the right one has joined the left one."""
        at = right.windows.index(window)
        self.all.remove(right)
        if at < len(right.windows) - 1:
            left.windows.extend(right.windows[at + 1 :])
            left.right, left.short = right.right, right.short or left.short


def _meet(windows: Sequence[Window], window: Window, *, from_left: bool = False) -> tuple[int, Overlap] | None:
    """The nearest of the last (or first) windows that joins this one: its index and their overlap."""
    indexes = range(len(windows)) if from_left else range(len(windows) - 1, -1, -1)
    ids = set(window.ids)
    return _met(windows, window, [one for one in indexes[:_NEAR] if not ids.isdisjoint(windows[one].ids)])


def _places(left: Sequence[Window], right: Sequence[Window]) -> dict[int, list[int]]:
    """The offers that windows on both sides show, with the indexes of the left windows, in linear time."""
    fewer, more = sorted((left, right), key=len)
    of_fewer = {one for window in fewer for one in window.ids if one > 0}
    both = {one for window in more for one in of_fewer.intersection(window.ids)}
    found: dict[int, list[int]] = {}
    for at, window in enumerate(left):
        for one in both.intersection(window.ids):
            found.setdefault(one, []).append(at)
    return found


def _met(windows: Sequence[Window], window: Window, indexes: Iterable[int]) -> tuple[int, Overlap] | None:
    """The first of these windows that joins this one: its index and their overlap."""
    for index in indexes:
        shared = overlap(windows[index].ids, window.ids)
        if shared is not None and shared.joins:
            return index, shared
    return None


def _prolong(run: WindowRun, window: Window, at: int, shared: Overlap) -> None:
    """Join a window to a run with which it shares offers."""
    behind = shared.left_tail + sum(one.gain for one in run.windows[at + 1 :])
    last = window.ids[-1]
    is_inside = shared.right_tail == 0 or any(last in one.ids for one in run.windows[at + 1 :])
    if window.is_short:
        run.short = window
    if at == 0 and not run.has_head:
        if shared.right_head > shared.left_head:
            run.windows[0].gain = shared.left_tail
            run.windows.insert(0, window)
            run.left = Edge(window.first, window.number)
            at += 1
        elif window.number > run.left.number:
            run.left = Edge(window.first + shared.right_head - shared.left_head, window.number)
    if window.first == 0:
        run.has_head = True
    if not is_inside:
        if run.windows[0] is window:  # longer at both ends
            run.windows = [window]
        else:
            window.gain = shared.right_tail
            run.windows.append(window)
        run.right = Edge(window.stop, window.number)
    elif window.number > run.right.number:
        run.right = Edge(window.stop - shared.right_tail + behind, window.number)
