"""Logs of programs that write to a file which they hold open: none grows without bound, the last ones are kept."""

import json
import os
import re
import shutil
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

# What a program's log says of its end: errors and the ends of tracebacks, whatever form its lines have.

_TAIL_BYTES = 65_536
_MOST_LINES = 5
_TRACEBACK = "Traceback (most recent call last)"
#: as Dagster writes a level, and as ours does in a terminal
_ERROR = re.compile(r" - (?:ERROR|CRITICAL) - |\[(?:error|critical)\s*\]")


def last_lines(log: Path) -> str:
    """The end of a log in one line."""
    said = [message.strip() for message, _ in _entries(log)]
    return " | ".join([one for one in said if one][-_MOST_LINES:])


def last_errors(log: Path) -> str:
    """The last errors of a log in one line: lines of that level, and how tracebacks end. Empty where it has none."""
    return " | ".join(list(dict.fromkeys(_errors(list(_entries(log)))))[-_MOST_LINES:])


def _errors(entries: Sequence[tuple[str, bool]]) -> Iterator[str]:
    is_within = False
    for message, is_error in entries:
        first = message.split("\n", 1)[0]
        if is_within and message.strip() and not message[:1].isspace():
            is_within = False
            yield message.strip()
        elif first.startswith(_TRACEBACK):
            is_within = True
        elif is_error:
            yield first.strip()


def _entries(log: Path) -> Iterator[tuple[str, bool]]:
    """What each of its last lines says, and whether as an error."""
    for line in _tail(log):
        entry = _object(line)
        if entry is None:
            yield line, _ERROR.search(line) is not None
            continue
        said = str(entry.get("message") or entry.get("event") or line)
        ended = str(entry.get("exception") or "").strip().splitlines()[-1:]
        yield ": ".join([said, *ended]), str(entry.get("level")).lower() in ("error", "critical")


def _tail(log: Path) -> list[str]:
    with log.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TAIL_BYTES))
        return file.read().decode(errors="replace").rstrip().splitlines()


def _object(line: str) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


#: Of one file, and how many older ones are kept beside it, as `daemon.log.1` (the newest) to `daemon.log.3`.
LARGEST_BYTES = 10 * 2**20
KEPT = 3


def set_aside(log: Path) -> None:
    """Make room for a new log: what there is becomes `.1`. Does nothing where there is none."""
    if log.exists():
        _shift(log)
        log.replace(_older(log, 1))


def keep_small(log: Path, largest_bytes: int = LARGEST_BYTES) -> None:
    """Begin the file anew when it is larger; its content becomes `.1`. Does nothing where there is none.

    The program writes on into the same file, so it is copied and then emptied: the program must have opened it to
    append. What it writes between the last look at the file's end and its emptying, some microseconds, is lost. No link
    is followed: a database's log is in a directory of its own user, whom root does not trust.
    """
    try:
        if log.lstat().st_size <= largest_bytes or log.is_symlink():
            return
        _shift(log)
        with open(log, "r+b", opener=_no_link) as source, open(_older(log, 1), "xb") as target:  # noqa: PTH123
            os.fchmod(target.fileno(), stat.S_IMODE(os.fstat(source.fileno()).st_mode))
            shutil.copyfileobj(source, target)
            os.ftruncate(source.fileno(), 0)
    except (FileNotFoundError, FileExistsError):
        return


def _no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW)


def _shift(log: Path) -> None:
    for number in range(KEPT - 1, 0, -1):
        if os.path.lexists(_older(log, number)):
            _older(log, number).replace(_older(log, number + 1))


def _older(log: Path, number: int) -> Path:
    return log.with_name(f"{log.name}.{number}")
