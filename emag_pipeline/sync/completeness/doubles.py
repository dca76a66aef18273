"""Offers that stand twice in the listing: neither movement nor a listing that reorders itself.

An offer that was seen and shows up alone among new ones has moved, or it stands at both places. So both are read again,
one right after the other: what shows it twice has it twice, and the count counts it twice. Two rows of one page are
proof by themselves.
"""

from collections import Counter, deque
from collections.abc import Iterable, Sequence

from emag_pipeline.sync.completeness.reads import Read, Window, reaching

#: More than these have moved; a listing does not hold so many offers twice.
_MOST = 5
_MOST_SUSPECTS = 30


class Doubles:
    """Hands out the reads that tell, one at a time."""

    def __init__(self) -> None:
        #: offers that stand twice
        self.found: set[int] = set()
        self._asked: set[int] = set()
        self._waiting: deque[tuple[int, Read, Read]] = deque()
        self._under_way: Read | None = None
        self._shown_before = False

    def note(self, ids: Sequence[int]) -> None:
        """Look for rows of one offer on a single page."""
        if len(set(ids)) < len(ids):
            self.found.update(one for one, rows in Counter(ids).items() if one > 0 and rows > 1)

    def suspect(self, strays: Iterable[int], windows: Sequence[Window], size: int) -> bool:
        """Plan to read the places of these offers again. Returns whether there is something to read."""
        fresh = {one for one in strays if one not in self.found} - self._asked
        if not fresh or len(fresh) > _MOST_SUSPECTS:
            return False
        self._asked |= fresh
        found: dict[int, list[int]] = {one: [] for one in fresh}
        for window in windows:
            for one in fresh.intersection(window.ids):
                found[one].append(window.first + window.ids.index(one))
        twice = {one: places for one, places in found.items() if places and max(places) - min(places) >= size // 2}
        if len(twice) <= _MOST:
            for one, places in sorted(twice.items()):
                self._waiting.append((one, reaching(min(places), size), reaching(max(places), size)))
        return bool(self._waiting)

    def take(self) -> Read | None:
        """The next read; None while one is under way, and at the end."""
        if self._under_way is not None or not self._waiting:
            return None
        _, first, second = self._waiting[0]
        self._under_way = second if self._shown_before else first
        return self._under_way

    def has(self, read: Read) -> bool:
        """Whether it asked for this and was not told yet."""
        return read == self._under_way

    @property
    def are_told(self) -> bool:
        """Whether nothing is left to be read."""
        return not self._waiting

    def answered(self, ids: Sequence[int]) -> None:
        """What the read showed; nothing where it failed."""
        self._under_way = None
        one, _, _ = self._waiting[0]
        is_shown = one in ids
        if is_shown and not self._shown_before:
            self._shown_before = True
            return
        if is_shown:
            self.found.add(one)
        self._shown_before = False
        self._waiting.popleft()
