"""Reduces repeated messages of libraries: the first one is logged at once, then the newest with the number of repeats.

While a database is unreachable, Dagster's daemon logs it several times a second, although it is one occurrence.
"""

import atexit
import copy
import logging
import threading
import time
from collections.abc import Hashable
from dataclasses import dataclass

from emag_pipeline.logs import Event
from emag_pipeline.wording import counted

#: How long repeats are held back: longer each time.
_FIRST_SECONDS, _MOST_SECONDS = 60.0, 3600.0
_MADE: list["Repeats"] = []
#: At exit nothing is held back any more: Python would wait forever for a thread started during shutdown.
_is_ending = threading.Event()


@dataclass(slots=True)
class _Series:
    """The messages since the last output, and when (`time.monotonic`) the next output is due."""

    seconds: float
    due: float
    held: int = 0
    newest: logging.LogRecord | None = None


class Repeats(logging.Filter):
    """A filter of one handler: holds back warnings and errors of libraries that were already logged.

    The newest is logged with their number when it is due, and at the end of the process; one that is not repeated
    before that is forgotten, and logged at once the next time. The pipeline's own events always pass.
    """

    def __init__(self, handler: logging.Handler) -> None:
        super().__init__()
        self._handler = handler
        #: re-entrant: a garbage collection while it is held may log a warning, which is filtered here too
        self._lock = threading.RLock()
        self._series: dict[Hashable, _Series] = {}
        #: the thread that logs due messages; runs as long as any are held back
        self._teller: threading.Thread | None = None
        #: wakes that thread for an earlier due time
        self._is_new = threading.Event()
        _MADE.append(self)

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is to be logged now."""
        if record.levelno < logging.WARNING or isinstance(record.msg, Event) or _is_ending.is_set():
            return True
        key = _key(record)
        with self._lock:
            series = self._series.get(key)
            if series is not None:
                series.held, series.newest = series.held + 1, record
                return False
            self._begin(key, _FIRST_SECONDS)
        return True

    def tell(self) -> None:
        """Log what is held back."""
        with self._lock:
            held = list(self._series.values())
            self._series.clear()
        for series in held:
            self._emit(series)

    def _begin(self, key: Hashable, seconds: float) -> None:
        self._series[key] = _Series(seconds, time.monotonic() + seconds)
        if self._teller is None:
            self._teller = threading.Thread(target=self._tell_when_due, name="repeats", daemon=True)
            self._teller.start()
        else:
            self._is_new.set()

    def _tell_when_due(self) -> None:
        """The thread's loop, which ends when nothing is held back any more."""
        while True:
            self._is_new.clear()
            with self._lock:
                due = self._take_due()
                if not due and not self._series:
                    self._teller = None
                    return
                seconds = min((one.due for one in self._series.values()), default=0.0) - time.monotonic()
            for series in due:
                self._emit(series)
            if not due:
                self._is_new.wait(max(0.0, seconds))

    def _take_due(self) -> list[_Series]:
        """The series that are due; repeated ones continue with a longer delay."""
        now = time.monotonic()
        due = {key: series for key, series in self._series.items() if series.due <= now}
        for key, series in due.items():
            del self._series[key]
            if series.held:
                seconds = min(series.seconds * 2, _MOST_SECONDS)
                self._series[key] = _Series(seconds, now + seconds)
        return list(due.values())

    def _emit(self, series: _Series) -> None:
        if series.newest is None:
            return
        printed = copy.copy(series.newest)
        times = counted(series.held, "time")
        printed.msg, printed.args = f"{printed.getMessage()} (logged {times} since it was last printed)", ()
        self._handler.acquire()
        try:
            self._handler.emit(printed)
        finally:
            self._handler.release()


def tell_held() -> None:
    """Log everything held back in this process, which is about to end."""
    for repeats in _MADE:
        repeats.tell()


def _key(record: logging.LogRecord) -> Hashable:
    """The key of equal messages: the same template of the same logger, whatever its arguments."""
    words = record.msg if record.args and record.msg != "%s" else record.getMessage()
    return record.name, record.levelno, words, record.exc_info[0] if record.exc_info else None


def _end() -> None:
    _is_ending.set()
    tell_held()


atexit.register(_end)
