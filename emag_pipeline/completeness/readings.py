"""The readings of plain pages, one after the other, for what a chain of windows cannot prove; all are united."""

from emag_pipeline.completeness.chain import Chain
from emag_pipeline.completeness.plain import Plain
from emag_pipeline.completeness.reads import SMALLEST_OF_CHAIN, Read, Window
from emag_pipeline.completeness.state import State

#: All pages are read so often, the chain included.
MOST_READINGS = 4
#: More offers that no reading before has shown are no movement; or more than one in ten of those seen.
_FEW_NEW, _MANY_SEEN = 20, 10


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
        #: offers that were seen when it began
        self._seen = 0
        #: one of them has shown much that a chain which reached from head to tail would have shown
        self.disprove = False
        self._durable: dict[int, list[tuple[Window, int]]] = {}

    def open(self, offers: int, size: int, most: int, *, remainder: int | None, seen: int) -> None:
        """Begin one, as for `Plain`. `remainder`: what the count has left so far; `seen`: so many different offers."""
        self.number += 1
        self.remainder_before = remainder
        self._seen = seen - sum(new for windows in self._durable.values() for _, new in windows)
        self.now = Plain(offers, size, most)
        self.resume()

    @property
    def label(self) -> int:
        """The `Window.reading` of the one under way, or of the next: 1 is a chain's, and there may be none."""
        return len(self.done) + 2

    def keep(self, window: Window, new: int) -> None:
        """An earlier attempt has made this window of a reading durable, the first to show so many offers."""
        self._durable.setdefault(window.reading, []).append((window, new))

    def resume(self) -> None:
        """Tell the one under way what is durable of it."""
        if self.now is not None:
            for window, new in self._durable.pop(self.label, ()):
                self.now.resume(window, new)

    @property
    def were_begun(self) -> bool:
        """Whether an earlier attempt has come so far that it began the next one."""
        return self.label in self._durable

    def has(self, read: Read) -> bool:
        """Whether the one under way asked for this and was not told yet."""
        return self.now is not None and self.now.has(read)

    def end(self, size: int, chain: Chain | None) -> bool:
        """The one under way has ended. Returns whether one more is due.

        An offer slips past a border of plain pages in one reading, hardly in two: they are read twice where there is no
        chain, or where the first of them contradicts it. Every border between very small pages is one where that may
        happen: they are read until nothing new comes.
        """
        plain, self.now = self.now, None
        if plain is None:
            return False
        self.done.append(plain)
        is_alone = chain is None or chain.state is State.TORN
        self.disprove = self.disprove or (self.is_contradicted and not is_alone)
        is_alone = is_alone or self.disprove
        if (is_alone and len(self.done) == 1) or self.were_begun:
            return True
        return plain.new > 0 and size < SMALLEST_OF_CHAIN and self.number < MOST_READINGS

    @property
    def is_contradicted(self) -> bool:
        """Whether the last one has brought more new offers than movement explains."""
        last = self.done[-1] if self.done else None
        return last is not None and last.new > max(_FEW_NEW, self._seen // _MANY_SEEN)

    @property
    def shown_to(self) -> int:
        """The position behind the last row that one of them showed."""
        return max((one.shown_to for one in (*self.done, self.now) if one is not None), default=0)
