"""Other users of this machine, for tests that run as root."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act for another user")

#: `nobody`, who owns nothing here
STRANGER = 65534


def acting_as(uid: int, action: Callable[[], object]) -> None:
    """Do something as that user, in a child process."""
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)
            action()
        finally:
            os._exit(0)
    os.waitpid(child, 0)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)
