"""How numbers, durations, times and long texts are written, in one place for all outputs."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import overload

# Numbers with their nouns.


def counted(number: int, noun: str, plural: str = "") -> str:
    """E.g. `1 row`, `1,200 rows`; give `plural` if it is irregular."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def closed(sentence: str) -> str:
    """The sentence with a full stop, unless it is a question."""
    return sentence if sentence.endswith("?") else f"{sentence}."


# Durations in words.

_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60))


def age(seconds: float) -> str:
    """A duration in its largest fitting unit: `2 days`, `1 hour`, `5 minutes`, `40 seconds`."""
    for unit, size in _UNITS:
        if seconds >= size:
            return counted(int(seconds // size), unit)
    return counted(max(0, int(seconds)), "second")


# Long values and texts of several lines shortened to one line; for an error, the line with the cause.

#: gRPC's text for a failed call; its first line only reports that a call failed.
_GRPC = re.compile(r'status = StatusCode\.(\w+)\s+details = "(.*?)"\s*$', re.MULTILINE | re.DOTALL)
#: libpq writes one line for each address it tried.
_ADDRESS = "connection to server "
#: The last line of a traceback that is not indented is the error.
_TRACEBACK = "Traceback (most recent call last):"
#: in characters, for a value that a person has set
_LONGEST_SHOWN = 120


def shortened(value: str) -> str:
    """The value in quotes, cut off if it is long."""
    return repr(value if len(value) <= _LONGEST_SHOWN else f"{value[:_LONGEST_SHOWN]}…")


def gist(text: str) -> str:
    """The first line, plus the next while the text so far ends in a colon. Without a closing full stop or colon.

    For a gRPC error its status and details; for a connection tried at several addresses the message of each.
    Empty for an empty text.
    """
    call = _GRPC.search(text)
    if call is not None:
        return f"gRPC {call[1]}: {' '.join(call[2].split())}".rstrip(".: ")
    if text.startswith(_TRACEBACK):
        text = [line for line in text.splitlines() if line.strip() and not line[0].isspace()][-1]
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    tried = dict.fromkeys(line for line in lines if line.startswith(_ADDRESS))
    if len(tried) > 1 and lines[0] in tried:
        return "; ".join(line.rstrip(".") for line in tried)
    said = "".join(lines[:1])
    for line in lines[1:]:
        if not said.endswith(":"):
            break
        said = f"{said} {line}"
    return said.rstrip(".: ")


# Times for people: one format in all outputs.


def minute(moment: datetime) -> str:
    """A moment to the minute in UTC, such as `2026-11-28 11:21 UTC`."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


# Times for programs: one format for JSON, logs and CSV files.


@overload
def iso(moment: datetime) -> str: ...
@overload
def iso(moment: None) -> None: ...
def iso(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC, such as 2026-03-01T04:00:00.000005Z; None stays None.

    Always to the microsecond: publishes are identified by it, and parsers that guess a format see only one.
    """
    return (
        None if moment is None else moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    )


def iso_now() -> str:
    """The current time, see `iso`."""
    return iso(datetime.now(UTC))


# Where the next run begins after a sync that did not publish.

#: During an outage of the database it is unknown: staging survives a clean stop of the server, but not a crash.
AFTER_AN_OUTAGE = (
    "the next run continues after the last durable page, or starts from the beginning if the server has crashed, "
    "which empties staging"
)


def goes_on(pages_left: int | None) -> str:
    """E.g. `continues after the last durable page`; `pages_left` is the number of durable pages, None if unknown."""
    if pages_left is None:
        return "continues after the last durable page, or starts from the beginning if none is durable"
    return "continues after the last durable page" if pages_left else "starts from the beginning: no page is durable"


# References to log files, only if there is something in them.


def size(log: Path) -> int:
    """Its size in bytes; 0 if it does not exist or cannot be read."""
    try:
        return log.stat().st_size
    except OSError:
        return 0


def see(words: str, log: Path, since_bytes: int = 0) -> str:
    """`words` with the log's path for `{log}` if the log holds more than `since_bytes`, else an empty text."""
    return words.format(log=log) if size(log) > since_bytes else ""
