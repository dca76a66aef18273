"""One scan's decisions: what was seen so far goes in, the next call or the verdict comes out. No I/O, no clock.

The executor calls `take` for what to do next, as often as it wants calls under way, and tells what became of it:
`answered`, `failed`, `counted`, `confirmed`. A scan that is taken up again is told `restore` for each window that is
durable, in the order of their answers.

The course: count; a chain of windows from head to tail (`chain`); where the listing may reorder itself, the head once
more; the missing offers by id; count. What the count leaves unexplained leads to the head again and, where an order
cannot be relied upon, to a reading of plain pages that is united with the first.
"""

from array import array
from collections.abc import Iterable, Sequence
from enum import Enum

from emag_pipeline.completeness.chain import Chain
from emag_pipeline.completeness.closing import Closing
from emag_pipeline.completeness.doubles import Doubles
from emag_pipeline.completeness.faults import Complete, Fault, Refused, Verdict
from emag_pipeline.completeness.order import OrderEvidence, order_of
from emag_pipeline.completeness.plain import Plain
from emag_pipeline.completeness.reads import Read, Window
from emag_pipeline.completeness.seen import Seen
from emag_pipeline.completeness.settling import MOST_HEADS, MOST_READINGS, Next, Standing
from emag_pipeline.completeness.situation import Ask, Situation
from emag_pipeline.completeness.state import State

#: Smaller pages overlap too seldom for a chain: lcm(1 … 7) is 420.
SMALLEST_OF_CHAIN = 8
#: Pages behind the bound that the counts do not forbid: a catalogue may grow while it is read.
_GROWTH = 2_000


class _Phase(Enum):
    COUNT = 0
    READ = 1
    HEAD = 2
    CONFIRM = 3
    END = 4
    UNITE = 5
    DOUBLES = 6


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
        self.doubles = Doubles()
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
        if self._phase is _Phase.DOUBLES:
            return self.doubles.take()
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
        window.reading = self._reading_of(read)
        self._windows += 1
        known = [one in self.seen for one in window.ids]
        ends_known = not known or known[-1]
        self.order.note_strays(window.ids, known)
        self.doubles.note(window.ids)
        new = self._note(window.ids)
        if self.doubles.has(read):
            self._note_double(window.ids)
        elif self._closing.has(read):
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
        if self.doubles.has(read):
            self._note_double(())
        elif self._closing.has(read):
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
        self.found_by_id += self.seen.add(found)
        self._phase = _Phase.END

    def restore(self, count_before: int, windows: Iterable[tuple[Read, Sequence[int], int]]) -> None:
        """Take up a scan: its first count, and what is durable of it, each with its `Window.reading`.

        Windows of the chain stay its windows; of the others, the offers that they showed are known.
        """
        self.counted(count_before)
        for read, ids, reading in windows:
            if reading != 1 or self.chain is None:
                self.doubles.note(ids)
                self._note(ids)
                self._windows += 1
                continue
            self.answered(read, ids)
            if ids:
                self.chain.resume_at(read)

    def is_part(self, read: Read) -> bool:
        """Whether the read is a part of a larger page that failed: where it fails too, a smaller one is tried."""
        return self.chain is not None and self.chain.stretches.has(read)

    def is_aside(self, read: Read) -> bool:
        """Whether it looks at what was read already, or behind the end."""
        return self._reading_of(read) == 0

    @property
    def is_size_ignored(self) -> bool:
        """Whether pages of other than usual sizes were not obeyed."""
        return self.chain is not None and self.chain.is_disobeyed

    @property
    def reached(self) -> int:
        """The positions of the listing that are covered, as far as can be seen now."""
        if self._plain is not None and self.readings == 1:
            return self._plain.shown_to
        return self.chain.end if self.chain is not None else self.count_before

    @property
    def listing_order(self) -> "array[int] | None":
        """The order in which the chain has seen the offers; None where no chain reaches from head to tail."""
        if self.chain is None or self.chain.state is not State.JOINED or not self.chain.runs.all:
            return None
        return order_of(self.chain.runs.all[0].windows)

    def _reading_of(self, read: Read) -> int:
        if self._closing.has(read) or self.doubles.has(read):
            return 0
        if self._plain is not None:
            return max(self.readings, 2) if self._plain.has(read) else 0
        return 0 if self.chain is None or self.chain.is_aside(read) else 1

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
        elif chain.stretches.united:
            self.marks.append("a stretch was united from several readings")
            self._after_reading()
        else:
            self._after_reading()

    def _note_double(self, ids: Sequence[int]) -> None:
        self.doubles.answered(ids)
        if self.doubles.are_told:
            self._after_reading()

    def _after_reading(self) -> None:
        windows = [one for run in self.chain.runs.all for one in run.windows] if self.chain is not None else []
        if self.doubles.suspect(self.order.suspects, windows, self._size):
            self._phase = _Phase.DOUBLES
            return
        self.order.excuse(self.doubles.found)
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
        """Rows that are known: offers seen, found by id, second ones of an offer, without an id, and unreadable."""
        unreadable = self.chain.stretches.unreadable if self.chain is not None else 0
        if self._passes:
            unreadable = max(unreadable, self._passes[-1].unreadable)
        return len(self.seen) + len(self.doubles.found) + len(self._nameless) + unreadable

    def _settle(self) -> None:
        """All that was to be read was read: does it explain the count?"""
        standing = Standing(
            chain=self.chain,
            order=self.order,
            passes=self._passes,
            counted=self.count_after,
            seen=len(self.seen),
            remainder=self.count_after - self.accounted,
            last_remainder=self.remainders[-1] if self.remainders else None,
            remainder_before_pass=self._before_pass,
            heads=self.heads,
            readings=self.readings,
        )
        self.remainders.append(standing.remainder)
        what = standing.settle()
        if what is Next.FIRST_PAGE:
            self._read_empty_again()
        elif what is Next.HEAD:
            self._phase = _Phase.HEAD
        elif what is Next.ALL_PAGES:
            self._before_pass = standing.remainder
            self.readings += 1
            self._open_plain()
        elif isinstance(what, Complete):
            self.verdict = Complete(tuple(dict.fromkeys((*self.marks, *what.marks))))
        else:
            self.verdict = what

    def _read_empty_again(self) -> None:
        """The first page was empty, and the count is not: the first offers may just have arrived."""
        if self._emptied >= MOST_HEADS:
            self.verdict = Refused(Fault.EMPTY_LISTING, "the first page")
            return
        self._emptied += 1
        self._phase = _Phase.READ
        self.chain = Chain(self.count_after, self._size, self._most)
