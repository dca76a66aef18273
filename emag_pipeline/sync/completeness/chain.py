"""A chain of overlapping windows from the head of the listing to its tail, with repairs where windows do not join.

Windows are planned ahead by position, so that several calls can run at once; each begins a few offers before the end of
the previous one. Responses may arrive in any order. If two neighbours do not join, the listing has moved by more than
their overlap. The position of the more recently read edge is more accurate, so the next read goes from there towards
the other one, until a window joins both.
"""

from collections.abc import Container

from emag_pipeline.sync.completeness.ends import Suspects, Tail
from emag_pipeline.sync.completeness.reads import (
    SMALLEST_OF_CHAIN,
    Avoided,
    Read,
    Window,
    after,
    before,
    behind,
    reaching,
)
from emag_pipeline.sync.completeness.runs import Runs, WindowRun
from emag_pipeline.sync.completeness.situation import ChainState, Fault
from emag_pipeline.sync.completeness.stretches import SIZES, Stretches

# Does the marketplace obey the requested page sizes?

#: After this many repairs that join nothing right at the start, the marketplace is taken to ignore page sizes.
_FIT_NOWHERE = 6
#: After this many responses that are longer than requested, too; a single one may be a glitch.
_TOO_LONG = 2


class Sizes:
    """What one chain has found out about page sizes."""

    def __init__(self) -> None:
        #: sizes other than the usual ones are ignored
        self.are_ignored = False
        self._too_long = 0
        self._largest = 0
        self._alike: list[Window] = []

    def note_too_long(self, answers: int) -> None:
        """Count responses that were longer than requested."""
        self._too_long += answers
        self.are_ignored = self.are_ignored or self._too_long >= _TOO_LONG

    def look_at(self, runs: Runs, repairs: int, odd: int) -> None:
        """Detect ignored sizes: many repairs join nothing, although few pages (`odd`) were empty or short."""
        head = runs.head
        fits_nowhere = head is not None and len(runs.all) > 1 and all(one.first == 0 for one in head.windows)
        self.are_ignored = self.are_ignored or (fits_nowhere and repairs >= _FIT_NOWHERE >= odd)

    def shown_at_most(self, window: Window, offers: int) -> int | None:
        """The maximum of rows per page if the marketplace caps pages below the requested size; else None.

        The sign is that short pages of different offers have the same number of rows. At least one of them must lie
        before the end by the count (`offers`); otherwise they may all be the listing's end.
        """
        rows = len(window.ids)
        if rows > self._largest:
            self._largest, self._alike = rows, []
        if rows < self._largest or not window.is_short or any(one.read == window.read for one in self._alike):
            return None
        is_other = all(2 * len(set(one.ids).intersection(window.ids)) < rows for one in self._alike)
        self._alike.append(window)
        is_bound = is_other and any(one.stop < offers for one in self._alike)
        return rows if is_bound and len(self._alike) > 1 and rows >= SMALLEST_OF_CHAIN else None


# The windows that are planned ahead by position, so that several calls can run at once.

#: Number of pages planned at once if the listing continues beyond the count.
_BEYOND = 5


class Ahead:
    """Hands out the planned windows. `offers`: as counted; `most`: no window is planned beyond that position."""

    def __init__(self, offers: int, most: int) -> None:
        #: expected offers: as counted, or more if full pages of new ones followed
        self.offers = offers
        self._most = most
        self._planned_to = self._beyond = 0

    def take(self, size: int, without: Container[Read], *, is_quiet: bool) -> Read | None:
        """The next window; None if no more are expected, or while the first is awaited. `is_quiet`: nothing is."""
        if self._planned_to > min(self.offers, self._most) or (self._planned_to == 0 and not is_quiet):
            return None
        read = after(self._planned_to, size, without) or behind(self._planned_to, size)
        self._planned_to = read.stop
        return read

    def skip_to(self, position: int) -> None:
        """Plan no windows before the position any more."""
        self._planned_to = max(self._planned_to, position)

    def begin_again(self) -> None:
        """Plan all windows again."""
        self._planned_to = self._beyond = 0

    def note(self, window: Window, new: int, size: int) -> None:
        """Note a window. If the count is far too low, more windows are planned, to continue at full speed."""
        if not window.is_short and new and window.stop > self.offers:
            self._beyond += 1
            if self._beyond > 1:
                self.offers = window.stop + _BEYOND * size


#: Allowed reads that show nothing new: a share of the planned windows, plus a constant.
_SPARE_SHARE, _SPARE = 0.5, 20
#: After this many empty pages no more windows are planned.
_EMPTY = 3


class Chain:
    """Hands out the reads of one chain. `size`: the largest page; `offers`: as counted; `most`: the last position."""

    def __init__(self, offers: int, size: int, most: int) -> None:
        self.state = ChainState.READING
        self.fault: Fault | None = None
        self.runs = Runs()
        self.stretches = Stretches(size)
        self.sizes = Sizes()
        self.repairs = self._windows = 0
        self._plan, self._most = Ahead(offers, most), most
        self._under_way: dict[Read, WindowRun | None] = {}
        self._repairing: set[Read] = set()
        self._tried: set[Read] = set()
        self._gap: tuple[int, ...] = ()
        self._spare = self._patience
        self._idle = 0
        self._suspects = Suspects()
        self._tail = Tail(size, most, self._suspects)
        self._no_bridge: set[int] = set()
        self._is_cautious = True

    @property
    def size(self) -> int:
        """The largest page size: the initial one, or a smaller one if such pages fail."""
        return self.stretches.size

    @property
    def _patience(self) -> int:
        return int(_SPARE_SHARE * (self._plan.offers / self.size * 1.2 + 1)) + _SPARE

    @property
    def end(self) -> int:
        """The position up to which the listing has been read without a gap, as far as is known."""
        return self.runs.head.right.position if self.runs.head else 0

    @property
    def is_disobeyed(self) -> bool:
        """Whether sizes other than the usual ones are ignored."""
        return self.sizes.are_ignored

    @property
    def is_doubtful(self) -> bool:
        """Whether some responses looked like faults, even if other reads worked around them."""
        return self._suspects.any

    @property
    def _avoided(self) -> Avoided:
        return self._suspects.avoided(self._tried)

    def take(self) -> Read | None:
        """The next read; None while responses have to be awaited, and once the state is not READING."""
        if self.state is not ChainState.READING or (self._is_cautious and self._under_way):
            return None
        if self._suspects.accused is not None:
            read = None if self._under_way else self._suspects.accused
        else:
            read = self.stretches.take(is_quiet=not self._under_way) or self._ahead() or self._closing_in()
        if read is not None and not self.stretches.has(read):
            self._under_way.setdefault(read, None)
        return read

    def _ahead(self) -> Read | None:
        """The next planned window, while the listing is expected to continue."""
        if len(self.runs.all) == 1 and self.runs.head and not self._under_way:
            self._plan.skip_to(self.end)
        is_behind = sum(one.first >= self._suspects.shown_to for one in self._suspects.empties) >= _EMPTY
        if is_behind or self.stretches.are_due:
            return None
        return self._plan.take(self.size, self._avoided, is_quiet=not self._under_way)

    def _closing_in(self) -> Read | None:
        """A read that closes the first gap or finds the tail; one at a time, when no other read is in progress."""
        if self._under_way or self.stretches.are_due:
            return None
        if not self.runs.all:
            return self._nothing_shown()
        while self.runs.rejoin() or (
            len(self.runs.all) > 1
            and (self.runs.reconsider(1) or self.runs.leave_behind(1, is_gone=self._suspects.is_gone(self.runs.all[1])))
        ):
            pass
        self.sizes.look_at(self.runs, self.repairs, self._suspects.odd)
        if self._idle > self._spare or self.sizes.are_ignored:
            return self._give_up()
        if self.runs.head is None:
            return self._repair(Read(1, self.size), self.runs.all[0])
        if len(self.runs.all) > 1:
            return self._bridge(self.runs.all[0], self.runs.all[1])
        return self._to_tail(self.runs.all[0])

    def _repair(self, read: Read, before_run: WindowRun | None) -> Read | None:
        if read in self._tried:
            self._idle += 1
        self._tried.add(read)
        self._repairing.add(read)
        self.repairs += 1
        self._under_way[read] = before_run
        return read

    def _bridge(self, left: WindowRun, right: WindowRun) -> Read | None:
        """Read from the more recent edge of a gap towards the other one."""
        here, there = left.right, right.left
        self._note_gap(len(left.windows), id(right))
        if there.position <= here.position and there.number > here.number and there.position > 0:
            read = before(there.position, self.size, self._avoided)
            return self._repair(read, right) if read.stop > there.position else self._across(there.position, right)
        if here.position > self._most:
            self._too_long()
            return None
        forward = after(here.position, self.size, self._avoided)
        return self._repair(forward, right) if forward else self._across(here.position, right)

    def _across(self, border: int, right: WindowRun | None) -> Read | None:
        """Read across a border of all page sizes up to the largest: one larger window, else a stretch read twice."""
        larger = (reaching(border - 1, one) for one in range(self.size + 1, min(100, 2 * self.size) + 1))
        read = next((one for one in larger if one.stop > border), None)
        if read is not None and border not in self._no_bridge:
            self._no_bridge.add(border)  # once is enough
            return self._repair(read, right)
        self._idle += 2
        self.stretches.open(max(0, border - self.size), border + self.size)
        return self.stretches.take(is_quiet=True)

    def _note_gap(self, *gap: int) -> None:
        if gap != self._gap:
            self._gap = gap
            self._tried.clear()

    def _to_tail(self, run: WindowRun) -> Read | None:
        """Find the end of the run that begins at the head, and prove it."""
        if self.end > self._most:
            self._too_long()
            return None
        self._note_gap(len(run.windows), run.right.number)
        read = self._tail.look(run, self.size)
        if read is not None or self._tail.is_proven:
            self.state = ChainState.JOINED if self._tail.is_proven else self.state
            return read
        empty = self._suspects.shorter(run)
        if empty is not None:
            read = before(empty.first, self.size, self._avoided) if empty.first else Read(1, self.size)
            return self._repair(read, None)
        forward = after(self.end, self.size, self._avoided)
        if forward is None:
            return self._across(self.end, None)
        if self._tried:
            return self._repair(forward, None)
        self._tried.add(forward)  # the listing continues beyond the count: not a repair, but part of the chain
        return forward

    def _nothing_shown(self) -> Read | None:
        if self._plan.offers == 0 or self._idle:
            self.state = ChainState.EMPTY
            return None
        self._idle += 1
        return Read(1, self.size)

    def answered(self, read: Read, window: Window, new: int) -> None:
        """The read showed this window, with `new` offers that were not known before."""
        if self.stretches.has(read):
            self._note_stretch(self.stretches.answered(read, window))
            return
        before_run = self._under_way.pop(read, None)
        is_repair = read in self._repairing
        self._repairing.discard(read)
        if self._tail.has(read):
            self._idle += self._tail.answered(read, window, new, self.runs.head)
            self._note_tail()
            return
        if read == self._suspects.accused:
            if fault := self._suspects.judge(window):
                # page numbers may be obeyed for the usual sizes even if not for others
                is_odd = fault is Fault.REPEATED_PAGE and read.size not in SIZES
                self.state, self.fault = ChainState.TORN if is_odd else ChainState.FAULTY, fault
            return
        if read.size > self.size and window.is_short:  # requested before the cap on pages was known
            return
        rows = self.sizes.shown_at_most(window, self._plan.offers)
        if rows is not None:
            self._begin_again(rows)
            return
        self._is_cautious = self._is_cautious and self._windows < 1
        self._windows += 1
        if new == 0 and (is_repair or self.end > self._plan.offers):
            self._idle += 1
        if not window.ids:
            self._suspects.note_empty(window)
            return
        if self._suspects.note_rows(window, new, self.runs.all):
            self.state, self.fault = ChainState.FAULTY, Fault.IGNORED_PAGE
        if window.is_short and self._suspects.is_no_end(window, self._plan.offers, self.size, self.runs.all):
            return
        self._plan.note(window, new, self.size)
        joined = self.runs.add(window, before_run)
        if is_repair and new == 0:
            self._idle += not joined
            if not window.is_short:
                self._suspects.note_idle(read)

    def _begin_again(self, size: int) -> None:
        """Start again with this page size: the marketplace caps pages at it, and numbers them accordingly."""
        self.runs, self._suspects = Runs(), Suspects()
        self._tail = Tail(size, self._most, self._suspects)
        self.stretches.size = size
        self._plan.begin_again()
        self._windows = self._idle = 0
        self._is_cautious = True
        self._tried.clear()
        self._no_bridge.clear()
        self._spare = self._patience

    def is_aside(self, read: Read) -> bool:
        """Whether the read is not a window of the chain: it checks what is behind the end, or a suspected fault."""
        return self._tail.has(read) or read == self._suspects.accused

    def failed(self, read: Read, *, is_slow: bool = False) -> None:
        """The read failed, although the marketplace responds to others. `is_slow`: its size may be the cause."""
        if self.stretches.has(read):
            self._note_stretch(self.stretches.failed(read))
            return
        self._under_way.pop(read, None)
        self._repairing.discard(read)
        self._is_cautious = False
        if read == self._suspects.accused:
            self._suspects.acquit()
            return
        if self._tail.has(read):
            self._tail.failed(read)
            self._idle += _SPARE // 4
            return
        if read.size > self.size:  # a larger window that should have crossed a border
            return
        self.stretches.add(read, is_slow=is_slow)

    def resume_at(self, read: Read, rows: int) -> None:
        """The read is staged from an earlier attempt, with this number of rows: the plan continues behind it.

        That attempt may have used larger pages than now; full ones are still valid.
        """
        if read.size <= self.size or rows == read.size:
            self._plan.skip_to(read.stop)
        self._idle = 0

    def hurry(self) -> None:
        """Give up quickly: an earlier attempt went on to plain pages, so the windows did not join then either."""
        self._idle = self._spare

    def disobeyed(self, answers: int) -> bool:
        """Responses were longer than requested. Returns whether this proves that unusual page sizes are ignored."""
        self.sizes.note_too_long(answers)
        self.state = ChainState.TORN if self.sizes.are_ignored else self.state
        return self.sizes.are_ignored

    def _note_stretch(self, window: Window | None) -> None:
        """Join the rows of a finished stretch; an empty one counts as two empty reads."""
        if window is None:
            return
        if window.ids:
            self.runs.add(window)
        else:
            self._suspects.empties.extend((window, window))

    def _note_tail(self) -> None:
        if self._tail.is_proven or self._tail.repeats:
            self.state = ChainState.JOINED if self._tail.is_proven else ChainState.REPEATS
        elif self._tail.is_endless:
            self._too_long()

    def _too_long(self) -> None:
        self.state, self.fault = ChainState.FAULTY, Fault.ENDLESS

    def _give_up(self) -> Read | None:
        """Read a suspected fault again: if it was movement, the page shows something else now."""
        read = self._suspects.accuse()
        self.state = ChainState.TORN if read is None else self.state
        return read
