"""A door to PostgreSQL that freezes: at a chosen moment it takes no further bytes and passes none on, closing nothing.

It looks like a server that is stopped, or a network that swallows packets: for one connection, or for all.
"""

import threading
from pathlib import Path
from typing import Literal

from emag_pipeline_tests.store.door import Door, Passing

Moment = Literal["connect", "ping", "begin", "statement", "copy", "commit", "rollback"]

#: What the client sends at each moment. A connect is known by being the first, a COPY by its data.
_SENT = {
    "ping": b"SELECT 1\x00",
    "begin": b"BEGIN ",  # and its isolation level
    "statement": b"pg_sleep",
    "copy": b"COPY ",
    "commit": b"COMMIT\x00",
    "rollback": b"ROLLBACK\x00",
}
MOMENTS: tuple[Moment, ...] = ("connect", "ping", "begin", "statement", "copy", "commit", "rollback")


class Freezer(Door):
    """Freezes what comes at the next such moment, with all other connections if `is_everything`, until it thaws."""

    def __init__(self, server: Path, door: Path) -> None:
        self._moment: Moment | None = None
        self._sent = b""
        self._is_everything = False
        self._all = False
        self.has_frozen = threading.Event()
        super().__init__(server, door)

    def arm(self, moment: Moment, *, is_everything: bool, sent: bytes = b"") -> None:
        """Freeze at the next such moment; `sent` stands for what a statement says."""
        self._sent = sent or _SENT.get(moment, b"")
        self._is_everything = is_everything
        self.has_frozen.clear()
        self._moment = moment

    def thaw(self) -> None:
        """Serve new connections again; those from before are dropped, as by a network that is back."""
        self._moment = None
        self._all = False
        self.drop()

    def passes(self, passing: Passing, asked: bytes) -> bool:
        moment = self._moment
        if self._is_now(moment, passing, asked):
            self._moment = None
            self._freeze(passing)
            if self._is_everything:
                self._all = True
                for other in list(self._passing):
                    self._freeze(other)
            if moment == "commit":
                passing.server.sendall(asked)  # it happens, and nobody hears of it
            self.has_frozen.set()
        elif self._all:
            self._freeze(passing)
        return not passing.is_frozen

    def _is_now(self, moment: Moment | None, passing: Passing, asked: bytes) -> bool:
        if moment == "connect":
            return passing.is_first
        if moment == "copy" and not passing.is_noted:
            passing.is_noted = self._sent in asked  # its data follow
            return False
        return moment is not None and (passing.is_noted or self._sent in asked)

    @staticmethod
    def _freeze(passing: Passing) -> None:
        passing.is_mute.set()
        passing.is_frozen = True
