"""One scan's decisions: what was seen so far goes in, the next call or the verdict comes out. No I/O, no clock.

The executor calls `take` for what to do next, as often as it wants calls under way, and tells what became of it:
`answered`, `failed`, `counted`, `confirmed`. A scan that is taken up again is told `restore` for each window that is
durable, in the order of their answers.

The course: count; a chain of windows from head to tail (`chain`); where the listing may reorder itself, the head once
more; the missing offers by id; count. What the count leaves unexplained leads to the head again and, where an order
cannot be relied upon, to a reading of plain pages that is united with the first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from emag_pipeline.completeness.chain import Chain, State
from emag_pipeline.completeness.closing import Closing
from emag_pipeline.completeness.faults import Complete, Fault, Refused, Verdict
from emag_pipeline.completeness.order import OrderEvidence, PreviousOrder
from emag_pipeline.completeness.plain import Plain
from emag_pipeline.completeness.reads import Read, Window
from emag_pipeline.completeness.seen import Seen

#: The head is read so often for offers that jumped there, and all pages so often in all.
MOST_HEADS, MOST_READINGS = 3, 4
#: Smaller pages overlap too seldom for a chain: lcm(1 … 7) is 420.
SMALLEST_OF_CHAIN = 8
#: So many arrivals while a listing was read are no reason to look again; or one in a hundred offers.
_FEW_ARRIVALS = 3
#: The head and the tail.
_BOTH = 2
#: Pages behind the bound that the counts do not forbid: a catalogue may grow while it is read.
_GROWTH = 2_000


class Ask(Enum):
    """What is asked for beside pages."""

    COUNT = "count"
    #: every offer that was known before and that no window showed, by its id
    CONFIRM = "confirm"


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known before a scan begins."""

    #: EMAG_API_PAGE_SIZE, or the smaller size that was found to work
    page_size: int = 100
    #: EMAG_SYNC_MAX_PAGES in offers
    most_offers: int = 10_000
    #: the order of the last complete scan; None at a first publish
    previous: PreviousOrder | None = None
    #: found by earlier scans of the account
    reorders: bool = False
    ignores_odd_sizes: bool = False


class _Phase(Enum):
    COUNT = 0
    READ = 1
    HEAD = 2
    CONFIRM = 3
    END = 4
    UNITE = 5


class Scan:
    """The decisions of one scan of one account."""

    def __init__(self, situation: Situation) -> None:
        self.verdict: Verdict | None = None
        self.seen = Seen()
        self.order = OrderEvidence(situation.previous, is_known_to_reorder=situation.reorders)
        self.count_before = self.count_after = -1
        self.readings = 0
        self.found_by_id = 0
        self.chain: Chain | None = None
        self.remainders: list[int] = []
        self.marks: list[str] = []
        self._situation = situation
        self._phase = _Phase.COUNT
        self._asked: Ask | None = None
        self._plain: Plain | None = None
        self._passes: list[Plain] = []
        self._windows = 0
        self._nameless: set[int] = set()
        self._closing = Closing()
        self._before_pass: int | None = None
        self._emptied = 0

    # -- what is next --------------------------------------------------------------------------------------------------

    def take(self) -> Read | Ask | None:
        """What to do next; None while answers are outstanding, and when there is a verdict."""
        if self.verdict is not None or self._asked is not None:
            return None
        action = self._next()
        if isinstance(action, Ask):
            self._asked = action
        return action

    def _next(self) -> Read | Ask | None:
        if self._phase is _Phase.READ and self.chain is not None:
            read = self.chain.take()
            if read is None and self.chain.state is not State.READING:
                self._end_chain(self.chain)
                return self._next() if self.verdict is None else None
            return read
        if self._phase is _Phase.HEAD:
            return self._next_head()
        if self._phase is _Phase.UNITE and self._plain is not None:
            return self._plain.take()
        return Ask.CONFIRM if self._phase is _Phase.CONFIRM else Ask.COUNT

    def _next_head(self) -> Read | None:
        is_tail_due = self.heads % 2 == 1 and bool(self.remainders)  # the head has shown what it had
        return self._closing.take(self._size, self.chain.end if self.chain is not None else 0, tail=is_tail_due)

    @property
    def heads(self) -> int:
        """How often the head or the tail was read once more."""
        return self._closing.times

    @property
    def _size(self) -> int:
        return self.chain.size if self.chain is not None else self._situation.page_size

    @property
    def _most(self) -> int:
        return self._situation.most_offers + _GROWTH

    # -- what became of it ---------------------------------------------------------------------------------------------

    def counted(self, offers: int) -> None:
        """The marketplace counts so many offers."""
        self._asked = None
        self.count_after = offers
        if self._phase is _Phase.COUNT:
            self.count_before = offers
            self._begin(offers)
        else:
            self._settle()

    def answered(self, read: Read, ids: Iterable[int]) -> Window:
        """The read showed these rows, in their order. Returns the window, to be made durable."""
        window = Window.of(read, ids, self._windows)
        self._windows += 1
        known = [one in self.seen for one in window.ids]
        ends_known = not known or known[-1]
        self.order.note_strays(known)
        new = self._note(window.ids)
        if self._closing.has(read):
            if self._closing.answered(window, ends_known=ends_known):
                self._after_head()
        elif self._plain is not None:
            if self._plain.has(read):  # else it was asked for by a chain that has ended
                self._plain.answered(read, window, new)
            if self._plain.is_done:
                self._end_plain(self._plain)
        elif self.chain is not None:
            self.chain.answered(read, window, new)
        return window

    def failed(self, read: Read, *, is_slow: bool = False) -> None:
        """The read failed, while the marketplace answers others."""
        if self._closing.has(read):
            self._closing.failed()
            self._after_head()
        elif self._plain is not None:
            if self._plain.has(read):
                self._plain.failed(read)
        elif self.chain is not None:
            self.chain.failed(read, is_slow=is_slow)

    def disobeyed(self, read: Read) -> None:
        """More rows came than were asked for."""
        if self.chain is not None and self._plain is None:
            self.chain.disobeyed()

    def confirmed(self, found: Iterable[int]) -> None:
        """All missing offers were asked for by id; these were found."""
        self._asked = None
        self.found_by_id += self._note(found)
        self._phase = _Phase.END

    def restore(self, count_before: int, windows: Iterable[tuple[Read, Sequence[int]]]) -> None:
        """Take up a scan: its first count, and the windows of its chain that are durable."""
        self.counted(count_before)
        for read, ids in windows:
            self.answered(read, ids)
            if self.chain is not None and ids:
                self.chain.resume_at(read)

    def _note(self, ids: Iterable[int]) -> int:
        ids = list(ids)
        self.order.note(ids)
        self._nameless.update(one for one in ids if one < 0)
        return self.seen.add(ids)

    # -- the course ----------------------------------------------------------------------------------------------------

    def _begin(self, offers: int) -> None:
        self.readings = 1
        if self._situation.page_size < SMALLEST_OF_CHAIN or self._situation.ignores_odd_sizes:
            self._open_plain()
            return
        self._phase = _Phase.READ
        self.chain = Chain(offers, self._situation.page_size, self._most)

    def _end_chain(self, chain: Chain) -> None:
        if chain.state is State.FAULTY and chain.fault is not None:
            self.verdict = Refused(chain.fault, f"position {chain.end:,}")
        elif chain.state is State.TORN:
            self.marks.append("the windows did not join")
            self._open_plain()
        elif chain.united:
            self.marks.append("a stretch was united from several readings")
            self._after_reading()
        else:
            self._after_reading()

    def _after_reading(self) -> None:
        is_settled = self.order.is_stable or not len(self.seen)
        self._phase = _Phase.CONFIRM if is_settled else _Phase.HEAD

    def _after_head(self) -> None:
        if self.remainders:
            self._settle()
        else:
            self._phase = _Phase.CONFIRM

    def _open_plain(self) -> None:
        self._phase = _Phase.UNITE
        self._plain = Plain(max(self.count_before, self.count_after), self._size, self._most)

    def _end_plain(self, plain: Plain) -> None:
        self._passes.append(plain)
        self._plain = None
        if len(self._passes) == 1 and (self.chain is None or self.chain.state is State.TORN):
            self.readings += self.chain is not None
            self.readings += 1
            self._open_plain()
            return
        if plain.new and self._size < SMALLEST_OF_CHAIN and self.readings < MOST_READINGS:
            self.readings += 1  # every border between so small pages is one where an offer may slip
            self._open_plain()
            return
        self._phase = _Phase.CONFIRM

    @property
    def accounted(self) -> int:
        """Offers that the scan knows of: seen, found by id, without an id, and unreadable positions."""
        unreadable = self.chain.unreadable if self.chain is not None else 0
        if self._passes:
            unreadable = max(unreadable, self._passes[-1].unreadable)
        return len(self.seen) + len(self._nameless) + unreadable

    def _settle(self) -> None:
        """All that was to be read was read: does it explain the count?"""
        remainder = self.count_after - self.accounted
        before = self.remainders[-1] if self.remainders else None
        self.remainders.append(remainder)
        if self.chain is not None and self.chain.state is State.EMPTY and self.count_after and not len(self.seen):
            self._read_empty_again()
            return
        if fault := self._persistent_fault():
            self.verdict = fault
            return
        if (remainder <= 0 and not self._needs_second) or self._is_small(remainder):
            self._complete(remainder)
        elif remainder <= 0:
            self.readings += 1
            self._open_plain()
        elif not self._passes and (self.heads < _BOTH or (self.heads < MOST_HEADS and remainder != before)):
            self._phase = _Phase.HEAD
        elif self._is_ordered:
            self._complete(remainder)
        elif self._is_settled(remainder):
            self.marks.append("the count itself is wrong")
            self._complete(remainder)
        elif self.readings < MOST_READINGS:
            self._before_pass = remainder
            self.readings += 1
            self._open_plain()
        elif self._repeats:
            self.verdict = Refused(Fault.REPEATED_PAGE, "the end of the listing")
        elif not self._has_end:
            self.verdict = Refused(Fault.EMPTY_PAGE, "the end of the listing")
        else:
            self.marks.append("readings differ")
            self._complete(remainder)

    def _read_empty_again(self) -> None:
        """The first page was empty, and the count is not: the first offers may just have arrived."""
        if self._emptied >= MOST_HEADS:
            self.verdict = Refused(Fault.EMPTY_LISTING, "the first page")
            return
        self._emptied += 1
        self._phase = _Phase.READ
        self.chain = Chain(self.count_after, self._size, self._most)

    @property
    def _repeats(self) -> bool:
        return (self.chain is not None and self.chain.state is State.REPEATS and not self._passes) or any(
            one.repeats for one in self._passes
        )

    @property
    def _is_ordered(self) -> bool:
        """Whether a joined chain is proof by itself: the order was compared, and no answer looked like a fault."""
        is_clean = self.chain is not None and not self.chain.is_doubtful
        return is_clean and self.order.is_stable and not self._passes and not self._repeats

    @property
    def _needs_second(self) -> bool:
        """Whether offers jumped while they were read: departures may hide from the count what was not seen."""
        return self.order.moved > 0 and not self._passes

    def _is_small(self, remainder: int) -> bool:
        """Arrivals in what was read already leave such a remainder; where the order holds, no read would show them."""
        return self._is_ordered and remainder <= max(_FEW_ARRIVALS, self.count_after // 100)

    def _is_settled(self, remainder: int) -> bool:
        """Whether a further reading brought nothing, so that what remains is the count's own error."""
        if not self._passes or self._is_broken or not self._has_end:
            return False
        return self._passes[-1].new == 0 or self._before_pass == remainder

    @property
    def _has_end(self) -> bool:
        """Whether the listing's end was seen, and not only nothing where more was counted."""
        joined = self.chain is not None and self.chain.state is State.JOINED
        return joined or bool(self._passes and self._passes[-1].ends_short)

    @property
    def _is_broken(self) -> bool:
        """Whether the last reading met what is not movement, or the end of the listing repeats itself."""
        return self._repeats or bool(self._passes and self._passes[-1].broken())

    def _persistent_fault(self) -> Refused | None:
        """A fault that two readings met at the same place."""
        if not self._passes:
            return None
        last = self._passes[-1].broken()
        if Fault.ENDLESS in last:
            return Refused(Fault.ENDLESS, f"position {min(last[Fault.ENDLESS]):,}")
        for earlier in self._passes[:-1]:
            for fault, places in earlier.broken().items():
                if both := places & last.get(fault, set()):
                    return Refused(fault, f"position {min(both):,}")
        return None

    def _complete(self, remainder: int) -> None:
        if remainder > 0:
            self.marks.append(f"the count leaves a remainder of {remainder:,}")
        if self._repeats:
            self.marks.append("the last page is repeated for ever")
        if self.order.is_broken:
            self.marks.append("the listing reorders itself")
        self.verdict = Complete(tuple(dict.fromkeys(self.marks)))
