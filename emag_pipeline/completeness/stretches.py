"""The stretches of a chain: what to read in smaller pages because a page failed, or over a border that no page crosses.

One stretch is read at a time, when nothing else is under way. Pages that fail twice though all of their parts answer
are too large, and the chain goes on with smaller ones.
"""

from array import array

from emag_pipeline.completeness.reads import Read, Window
from emag_pipeline.completeness.stretch import Stretch, smaller

#: A page that failed though all of its parts answered may have been bad luck once, not twice.
_LUCK = 2


class Stretches:
    """Hands out their reads. `size`: the largest page."""

    def __init__(self, size: int) -> None:
        #: the largest page that has not been found to fail
        self.size = size
        #: stretches begun, those whose readings did not agree, and positions that no page shows
        self.begun = self.united = self.unreadable = 0
        self._now: Stretch | None = None
        self._failed: list[Read] = []
        self._luck = 0
        self._newest = 0

    @property
    def are_due(self) -> bool:
        """Whether one is being read, or is to be."""
        return self._now is not None or bool(self._failed)

    def add(self, read: Read, *, is_slow: bool) -> None:
        """The read failed, while the marketplace answers others. `is_slow`: its size may be why."""
        if is_slow:
            self._luck = _LUCK
        self._failed.append(read)

    def open(self, first: int, stop: int) -> None:
        """Begin a stretch that no single page shows."""
        self._begin(Stretch(first, stop, self.size))

    def take(self, *, is_quiet: bool) -> Read | None:
        """The next read; None while answers are outstanding. `is_quiet`: nothing else of the chain is under way."""
        while self._now is None and self._failed and is_quiet:
            failed = self._failed.pop()
            if failed.size <= self.size:
                size = smaller(failed.size) if failed.size > 1 else 1
                self._begin(Stretch(failed.first, failed.stop, size, narrowed=True))
        return self._now.take() if self._now is not None else None

    def has(self, read: Read) -> bool:
        """Whether it asked for this and was not told yet."""
        return self._now is not None and self._now.has(read)

    def answered(self, read: Read, window: Window) -> Window | None:
        """The read showed these rows. Returns the whole stretch as one window, once it has been read to its end."""
        self._newest = window.number
        if self._now is not None:
            self._now.answered(read, window.ids)
        return self._closed()

    def failed(self, read: Read) -> Window | None:
        """The read failed; otherwise as `answered`."""
        if self._now is not None:
            self._now.failed(read)
        return self._closed()

    def _begin(self, stretch: Stretch) -> None:
        self._now = stretch
        self.begun += 1

    def _closed(self) -> Window | None:
        stretch = self._now
        if stretch is None or stretch.ids is None:
            return None
        self._now = None
        self.unreadable += stretch.failed_positions
        self.united += stretch.is_united
        if not stretch.failed_positions and stretch.narrowed:
            self._luck += 1
            if self._luck >= _LUCK and stretch.largest < self.size:
                self.size, self._luck = stretch.largest, 0
        is_short = len(stretch.ids) < stretch.stop - stretch.first
        return Window(Read(1, 1), stretch.first, array("q", stretch.ids), self._newest, is_short)
