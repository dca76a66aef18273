"""A record of `logging`, ours or a library's, as one line: JSON for programs, readable for people; no secret in it."""

import json
import logging
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import structlog

from emag_pipeline.logs.events import FACTS, context
from emag_pipeline.settings.redaction import Redactor
from emag_pipeline.wording import iso

# Records of Dagster's console that tell of an interruption: whoever was told to stop has met no error.

_RAISED = re.compile(
    r"^(?:dagster\._core\.errors\.DagsterExecutionInterruptedError|emag_pipeline\.errors\.Interrupted|KeyboardInterrupt)\b"
)
_AS_AN_ERROR = " - ERROR - "


def shortened(record: str) -> str:
    """A record that an interruption has caused as one line of the level warning, without traceback; others as they are.

    Where a signal found a run says nothing of what is wrong; Dagster's UI has the whole of it.
    """
    first, _, rest = record.partition("\n")
    raised = next((line for line in rest.splitlines() if line.strip()), "")
    if _AS_AN_ERROR not in first or not _RAISED.match(raised):  # an error while an interruption was handled is one
        return record
    said = first.replace(_AS_AN_ERROR, " - WARNING - ", 1).rstrip()
    return f"{said}\n" if "interrupted" in said else f"{said} It was interrupted.\n"


#: A line is read by machines that cut at some length; a traceback fits.
_LONGEST = 16_000

#: The event of a library's message, which says none of its own.
FOREIGN = "library_said"


class Lines(logging.Formatter):
    """Formats records as lines of JSON, or for a terminal."""

    def __init__(self, redact: Redactor, *, as_json: bool) -> None:
        super().__init__()
        self._redact = redact
        self._render = _json if as_json else _for_people()

    def format(self, record: logging.LogRecord) -> str:
        """One line; in a terminal, a traceback follows it."""
        facts = getattr(record, FACTS, None) or {"event": FOREIGN, "message": record.getMessage()}
        entry = {
            "time": iso(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname.lower(),
            "event": facts["event"],
            "logger": record.name,
            **context(),
            **facts,
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return self.line(entry)

    def line(self, entry: Mapping[str, Any]) -> str:
        """The line of an entry that is complete but for redaction."""
        clean = {name: self._clean(value) for name, value in entry.items()}
        return str(self._render(None, "", clean))

    def _clean(self, value: Any) -> Any:
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, datetime):
            return iso(value)
        if isinstance(value, Mapping):
            return {str(name): self._clean(one) for name, one in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._clean(one) for one in value]
        return self._redact(str(value), _LONGEST)


def _for_people() -> structlog.dev.ConsoleRenderer:
    watched = sys.stderr is not None and sys.stderr.isatty()
    return structlog.dev.ConsoleRenderer(colors=watched, timestamp_key="time")


def _json(_: Any, __: str, entry: Mapping[str, Any]) -> str:
    return json.dumps(entry, ensure_ascii=False)
