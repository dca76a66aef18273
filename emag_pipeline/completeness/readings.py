"""The readings of plain pages, one after the other, for what a chain of windows cannot prove; all are united."""

from emag_pipeline.completeness.plain import Plain
from emag_pipeline.completeness.reads import Read

#: Smaller pages overlap too seldom for a chain: lcm(1 … 7) is 420.
SMALLEST_OF_CHAIN = 8
#: All pages are read so often, the chain included.
MOST_READINGS = 4


class Readings:
    """Counts the readings of all pages, the chain included, and holds those of plain pages."""

    def __init__(self) -> None:
        #: the number of the reading under way, from 1; 0 before the first
        self.number = 0
        #: what the count left when the last one began; None where there was none before it
        self.remainder_before: int | None = None
        #: readings of plain pages that have ended
        self.done: list[Plain] = []
        #: the one under way
        self.now: Plain | None = None

    def open(self, offers: int, size: int, most: int, remainder: int | None) -> None:
        """Begin one, as for `Plain`. `remainder`: what the count has left so far."""
        self.number += 1
        self.remainder_before = remainder
        self.now = Plain(offers, size, most)

    def has(self, read: Read) -> bool:
        """Whether the one under way asked for this and was not told yet."""
        return self.now is not None and self.now.has(read)

    def end(self, size: int, *, is_alone: bool) -> bool:
        """The one under way has ended; `is_alone`: no chain reaches from head to tail. Returns whether one more is due.

        An offer slips past a border of plain pages in one reading, hardly in two. Every border between very small pages
        is one where that may happen: they are read until nothing new comes.
        """
        plain, self.now = self.now, None
        if plain is None:
            return False
        self.done.append(plain)
        if is_alone and len(self.done) == 1:
            return True
        return plain.new > 0 and size < SMALLEST_OF_CHAIN and self.number < MOST_READINGS

    @property
    def shown_to(self) -> int:
        """The position behind the last row that one of them showed."""
        return max((one.shown_to for one in (*self.done, self.now) if one is not None), default=0)

    @property
    def unreadable(self) -> int:
        """Positions that the last one could not read."""
        return self.done[-1].unreadable if self.done else 0
