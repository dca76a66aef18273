"""Does what was read explain what the marketplace counts, and if not, what is to be read once more?

Where the order of the listing was compared and held, a joined chain is proof by itself, and what the count leaves are
arrivals behind the reader. Elsewhere the count is the only sign of offers that jumped out of the part that was still to
be read: the head is read again, the tail, then all pages, until nothing is left or a reading brings nothing new.

Nothing is deleted against a count that one reading does not explain. Known offers that neither pages nor reads by id
have shown are believed gone if the count leaves nothing; or if the listing ends just where the count says, so that all
that is counted stands on pages, and the order held; or if all pages were read once more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from emag_pipeline.sync.completeness.chain import Chain
from emag_pipeline.sync.completeness.order import OrderEvidence
from emag_pipeline.sync.completeness.plain import MOST_READINGS, Plain, Readings
from emag_pipeline.sync.completeness.reads import Read, Window, anchors_for, behind, reaching
from emag_pipeline.sync.completeness.situation import ChainState, Complete, Fault, Refused, Verdict
from emag_pipeline.sync.completeness.stretches import smaller

# The closing step: the head of the listing once more, and its tail.
#
# A listing that puts the offer last changed first takes offers out of the part that is still to be read and puts them
# where the scan has been. They stand before the offers that were seen there, so the head is read until a page ends with
# one that was known. A page that fails is read in smaller ones; where the head cannot be read all the same, the step
# was not done, and the scan has to do without it.

#: Pages of one reading of the head.
_MOST_PAGES = 10
#: Reads of one look that may fail. A single position that cannot be read costs up to fifteen.
_MOST_FAILURES = 20


class Closing:
    """Hands out the reads of the closing step, one at a time."""

    def __init__(self) -> None:
        #: how often the head or the tail was read to its end
        self.times = 0
        #: how often either was looked for, also in vain
        self.looks = 0
        #: the head was not read up to a known offer, when it was due last
        self.is_missed = False
        #: positions of the head that no page showed then
        self.unreadable = 0
        #: the position behind the listing's last row, as its tail showed it last; None where that page was no last one
        self.ends_at: int | None = None
        self._under_way: Read | None = None
        self._size = self._narrowed = self._place = self._skipped = self._failures = self._tail = 0
        self._is_at_tail = False

    def take(self, size: int, end: int, *, tail: bool) -> Read | None:
        """The next read; None while one is under way. `end`: of what was read. `tail`: it is due, and not the head."""
        if self._under_way is not None:
            return None
        self._is_at_tail, self._size = tail, size
        size = self._narrowed or size
        if tail:
            self._tail = max(self._tail, end)
            self._under_way = reaching(max(0, self._tail - anchors_for(size)), size)
        else:
            self._under_way = behind(self._place, size)
        return self._under_way

    def has(self, read: Read) -> bool:
        """Whether it asked for this and was not told yet."""
        return read == self._under_way

    def answered(self, window: Window, *, ends_known: bool) -> bool:
        """What it showed; `ends_known`: the last row was seen before. Returns whether no more needs to be read."""
        self._under_way = None
        self._narrowed = 0
        self._tail = max(self._tail, window.stop)
        if self._is_at_tail:
            self.ends_at = window.stop if window.ids and window.is_short else None
            return self._end(is_done=True)
        self._place = window.read.stop
        if ends_known and (self._place >= self._size or window.is_short):
            return self._end(is_done=True)
        return self._place >= _MOST_PAGES * self._size and self._end(is_done=False)

    def failed(self) -> bool:
        """The read failed, while the marketplace answers others. Returns whether the look is given up."""
        read, self._under_way = self._under_way, None
        self._failures += 1
        if read is not None and read.size > 1 and self._failures < _MOST_FAILURES:
            self._narrowed = smaller(read.size)
            return False
        if self._is_at_tail or self._failures >= _MOST_FAILURES:
            self.ends_at = None
            return self._end(is_done=False)
        self._narrowed = 0
        self._place += 1
        self._skipped += 1
        return False

    def _end(self, *, is_done: bool) -> bool:
        self.looks += 1
        self.times += is_done
        if not self._is_at_tail:
            self.is_missed, self.unreadable = not is_done, self._skipped
        self._place = self._skipped = self._narrowed = self._failures = 0
        return True


# The verdict, or what is to be read before there is one.

#: The mark of a scan whose further reading leaves what the one before has left.
COUNT_IS_WRONG = "the count itself is wrong"
#: The beginning of the mark of ordinary movement: how many counted offers stood on no page follows.
REMAINDER = "the count leaves a remainder of"
_DIFFER = "readings differ"
#: Head and tail are read so often for offers that jumped there.
MOST_HEADS = 3
#: So many arrivals while a listing was read are no reason to look again; or one in a hundred offers.
_FEW_ARRIVALS = 3
#: So often the listing's end and the count are compared, one of both asked for anew: what lies between them may move.
_MOST_LOOKS = 4
#: The head and the tail.
_BOTH = 2


class Next(Enum):
    """What is to be read once more."""

    FIRST_PAGE = 1
    HEAD = 2
    TAIL = 3
    ALL_PAGES = 4
    #: the tail, to compare the listing's end with the count; and a count, to compare it with that end
    COMPARE_TAIL = 5
    COMPARE_COUNT = 6


@dataclass(frozen=True, slots=True)
class ScanBalance:
    """How a scan stands after a count."""

    chain: Chain | None
    order: OrderEvidence
    readings: Readings
    closing: Closing
    counted: int
    seen: int
    #: known offers that neither pages nor reads by id have shown
    gone: int
    #: offers counted beyond those that are accounted for, at each count
    remainders: Sequence[int]
    #: how often the listing's end was compared with the count
    looks: int

    @property
    def remainder(self) -> int:
        """Offers counted beyond those that are accounted for, now."""
        return self.remainders[-1]

    def settle(self) -> Verdict | Next:
        """The verdict, or what to read before there is one."""
        if self.chain is not None and self.chain.state is ChainState.EMPTY and self.counted and not self.seen:
            return Next.FIRST_PAGE
        if fault := self._persistent_fault():
            return fault
        if self.remainder <= 0:
            return Next.ALL_PAGES if self._needs_another else self._complete()
        if self._is_ordered and not self._is_explained:
            if self.looks == _MOST_LOOKS:
                return Next.ALL_PAGES
            return Next.COMPARE_COUNT if self.looks % 2 else Next.COMPARE_TAIL
        if self._is_ordered and self.remainder <= self._few:
            return self._complete()
        closings, is_moving = self.closing.looks, self.remainders[-1:] != self.remainders[-2:-1]
        if not self._passes and (closings < _BOTH or (closings < MOST_HEADS and is_moving)):
            return Next.TAIL if closings % 2 else Next.HEAD
        if self._is_ordered:
            return self._complete()
        if self._is_settled:
            return self._complete(COUNT_IS_WRONG)
        if self.readings.number < MOST_READINGS:
            return Next.ALL_PAGES
        if self._repeats:
            return Refused(Fault.REPEATED_PAGE, "the end of the listing")
        if not self._has_end:
            return Refused(Fault.EMPTY_PAGE, "the end of the listing")
        return self._complete(_DIFFER)

    @property
    def _passes(self) -> list[Plain]:
        return self.readings.done

    @property
    def _repeats(self) -> bool:
        by_chain = self.chain is not None and self.chain.state is ChainState.REPEATS and not self._passes
        return by_chain or any(one.repeats for one in self._passes)

    @property
    def _is_ordered(self) -> bool:
        """Whether a joined chain is proof by itself: the order was compared, and no answer looked like a fault."""
        is_clean = self.chain is not None and not self.chain.is_doubtful
        return is_clean and self.order.is_stable and not self._passes and not self._repeats

    @property
    def _is_explained(self) -> bool:
        """Whether nothing would be deleted against the count: what it leaves stands on pages, and has arrived there."""
        return not self.gone or self.closing.ends_at == self.counted

    @property
    def _needs_another(self) -> bool:
        """Whether departures may hide from the count what was not seen.

        So it is where offers jumped while they were read, where the head could not be read again to find those that
        jumped there, and where plain pages are all the proof and the last of them met what is not movement.
        """
        if not self._passes:
            return bool(self.order.strays) or self._is_head_missed
        return not self._is_joined and bool(self._passes[-1].broken()) and self.readings.number < MOST_READINGS

    @property
    def _is_head_missed(self) -> bool:
        """Whether an offer may have jumped to where the head could not be read again, though it could before."""
        known = self.chain.stretches.unreadable if self.chain is not None else 0
        return self.closing.is_missed or self.closing.unreadable > known

    @property
    def _few(self) -> int:
        return max(_FEW_ARRIVALS, self.counted // 100)

    @property
    def _is_settled(self) -> bool:
        """Whether a further reading brought nothing, so that what remains is the count's own error."""
        if not self._passes or self._is_broken or not self._has_end:
            return False
        return self._passes[-1].new == 0 or self.readings.remainder_before == self.remainder

    @property
    def _is_joined(self) -> bool:
        return self.chain is not None and self.chain.state is ChainState.JOINED and not self.readings.disprove

    @property
    def _has_end(self) -> bool:
        """Whether the listing's end was seen, and not only nothing where more was counted."""
        return self._is_joined or bool(self._passes and self._passes[-1].ends_short)

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
        if self._is_joined and self.remainder <= self._few:  # the chain has walked around it
            return None
        for fault in Fault:  # in their order: where the first page came late, others were taken for each other's
            for earlier in self._passes[:-1]:
                both = earlier.broken().get(fault, set()) & last.get(fault, set())
                if fault in (Fault.SHORT_PAGE, Fault.EMPTY_PAGE):  # where the listing ends, it may have grown meanwhile
                    both = {place for place in both if place < self.counted - self._few}
                if both:
                    place = max(both) if fault is Fault.IGNORED_PAGE else min(both)
                    return Refused(fault, f"position {place:,}")
        return None

    def _complete(self, *marks: str) -> Complete:
        said = []
        if self.readings.disprove or (self.chain is not None and self.chain.state is ChainState.TORN):
            said.append("the windows did not join")
        if self.chain is None:
            said.append("plain pages were united")
        elif self.chain.stretches.united:
            said.append("a stretch was united from several readings")
        said += marks
        if self.remainder > 0:
            said.append(f"{REMAINDER} {self.remainder:,}")
        if self._passes and self._passes[-1].broken():
            said.append("a reading met pages that look wrong")
        if self._is_head_missed:
            said.append("the head could not be read again")
        if self._passes and self.readings.is_contradicted and len(self._passes) > 1:
            said.append(_DIFFER)
        if self._repeats:
            said.append("the last page is repeated for ever")
        if self.order.is_broken:
            said.append("the listing reorders itself")
        return Complete(tuple(dict.fromkeys(said)))
