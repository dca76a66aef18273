"""Words for numbers, durations, moments and long texts, the same wherever they are shown."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import overload

# Numbers with their nouns.


def counted(number: int, noun: str, plural: str = "") -> str:
    """E.g. `1 row`, `1,200 rows`; `plural` where it is not the noun with an s."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


# Durations in words.

_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60))


def age(seconds: float) -> str:
    """A duration in its largest fitting unit: `2 days`, `1 hour`, `5 minutes`, `40 seconds`."""
    for unit, size in _UNITS:
        if seconds >= size:
            return counted(int(seconds // size), unit)
    return counted(max(0, int(seconds)), "second")


# What a text of several lines, or of a value without end, says in one: of an error the line that holds the cause.

#: How gRPC writes down a call that failed: its first line says no more than that one did.
_GRPC = re.compile(r'status = StatusCode\.(\w+)\s+details = "(.*?)"\s*$', re.MULTILINE | re.DOTALL)
#: libpq has a line for each address that it tried.
_ADDRESS = "connection to server "
#: Whose last line at the margin is the error.
_TRACEBACK = "Traceback (most recent call last):"
#: of a value that somebody has set
_LONGEST_SHOWN = 120


def shortened(value: str) -> str:
    """A value as it is shown: in quotes, and not all of one that has no end."""
    return repr(value if len(value) <= _LONGEST_SHOWN else f"{value[:_LONGEST_SHOWN]}…")


def gist(text: str) -> str:
    """The first line; what follows as well, where that one only announces it by a colon. No closing full stop or colon.

    Of a call over gRPC its status and details; of a connection that was tried at several addresses what each has said.
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


# Moments as programs read them: one format wherever JSON, logs and CSV files tell a time.


@overload
def iso(moment: datetime) -> str: ...
@overload
def iso(moment: None) -> None: ...
def iso(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC, such as 2026-03-01T04:00:00.000005Z; None stays None.

    Always to the microsecond: a publish is known by it, and a column of times of one length has one format to guess.
    """
    return (
        None if moment is None else moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    )


def iso_now() -> str:
    """This moment."""
    return iso(datetime.now(UTC))


# Where the next run of a sync that did not publish begins.

#: Of an outage of the database nobody knows what it left: staging survives a stop, and no crash of the server.
AFTER_AN_OUTAGE = (
    "the next run goes on after the last durable page, or starts from the beginning where the server has crashed, "
    "which empties staging"
)


def goes_on(pages_left: int | None) -> str:
    """E.g. `goes on after the last durable page`; `pages_left`: how many are durable, None where nobody knows."""
    if pages_left is None:
        return "goes on after the last durable page, or starts from the beginning where none is durable"
    return "goes on after the last durable page" if pages_left else "starts from the beginning: no page is durable"


# Where a program's own words can be read: named only where there are some.


def size(log: Path) -> int:
    """Its bytes; 0 where there is no such file, or none that may be looked at."""
    try:
        return log.stat().st_size
    except OSError:
        return 0


def see(words: str, log: Path, since_bytes: int = 0) -> str:
    """The words, with the log's name for `{log}`, if it holds more than so many bytes; empty where it does not."""
    return words.format(log=log) if size(log) > since_bytes else ""
