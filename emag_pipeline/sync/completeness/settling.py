"""Do the rows read explain the marketplace's count, and if not, what has to be read again?

If the order of the listing was compared and found stable, a joined chain is sufficient proof, and the remainder of the
count are arrivals in parts already read. Otherwise the count is the only sign of offers that jumped out of the part
still to be read: the head is read again, then the tail, then all pages, until there is no remainder or a reading brings
nothing new.

Nothing is deleted against a count that one reading does not explain. Known offers that neither pages nor reads by id
have shown are accepted as gone if there is no remainder; or if the order is stable and the listing ends exactly at the
counted position, so that all counted offers are on pages; or if all pages were read again.
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

# The closing step reads the head of the listing, or its tail, again.
#
# A listing that puts the last changed offer first moves offers from the part still to be read to a part already read.
# They are in front of the offers seen there, so the head is read until a page ends with a known offer. A page that
# fails is read in smaller ones; if the head still cannot be read, the step counts as missed.

#: Maximum of pages per reading of the head.
_MOST_PAGES = 10
#: Maximum of failed reads per step. A single unreadable position costs up to fifteen.
_MOST_FAILURES = 20


class Closing:
    """Hands out the reads of the closing step, one at a time."""

    def __init__(self) -> None:
        #: how often the head or the tail was read completely
        self.times = 0
        #: how often either was attempted, also without success
        self.looks = 0
        #: the last reading of the head did not reach a known offer
        self.is_missed = False
        #: unreadable positions in that reading
        self.unreadable = 0
        #: the position after the listing's last row, by the last reading of the tail; None if that page was not last
        self.ends_at: int | None = None
        self._under_way: Read | None = None
        self._size = self._narrowed = self._place = self._skipped = self._failures = self._tail = 0
        self._is_at_tail = False

    def take(self, size: int, end: int, *, tail: bool) -> Read | None:
        """The next read; None while one is in progress. `end`: of the part read. `tail`: the tail, not the head."""
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
        """Whether it is waiting for this read."""
        return read == self._under_way

    def answered(self, window: Window, *, ends_known: bool) -> bool:
        """Evaluate the read; `ends_known`: its last row was seen before. Returns whether the step is finished."""
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
        """The read failed, although the marketplace responds to others. Returns whether the step is given up."""
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


# The verdict, or what has to be read before there is one.

#: The mark of a scan in which another reading left the same remainder as the one before.
COUNT_IS_WRONG = "the count itself is wrong"
#: The beginning of the mark for ordinary movement, followed by the number of counted offers on no page.
REMAINDER = "the count leaves a remainder of"
_DIFFER = "readings differ"
#: Maximum of readings of head and tail for offers that jumped there.
MOST_HEADS = 3
#: This many arrivals during a scan, or one in a hundred offers, are no reason to read again.
_FEW_ARRIVALS = 3
#: How often the listing's end and the count are compared, reading one of them again, since the listing may move.
_MOST_LOOKS = 4
#: One reading of the head and one of the tail.
_BOTH = 2


class Next(Enum):
    """What has to be read again."""

    FIRST_PAGE = 1
    HEAD = 2
    TAIL = 3
    ALL_PAGES = 4
    #: the tail, to compare the listing's end with the count; or the count, to compare it with that end
    COMPARE_TAIL = 5
    COMPARE_COUNT = 6


@dataclass(frozen=True, slots=True)
class ScanBalance:
    """The state of a scan after a count."""

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
        """Whether a joined chain is sufficient proof: the order is stable, and no response looked like a fault."""
        is_clean = self.chain is not None and not self.chain.is_doubtful
        return is_clean and self.order.is_stable and not self._passes and not self._repeats

    @property
    def _is_explained(self) -> bool:
        """Whether nothing would be deleted against the count: its remainder are arrivals on pages."""
        return not self.gone or self.closing.ends_at == self.counted

    @property
    def _needs_another(self) -> bool:
        """Whether departures may hide unseen offers from the count.

        That is possible if offers jumped during the scan, if the head could not be read again to find those, or if
        plain pages are the only proof and the last reading met a fault.
        """
        if not self._passes:
            return bool(self.order.strays) or self._is_head_missed
        return not self._is_joined and bool(self._passes[-1].broken()) and self.readings.number < MOST_READINGS

    @property
    def _is_head_missed(self) -> bool:
        """Whether an offer may have jumped to a part of the head that could be read before, but not again."""
        known = self.chain.stretches.unreadable if self.chain is not None else 0
        return self.closing.is_missed or self.closing.unreadable > known

    @property
    def _few(self) -> int:
        return max(_FEW_ARRIVALS, self.counted // 100)

    @property
    def _is_settled(self) -> bool:
        """Whether another reading brought nothing new, so that the remainder is an error of the count."""
        if not self._passes or self._is_broken or not self._has_end:
            return False
        return self._passes[-1].new == 0 or self.readings.remainder_before == self.remainder

    @property
    def _is_joined(self) -> bool:
        return self.chain is not None and self.chain.state is ChainState.JOINED and not self.readings.disprove

    @property
    def _has_end(self) -> bool:
        """Whether the listing's end was seen, and not just empty pages before the counted end."""
        return self._is_joined or bool(self._passes and self._passes[-1].ends_short)

    @property
    def _is_broken(self) -> bool:
        """Whether the last reading met a fault, or the last page is repeated."""
        return self._repeats or bool(self._passes and self._passes[-1].broken())

    def _persistent_fault(self) -> Refused | None:
        """A fault that two readings met at the same position."""
        if not self._passes:
            return None
        last = self._passes[-1].broken()
        if Fault.ENDLESS in last:
            return Refused(Fault.ENDLESS, f"position {min(last[Fault.ENDLESS]):,}")
        if self._is_joined and self.remainder <= self._few:  # the chain has worked around it
            return None
        for fault in Fault:  # IGNORED_PAGE first: if page 1 arrived late, its repeats were taken for REPEATED_PAGE
            for earlier in self._passes[:-1]:
                both = earlier.broken().get(fault, set()) & last.get(fault, set())
                if fault in (Fault.SHORT_PAGE, Fault.EMPTY_PAGE):  # near its end the listing may have grown meanwhile
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
