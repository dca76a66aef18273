"""Logs of programs that write to a file which they hold open: none grows without bound, the last ones are kept."""

import os
import shutil
from pathlib import Path

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
    append. What it writes between the last look at the file's end and its emptying, some microseconds, is lost.
    """
    try:
        if log.stat().st_size <= largest_bytes:
            return
        _shift(log)
        with log.open("rb") as source, _older(log, 1).open("wb") as target:
            shutil.copymode(log, _older(log, 1))
            shutil.copyfileobj(source, target)
            os.truncate(log, 0)
    except FileNotFoundError:
        return


def _shift(log: Path) -> None:
    for number in range(KEPT - 1, 0, -1):
        if _older(log, number).exists():
            _older(log, number).replace(_older(log, number + 1))


def _older(log: Path, number: int) -> Path:
    return log.with_name(f"{log.name}.{number}")
