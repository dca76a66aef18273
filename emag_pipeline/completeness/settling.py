"""Does what was read explain what the marketplace counts, and if not, what is to be read once more?

Where the order of the listing was compared and held, a joined chain is proof by itself, and what the count leaves are
arrivals behind the reader. Elsewhere the count is the only sign of offers that jumped out of the part that was still to
be read: the head is read again, the tail, then all pages, until nothing is left or a reading brings nothing new.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from emag_pipeline.completeness.chain import Chain
from emag_pipeline.completeness.faults import Complete, Fault, Refused, Verdict
from emag_pipeline.completeness.order import OrderEvidence
from emag_pipeline.completeness.plain import Plain
from emag_pipeline.completeness.state import State

#: The head is read so often for offers that jumped there, and all pages so often in all.
MOST_HEADS, MOST_READINGS = 3, 4
#: So many arrivals while a listing was read are no reason to look again; or one in a hundred offers.
_FEW_ARRIVALS = 3
#: The head and the tail.
_BOTH = 2


class Next(Enum):
    """What is to be read once more."""

    FIRST_PAGE = 1
    HEAD = 2
    ALL_PAGES = 3


@dataclass(frozen=True, slots=True)
class Standing:
    """How a scan stands after a count."""

    chain: Chain | None
    order: OrderEvidence
    #: readings of plain pages
    passes: Sequence[Plain]
    counted: int
    seen: int
    #: offers counted beyond those that are accounted for: now, at the count before, and before the last reading
    remainder: int
    last_remainder: int | None
    remainder_before_pass: int | None
    heads: int
    readings: int

    def settle(self) -> Verdict | Next:
        """The verdict, or what to read before there is one."""
        if self.chain is not None and self.chain.state is State.EMPTY and self.counted and not self.seen:
            return Next.FIRST_PAGE
        if fault := self._persistent_fault():
            return fault
        if (self.remainder <= 0 and not self._needs_second) or self._is_small:
            return self._complete()
        if self.remainder <= 0:
            return Next.ALL_PAGES
        is_moving = self.remainder != self.last_remainder
        if not self.passes and (self.heads < _BOTH or (self.heads < MOST_HEADS and is_moving)):
            return Next.HEAD
        if self._is_ordered:
            return self._complete()
        if self._is_settled:
            return self._complete("the count itself is wrong")
        if self.readings < MOST_READINGS:
            return Next.ALL_PAGES
        if self._repeats:
            return Refused(Fault.REPEATED_PAGE, "the end of the listing")
        if not self._has_end:
            return Refused(Fault.EMPTY_PAGE, "the end of the listing")
        return self._complete("readings differ")

    @property
    def _repeats(self) -> bool:
        by_chain = self.chain is not None and self.chain.state is State.REPEATS and not self.passes
        return by_chain or any(one.repeats for one in self.passes)

    @property
    def _is_ordered(self) -> bool:
        """Whether a joined chain is proof by itself: the order was compared, and no answer looked like a fault."""
        is_clean = self.chain is not None and not self.chain.is_doubtful
        return is_clean and self.order.is_stable and not self.passes and not self._repeats

    @property
    def _needs_second(self) -> bool:
        """Whether offers jumped while they were read: departures may hide from the count what was not seen."""
        return bool(self.order.strays) and not self.passes

    @property
    def _is_small(self) -> bool:
        """Arrivals in what was read already leave such a remainder; where the order holds, no read would show them."""
        return self._is_ordered and self.remainder <= self._few

    @property
    def _few(self) -> int:
        return max(_FEW_ARRIVALS, self.counted // 100)

    @property
    def _is_settled(self) -> bool:
        """Whether a further reading brought nothing, so that what remains is the count's own error."""
        if not self.passes or self._is_broken or not self._has_end:
            return False
        return self.passes[-1].new == 0 or self.remainder_before_pass == self.remainder

    @property
    def _is_joined(self) -> bool:
        return self.chain is not None and self.chain.state is State.JOINED

    @property
    def _has_end(self) -> bool:
        """Whether the listing's end was seen, and not only nothing where more was counted."""
        return self._is_joined or bool(self.passes and self.passes[-1].ends_short)

    @property
    def _is_broken(self) -> bool:
        """Whether the last reading met what is not movement, or the end of the listing repeats itself."""
        return self._repeats or bool(self.passes and self.passes[-1].broken())

    def _persistent_fault(self) -> Refused | None:
        """A fault that two readings met at the same place."""
        if not self.passes:
            return None
        last = self.passes[-1].broken()
        if Fault.ENDLESS in last:
            return Refused(Fault.ENDLESS, f"position {min(last[Fault.ENDLESS]):,}")
        if self._is_joined and self.remainder <= self._few:  # the chain has walked around it
            return None
        for earlier in self.passes[:-1]:
            for fault, places in earlier.broken().items():
                if both := places & last.get(fault, set()):
                    return Refused(fault, f"position {min(both):,}")
        return None

    def _complete(self, *marks: str) -> Complete:
        said = list(marks)
        if self.remainder > 0:
            said.append(f"the count leaves a remainder of {self.remainder:,}")
        if self._repeats:
            said.append("the last page is repeated for ever")
        if self.order.is_broken:
            said.append("the listing reorders itself")
        return Complete(tuple(said))
