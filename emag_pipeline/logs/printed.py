"""Turns output without a logger (warnings, tracebacks, Dagster's own console) into log lines."""

import atexit
import json
import logging
import re
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from types import TracebackType
from typing import Any, TextIO

from emag_pipeline.logs import Event, is_unprinted, logger

log = logger(__name__)

#: The event of a line that this process printed.
PRINTED = "line_printed"
_LEVEL_IN_A_LINE = re.compile(r" - (DEBUG|INFO|WARNING|ERROR|CRITICAL) - ")


class LinesOnly:
    """Replaces a text stream: lines that are JSON objects pass unchanged, others are converted by `wrap`.

    A line for which `wrap` returns an empty text is dropped. The text of one write is a record, which `shorten` sees
    first; a record whose first line `begins_a_record` becomes one line. Other attributes (fileno, encoding …) are the
    stream's.
    """

    def __init__(
        self,
        stream: TextIO,
        wrap: Callable[[str], str],
        shorten: Callable[[str], str] = str,
        begins_a_record: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._stream = stream
        self._begins_a_record = begins_a_record
        self._shorten = shorten
        self._wrap = wrap
        self._lock = threading.RLock()
        self._begun = ""

    def write(self, text: str) -> int:
        """Accept a text; complete lines are written at once."""
        with self._lock:
            record = self._shorten(text)
            if not self._begun and record.endswith("\n") and self._begins_a_record(record.partition("\n")[0]):
                self._pass_on(record.rstrip())
                return len(text)
            *lines, self._begun = (self._begun + record).split("\n")
            for line in lines:
                self._pass_on(line)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Take several texts."""
        self.write("".join(lines))

    def flush(self) -> None:
        """Flush complete lines; an incomplete one waits for its end."""
        self._stream.flush()

    def isatty(self) -> bool:
        """False, so that libraries print no animations."""
        return False

    def close_line(self) -> None:
        """Write an incomplete line at the end of the process."""
        with self._lock, suppress(OSError, ValueError):  # there may be no reader any more
            line, self._begun = self._begun, ""
            self._pass_on(line)
            self._stream.flush()

    def _pass_on(self, line: str) -> None:
        if line.strip() and (shown := line if _is_object(line) else self._wrap(line)):
            self._stream.write(shown + "\n")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _is_object(line: str) -> bool:
    if not line.startswith("{"):
        return False
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def take_over(formatter: logging.Formatter, lowest: int, *, stdout: bool) -> None:
    """Wrap this process's stderr, and stdout if asked; lines of Dagster's below the level `lowest` are dropped."""
    for name in ("stderr", "stdout") if stdout else ("stderr",):
        stream = getattr(sys, name)
        if stream is not None and stream is getattr(sys, f"__{name}__"):
            ours = LinesOnly(stream, _wrapped(formatter, lowest), shortened, _begins_a_record)
            setattr(sys, name, ours)
            atexit.register(ours.close_line)
    sys.excepthook = _crashed
    threading.excepthook = lambda crash: _crashed(crash.exc_type, crash.exc_value, crash.exc_traceback)


def says_lines() -> bool:
    """Whether everything that this process prints to stderr becomes log lines."""
    return isinstance(sys.stderr, LinesOnly)


def _wrapped(formatter: logging.Formatter, lowest: int) -> Callable[[str], str]:
    def wrap(text: str) -> str:
        found = _LEVEL_IN_A_LINE.search(text)
        level = logging.getLevelNamesMapping()[found[1] if found else "INFO"]
        if is_unprinted() or (found and level < lowest):
            return ""
        record = logging.LogRecord("output", level, "", 0, Event(event=PRINTED, message=text), None, None)
        record._logger, record._name = None, record.levelname.lower()
        return formatter.format(record)

    return wrap


def _begins_a_record(line: str) -> bool:
    """Whether it is a line of Dagster's console, which an error's traceback may follow."""
    return _LEVEL_IN_A_LINE.search(line) is not None


# Records of Dagster's console that report an interruption, which is not an error.

_RAISED = re.compile(
    r"^(?:dagster\._core\.errors\.DagsterExecutionInterruptedError|emag_pipeline\.errors\.Interrupted|KeyboardInterrupt)\b"
)
_AS_AN_ERROR = " - ERROR - "


def shortened(record: str) -> str:
    """A record caused by an interruption, as one line of level warning without traceback; others unchanged.

    The place of the interruption is not useful; Dagster's UI shows the traceback.
    """
    first, _, rest = record.partition("\n")
    raised = next((line for line in rest.splitlines() if line.strip()), "")
    if _AS_AN_ERROR not in first or not _RAISED.match(raised):  # an error while an interruption was handled is one
        return record
    said = first.replace(_AS_AN_ERROR, " - WARNING - ", 1).rstrip()
    return f"{said}\n" if "interrupted" in said else f"{said} It was interrupted.\n"


#: Dagster's by its name: importing Dagster takes a second.
_ENDS = frozenset(
    {"KeyboardInterrupt", "SystemExit", "GeneratorExit", "Interrupted", "DagsterExecutionInterruptedError"}
)


def _crashed(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if _ENDS.isdisjoint(one.__name__ for one in kind.__mro__):  # an exception of a signal or an exit is not a crash
        log.critical("crashed", exc_info=(kind, error, trace))
