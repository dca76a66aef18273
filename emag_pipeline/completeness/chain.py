"""A chain of overlapping windows from the head of the listing to its tail, repaired where it is torn.

Windows are planned ahead by position, so that several calls can be under way, and each begins a few offers before the
end of the one before it. Answers may come in any order. Where two neighbours do not join, the listing has moved by more
than they overlap; the freshest of the two edges knows best where its offers stand now, so the next read steps from
there towards the other one, until a window joins both.
"""

from array import array
from enum import Enum

from emag_pipeline.completeness.faults import Fault
from emag_pipeline.completeness.reads import Avoided, Read, Window, after, before, behind, reaching
from emag_pipeline.completeness.runs import Run, Runs
from emag_pipeline.completeness.stretch import Stretch, smaller
from emag_pipeline.completeness.suspects import Suspects

#: Reads that show nothing new, beyond the windows planned: a share of these and some.
_SPARE_SHARE, _SPARE = 0.5, 20
#: A page that failed though all of its parts answered may have been bad luck once, not twice.
_LUCK = 2
#: So often rows may stand behind the end before a short page there is believed.
_PUSHED = 3
#: Behind so many empty pages no more are planned.
_EMPTY = 3
#: So many pages are planned at once where the listing goes on behind the count.
_BEYOND = 5
#: So many reads that fit nowhere right at the start: the marketplace pays no attention to the sizes asked for.
_DISOBEYED = 6


class State(Enum):
    """How a chain stands."""

    READING = "reading"
    #: one run reaches from head to tail
    JOINED = "joined"
    #: there is nothing in the listing
    EMPTY = "empty"
    #: what lies behind the last offer repeats it: an end only if the count agrees
    REPEATS = "repeats"
    #: the windows do not join: read plain pages twice
    TORN = "torn"
    #: what keeps them apart is `fault`
    FAULTY = "faulty"


class Chain:
    """Hands out the reads of one chain. `size`: the largest page; `offers`: as counted; `most`: where to give up."""

    def __init__(self, offers: int, size: int, most: int) -> None:
        self.size = size
        self.state = State.READING
        self.fault: Fault | None = None
        self.runs = Runs()
        self.windows = self.repairs = self.stretches = self.united = self.unreadable = 0
        self._offers, self._most = offers, most
        self._planned_to = 0
        self._under_way: dict[Read, Run | None] = {}
        self._repairing: set[Read] = set()
        self._ending: Read | None = None
        self._end_size = size
        self._tried: set[Read] = set()
        self._gap: tuple[int, int] = (0, 0)
        self._spare = int(_SPARE_SHARE * (offers / size * 1.2 + 1)) + _SPARE
        self._idle = 0
        self._stretch: Stretch | None = None
        self._failed: list[Read] = []
        self._luck = 0
        self._suspects = Suspects()
        self._no_bridge: set[int] = set()
        self._pushed = self._beyond = 0
        self._far: Read | None = None
        self._is_suspicious = False
        #: reads that ended short, by the last offer they showed
        self._ends: dict[int, Read] = {}
        self._is_cautious = True

    @property
    def end(self) -> int:
        """The position up to which the listing has been read without a gap, as far as is known now."""
        return self.runs.head.right.position if self.runs.head else 0

    @property
    def is_doubtful(self) -> bool:
        """Whether some answers looked like faults, even if others went around them."""
        return self._suspects.any

    @property
    def _avoided(self) -> Avoided:
        return self._suspects.avoided(self._tried)

    # -- reads ---------------------------------------------------------------------------------------------------------

    def take(self) -> Read | None:
        """The next read; None while what is under way has to be awaited, and once the state is not READING."""
        if self.state is not State.READING or (self._is_cautious and self._under_way):
            return None
        if self._suspects.accused is not None:
            read = None if self._under_way else self._suspects.accused
        else:
            read = self._in_stretch() or self._ahead() or self._closing_in()
        if read is not None and self._stretch is None:
            self._under_way.setdefault(read, None)
        return read

    def _in_stretch(self) -> Read | None:
        if self._stretch is None and self._failed and not self._under_way:
            failed = self._failed.pop()
            if failed.size <= self.size:
                size = smaller(failed.size) if failed.size > 1 else 1
                self._open_stretch(failed.first, failed.stop, size, narrowed=True)
        return self._stretch.take() if self._stretch is not None else None

    def _open_stretch(self, first: int, stop: int, size: int, *, narrowed: bool = False) -> None:
        self._stretch = Stretch(first, stop, size, narrowed=narrowed)
        self.stretches += 1

    def _ahead(self) -> Read | None:
        """The next planned window, while the listing is expected to go on."""
        if self._stretch is not None or self._failed:
            return None
        if len(self.runs.all) == 1 and self.runs.head and not self._under_way:
            self._planned_to = max(self._planned_to, self.end)
        if sum(one.first >= self._suspects.shown_to for one in self._suspects.empties) >= _EMPTY:
            return None
        if self._planned_to > self._offers or (self._planned_to == 0 and self._under_way):
            return None
        read = after(self._planned_to, self.size, self._avoided) or behind(self._planned_to, self.size)
        self._planned_to = read.stop
        return read

    def _closing_in(self) -> Read | None:
        """What closes the first gap, or finds the tail; one at a time, when nothing else is under way."""
        if self._under_way or self._stretch is not None:
            return None
        if not self.runs.all:
            return self._nothing_shown()
        while self.runs.rejoin() or (
            len(self.runs.all) > 1
            and (self.runs.reconsider(1) or self.runs.leave_behind(1, is_gone=self._is_gone(self.runs.all[1])))
        ):
            pass
        if self._idle > self._spare or self._is_disobeyed():
            return self._give_up()
        if self.runs.head is None:
            return self._repair(Read(1, self.size), self.runs.all[0])
        if len(self.runs.all) > 1:
            return self._bridge(self.runs.all[0], self.runs.all[1])
        return self._tail(self.runs.all[0])

    def _is_gone(self, run: Run) -> bool:
        """Whether the listing has become so short that it ends before the place where the run stood."""
        newest = run.right.number
        return sum(one.number > newest and one.first <= run.left.position for one in self._suspects.empties) > 1

    def _repair(self, read: Read, before_run: Run | None) -> Read | None:
        if read in self._tried:
            self._idle += 1
        self._tried.add(read)
        self._repairing.add(read)
        self.repairs += 1
        self._under_way[read] = before_run
        return read

    def _bridge(self, left: Run, right: Run) -> Read | None:
        """Step from the fresher edge of a gap towards the other one."""
        here, there = left.right, right.left
        self._note_gap(left, right)
        if there.position <= here.position and there.number > here.number and there.position > 0:
            read = before(there.position, self.size, self._avoided)
            if read.stop > there.position:
                return self._repair(read, right)
            return self._across(there.position, right)
        if here.position > self._most:
            self._too_long()
            return None
        forward = after(here.position, self.size, self._avoided)
        return self._repair(forward, right) if forward else self._across(here.position, right)

    def _across(self, border: int, right: Run | None) -> Read | None:
        """Read over a border of every size up to the largest: one larger window, else a stretch read twice."""
        larger = (reaching(border - 1, one) for one in range(self.size + 1, min(100, 2 * self.size) + 1))
        read = next((one for one in larger if one.stop > border), None)
        if read is not None and border not in self._no_bridge:
            self._no_bridge.add(border)  # once is enough
            return self._repair(read, right)
        self._idle += 2
        self._open_stretch(max(0, border - self.size), border + self.size, self.size)
        return self._stretch.take() if self._stretch else None

    def _note_gap(self, left: Run, right: Run) -> None:
        gap = (len(left.windows), id(right))
        if gap != self._gap:
            self._gap = gap
            self._tried.clear()

    def _tail(self, run: Run) -> Read | None:
        if self.end > self._most:
            self._too_long()
            return None
        gap = (len(run.windows), run.right.number)
        if gap != self._gap:
            self._gap = gap
            self._tried.clear()
        short, newest = run.end, run.right.number
        shorter = (one for one in self._suspects.empties if one.number > newest and one.first <= self.end)
        empty = min(shorter, key=lambda one: one.first, default=None)
        if self._is_suspicious:
            self._is_suspicious = False
            self._far = Read(self._most // self.size + 1, self.size)
            return self._far
        if short is not None:
            if self._is_end(short):
                self.state = State.JOINED
                return None
            self._ending = behind(short.stop, min(self.size, self._end_size))
            return self._ending
        if empty is not None:  # the listing has become shorter
            if empty.first == 0:
                return self._repair(Read(1, self.size), None)
            return self._repair(before(empty.first, self.size, self._avoided), None)
        forward = after(self.end, self.size, self._avoided)
        if forward is None:
            return self._across(self.end, None)
        return self._repair(forward, None) if self._tried else self._more(forward)

    def _more(self, read: Read) -> Read:
        """The listing goes on behind what was counted: no repair, but part of the chain."""
        self._tried.add(read)
        return read

    def _nothing_shown(self) -> Read | None:
        if self._offers == 0 or self._idle:
            self.state = State.EMPTY
            return None
        self._idle += 1
        return Read(1, self.size)

    # -- answers -------------------------------------------------------------------------------------------------------

    def answered(self, read: Read, window: Window, new: int) -> None:
        """The read showed these rows, of which so many offers were not known before."""
        if self._stretch is not None and self._stretch.has(read):
            self._stretch.answered(read, window.ids)
            self._close_stretch(window.number)
            return
        before_run = self._under_way.pop(read, None)
        is_repair = read in self._repairing
        self._repairing.discard(read)
        if read == self._ending:
            self._ending = None
            self._at_end(read, window, new)
            return
        if read == self._far:
            self._far = None
            self._far_behind(window)
            return
        if read == self._suspects.accused:
            if fault := self._suspects.judge(window):
                self.state, self.fault = State.FAULTY, fault
            return
        self._is_cautious = self._is_cautious and self.windows < 1
        self.windows += 1
        if new == 0 and (is_repair or self.end > self._offers):
            self._idle += 1
        if not window.ids:
            self._suspects.note_empty(window)
            return
        if self._suspects.note_rows(window, new, self.runs.all):
            self.state, self.fault = State.FAULTY, Fault.IGNORED_PAGE
        if window.is_short and self._suspects.is_no_end(window, self._offers, self.size, self.runs.all):
            return
        if not window.is_short and new and window.stop > self._offers:
            self._beyond += 1
            if self._beyond > 1:  # the count is too low by far: read on at full speed
                self._offers = window.stop + _BEYOND * self.size
        joined = self.runs.add(window, before_run)
        if is_repair and new == 0:
            self._idle += not joined
            if not window.is_short:
                self._suspects.note_idle(read)

    def failed(self, read: Read, *, is_slow: bool = False) -> None:
        """The read failed, while the marketplace answers others. `is_slow`: its size may be why."""
        if self._stretch is not None and self._stretch.has(read):
            self._stretch.failed(read)
            self._close_stretch(None)
            return
        self._under_way.pop(read, None)
        self._repairing.discard(read)
        self._is_cautious = False
        if read == self._suspects.accused:
            self._suspects.acquit()
            return
        if read == self._ending:
            self._ending = None
            self._end_size = smaller(read.size) if read.size > 1 else 1
            self._idle += _SPARE // 4
            return
        if read.size > self.size:  # a larger window that was to bridge a border
            return
        if is_slow:
            self._luck = _LUCK
        self._failed.append(read)

    def resume_at(self, read: Read) -> None:
        """The read is durable from an earlier attempt: the plan goes on behind it."""
        self._planned_to = max(self._planned_to, read.stop)
        self._idle = 0

    def disobeyed(self) -> None:
        """A read was answered with more rows than it asked for: sizes other than the usual ones are ignored."""
        self.state = State.TORN

    def _close_stretch(self, number: int | None) -> None:
        stretch = self._stretch
        if stretch is None or stretch.ids is None:
            return
        self._stretch = None
        self.unreadable += stretch.failed_positions
        self.united += stretch.is_united
        if not stretch.failed_positions and stretch.narrowed:
            self._luck += 1
            if self._luck >= _LUCK and stretch.largest < self.size:
                self.size, self._luck = stretch.largest, 0
        if not stretch.ids:  # both readings of it agree
            nothing = Window(Read(1, 1), stretch.first, array("q"), number or 0)
            self._suspects.empties.extend((nothing, nothing))
        else:
            is_short = len(stretch.ids) < stretch.stop - stretch.first
            newest = max((run.right.number for run in self.runs.all), default=0)
            self.runs.add(Window(Read(1, 1), stretch.first, array("q", stretch.ids), number or newest, is_short))

    def _far_behind(self, window: Window) -> None:
        """What stands where no catalogue of this account may reach: nothing, or the same answer for ever."""
        if not window.ids or self.runs.head is None:
            return
        if _last_shown(self.runs.head).issuperset(window.ids):
            self.state = State.REPEATS
        else:
            self.state, self.fault = State.FAULTY, Fault.ENDLESS

    def _is_end(self, short: Window) -> bool:
        """Whether another read, of another size, ended with the same offer: as good as an empty read behind it."""
        read = self._ends.setdefault(short.ids[-1], short.read)
        return read.size != short.read.size and read.page != short.read.page

    def _at_end(self, read: Read, window: Window, new: int) -> None:
        """What stands right behind the last row of a short window; nothing, if it was the listing's last."""
        head = self.runs.head
        if not window.ids:
            self.state = State.JOINED
            return
        if head is None:
            return
        # Arrivals in front have pushed the last offers here, or new ones stand here: the end is looked for again
        self._pushed += 1
        self._idle += new == 0
        if head.short is not None and not _last_shown(head).issuperset(window.ids):
            self._suspects.avoid(head.short.read)
        self._is_suspicious = not window.is_short
        head.short = None
        if self._pushed >= _PUSHED and window.is_short:
            self.state = State.JOINED  # each short page's end was shown to be none, up to this one

    def _is_disobeyed(self) -> bool:
        head = self.runs.head
        return (
            head is not None
            and len(self.runs.all) > 1
            and self.repairs >= _DISOBEYED >= self._suspects.odd
            and all(window.first == 0 for window in head.windows)
        )

    def _too_long(self) -> None:
        self.state, self.fault = State.FAULTY, Fault.ENDLESS

    def _give_up(self) -> Read | None:
        """Ask once more for what looked like a fault; what moved shows something else now."""
        read = self._suspects.accuse()
        if read is None:
            self.state = State.TORN
        return read


def _last_shown(run: Run) -> set[int]:
    """The rows of the last two windows of a run."""
    return {one for window in run.windows[-2:] for one in window.ids}
