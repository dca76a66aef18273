"""Connections that are used in bursts: kept within one, given back to the server after it."""

import threading
import time
from contextlib import suppress
from typing import Any

from sqlalchemy import Engine, event


def close_when_idle(engine: Engine, seconds: float) -> None:
    """Close what the engine's pool holds whenever it was not used for so many seconds."""
    event.listen(engine, "checkin", _Watch(engine, seconds).used)


class _Watch:
    """A thread for each burst, which ends with it."""

    def __init__(self, engine: Engine, seconds: float) -> None:
        self._engine = engine
        self._seconds = seconds
        self._lock = threading.Lock()
        self._last = 0.0
        self._is_watched = False

    def used(self, *_: Any) -> None:
        """A connection was given back to the pool."""
        with self._lock:
            self._last = time.monotonic()
            if self._is_watched:
                return
            self._is_watched = True
        with suppress(RuntimeError):  # the process ends: so will its connections
            threading.Thread(target=self._close, name="idle connections", daemon=True).start()

    def _close(self) -> None:
        while (left := self._left()) > 0:
            time.sleep(left)
        self._engine.dispose()

    def _left(self) -> float:
        with self._lock:
            left = self._last + self._seconds - time.monotonic()
            self._is_watched = left > 0
            return left
