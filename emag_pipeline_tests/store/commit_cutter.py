"""A door to PostgreSQL that drops a connection at a COMMIT, after its bytes have reached the server and been answered.

Whoever committed then cannot know what became of it. Or before they have: it looks the same.
"""

import threading
from collections.abc import Callable
from pathlib import Path

from emag_pipeline_tests.store.door import Door, Passing

_COMMIT = b"COMMIT\x00"


def _nothing() -> None:
    """Nothing happens beside."""


class CommitCutter(Door):
    """Counts the commits that pass; cuts off the one whose turn it is (`cut_at`, from 1; 0: none)."""

    def __init__(self, server: Path, door: Path) -> None:
        self.commits = 0
        self.cut_at = 0
        self.has_cut = False
        self.is_lost = False
        self._of = b""
        self._then: Callable[[], None] = _nothing
        self._lock = threading.Lock()
        super().__init__(server, door)

    def arm(self, cut_at: int, *, is_lost: bool = False, of: bytes = b"", then: Callable[[], None] = _nothing) -> None:
        """Begin to count anew, and cut that commit; if it `is_lost`, it never reaches the server.

        Only those count in whose transaction the client has said `of`. `then` is called before it hears that the
        connection is gone.
        """
        with self._lock:
            self.commits, self.cut_at, self.has_cut, self.is_lost = 0, cut_at, False, is_lost
            self._of, self._then = of, then

    def passes(self, passing: Passing, asked: bytes) -> bool:
        passing.is_noted = passing.is_noted or self._of in asked
        if not asked.endswith(_COMMIT):
            return True
        counts, passing.is_noted = passing.is_noted, False
        if not (counts and self._is_its_turn()):
            return True
        if self.is_lost:
            passing.is_mute.set()
        else:
            passing.commit_unheard(asked)
        try:
            self._then()
        finally:
            self.has_cut = True
            passing.drop()
        return False

    def _is_its_turn(self) -> bool:
        with self._lock:
            self.commits += 1
            return self.commits == self.cut_at
