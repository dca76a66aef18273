"""An output of which every line is a log line, whoever prints to it: warnings, tracebacks, Dagster's own console."""

import json
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, TextIO


class LinesOnly:
    """Stands in for a text stream: lines that are JSON objects pass, others are what `wrap` makes of them.

    A line of which it makes nothing is dropped. What is written at once is a record, which `shorten` sees first; one
    whose first line `begins_a_record` is one line, however many it has.
    What is not done here (fileno, encoding …) is the stream's.
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
        """Take a text; whole lines are passed on at once."""
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
        """Pass on what is whole; a line that has begun waits for its end."""
        self._stream.flush()

    def isatty(self) -> bool:
        """No: what moves on a screen is no line."""
        return False

    def close_line(self) -> None:
        """Pass on what has begun, at the end of the process."""
        with self._lock, suppress(OSError, ValueError):  # nobody may listen any more
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
