"""Logs of programs that write to a file which they hold open: none grows without bound, the last ones are kept."""

import os
import shutil
import stat
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
