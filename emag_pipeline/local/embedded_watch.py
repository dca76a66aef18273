"""Restart the embedded PostgreSQL when it has died under a running `up`, and keep its log small."""

import time
from collections.abc import Callable
from pathlib import Path

from emag_pipeline import embedded
from emag_pipeline.databases import silence
from emag_pipeline.errors import DatabaseUnavailable
from emag_pipeline.local import log_files
from emag_pipeline.settings import Settings

#: The rest is looked after again then; a start without a long recovery takes less.
_START_SECONDS = 1.0
#: Of a server that was told to stop and waits for its sessions (SIGTERM): new ones are refused meanwhile.
_SESSIONS_SECONDS = 10.0
_WAITS = "the embedded PostgreSQL was told to stop and waits for its sessions: they are cut, so that it can start again"


class EmbeddedWatch:
    """Does nothing where a database is configured: its server is somebody else's."""

    def __init__(self, settings: Settings, say: Callable[[str], None]) -> None:
        self._home = settings.home if settings.uses_embedded_database else None
        self._say = say
        #: what was said since the server was last seen
        self._said: list[str] = []
        self._was_starting = False
        self._stopping_since: float | None = None

    def mend(self) -> None:
        """Start the server again if it does not run; what it had committed is there. Keeps trying at each call.

        A long recovery is not waited for, but looked after at each call. Says once that the server does not run or
        recovers, once each reason why it does not start, and that it runs again.
        """
        if self._home is None:
            return
        log_files.keep_small(embedded.log_of(self._home))
        if embedded.running(self._home) is None and not self._is_started(self._home):
            return
        self._was_starting = False
        if self._said:
            self._say("the embedded PostgreSQL runs again")
            self._said.clear()

    def is_away(self) -> bool:
        """Whether the server takes no connections. It is said then, before what follows from it."""
        home = self._home
        is_away = home is not None and (embedded.running(home) is None or embedded.starting(home))
        if is_away:
            self.mend()
        return is_away

    def _is_started(self, home: Path) -> bool:
        """Start it; whether it takes connections."""
        if not embedded.starting(home):
            if self._was_starting and embedded.running(home) is None:
                self._say_once(embedded.ended(home).message)
            self._was_starting = False
            self._say_once(silence(home, up_goes_on=True).message)
            if self._is_stopping(home):
                return False
            try:
                embedded.start(home, say=lambda _: None, most_seconds=_START_SECONDS)
                return True
            except DatabaseUnavailable as error:
                if not embedded.starting(home):
                    self._say_once(error.message)
                    return False
        self._was_starting = True
        self._say_once(silence(home, up_goes_on=True).message)
        return False

    def _is_stopping(self, home: Path) -> bool:
        """Whether it was told to stop and still lives. After some seconds its sessions, which hold it, are cut."""
        if embedded.living(home) is None or not embedded.was_stopped(home):
            self._stopping_since = None
            return False
        now = time.monotonic()
        self._stopping_since = self._stopping_since or now
        if now - self._stopping_since > _SESSIONS_SECONDS:
            self._say_once(_WAITS)
            embedded.hasten(home)
        return True

    def _say_once(self, text: str) -> None:
        if text not in self._said:
            self._say(text)
            self._said.append(text)
