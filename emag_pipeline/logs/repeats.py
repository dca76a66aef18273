"""What a library repeats: the first time at once, then the newest with how often it was said.

A database that is away makes Dagster's daemon say so several times a second, for as long as it is away: one occurrence.
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

#: How long repeats are held back, from the first one on: longer each time, since nothing new is said.
_FIRST_SECONDS, _MOST_SECONDS = 60.0, 3600.0
_MADE: list["Repeats"] = []
#: Nothing is held back any more: a thread that starts while the interpreter shuts down would be waited for for ever.
_is_ending = threading.Event()


@dataclass(slots=True)
class _Series:
    """What was said since it was last told, and when (`time.monotonic`) that is due: so many seconds after."""

    seconds: float
    due: float
    held: int = 0
    newest: logging.LogRecord | None = None


class Repeats(logging.Filter):
    """A filter of one handler: holds back warnings and errors of libraries that were told already.

    The newest is told with their number when its time has come, and at the end of the process; one that is not
    repeated meanwhile is forgotten, and told at once when it comes again. Events of ours always pass.
    """

    def __init__(self, handler: logging.Handler) -> None:
        super().__init__()
        self._handler = handler
        #: re-entrant: garbage that is collected within may warn of something unclosed, which comes here again
        self._lock = threading.RLock()
        self._series: dict[Hashable, _Series] = {}
        #: tells what is due, as long as anything is held
        self._teller: threading.Thread | None = None
        #: wakes it for what is due before all else
        self._is_new = threading.Event()
        _MADE.append(self)

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is to be told now."""
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
        """Tell what is held back."""
        with self._lock:
            told = list(self._series.values())
            self._series.clear()
        for series in told:
            self._emit(series)

    def _begin(self, key: Hashable, seconds: float) -> None:
        self._series[key] = _Series(seconds, time.monotonic() + seconds)
        if self._teller is None:
            self._teller = threading.Thread(target=self._tell_when_due, name="repeats", daemon=True)
            self._teller.start()
        else:
            self._is_new.set()

    def _tell_when_due(self) -> None:
        """The teller's life: it ends when nothing is held any more."""
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
        """The series whose time has come; those that were said again begin anew, for longer."""
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
        told = copy.copy(series.newest)
        told.msg, told.args = f"{told.getMessage()} (said {counted(series.held, 'time')} since it was last told)", ()
        self._handler.acquire()
        try:
            self._handler.emit(told)
        finally:
            self._handler.release()


def tell_held() -> None:
    """Tell what is held back anywhere in this process, which is about to end."""
    for repeats in _MADE:
        repeats.tell()


def _key(record: logging.LogRecord) -> Hashable:
    """What makes records one: the same words of the same logger, whatever facts they were filled with."""
    words = record.msg if record.args and record.msg != "%s" else record.getMessage()
    return record.name, record.levelno, words, record.exc_info[0] if record.exc_info else None


def _end() -> None:
    _is_ending.set()
    tell_held()


atexit.register(_end)
