"""Using the embedded PostgreSQL together: whoever started it stops it, or leaves that to the last one who uses it.

Each user holds a shared lock on `EMAG_HOME/postgres.users`; whoever leaves and gets it exclusively is the last. One who
leaves a server of his to others writes its number into the file. A server that nobody here has started is never
stopped: the programs of a killed `up` live on with it and hold no lock. The next `up` takes it over. One that recovers
what a crash has left is not stopped either, or each short try would make it begin anew: its next user does that.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

import psutil

from emag_pipeline import embedded, running_up
from emag_pipeline.console import tell
from emag_pipeline.databases import attached, require_not_frozen, silence
from emag_pipeline.local import process_group
from emag_pipeline.settings import Settings
from emag_pipeline.settings.home import claim
from emag_pipeline.store.calls import DriverCalls
from emag_pipeline.store.engine import Database

#: A running `up` notices within a second that the server ended; what is longer away does not come by itself.
_UP_SECONDS = 10.0
_LOOK_SECONDS = 0.1
_TO_RECOVERY = "leaving the embedded PostgreSQL to its recovery: the next command that uses it stops it"
_TO_OTHERS = "leaving the embedded PostgreSQL running: another command uses it, and the last one stops it"


@contextmanager
def in_use(
    home: Path, say: Callable[[str], None] = tell, steps: Callable[[str], None] = lambda _: None
) -> Iterator[embedded.EmbeddedServer]:
    """Start the server or attach to it; stop it at the end where that is ours to do and nobody else uses it.

    A running `up` starts it itself. `say` hears of a long start, `steps` whether it is started or joined, and at the
    end whether it is stopped or left running. Raises the errors of `embedded.start`, and `silence`
    where that one does not, or the server recovers for longer than some seconds.
    """
    home = claim(home)
    require_not_frozen(home)
    with (home / "postgres.users").open("a+") as users:
        while not _locked(users, fcntl.LOCK_SH):  # the last user is stopping it
            DriverCalls.pause(_LOOK_SECONDS)
        is_ours = False
        try:
            _wait_for_up(home)
            is_ours = embedded.running(home) is None or _is_up(home)
            runs = embedded.living(home) is not None
            steps("joining the embedded PostgreSQL, which runs already" if runs else "starting the embedded PostgreSQL")
            yield embedded.start(home, say=say)
        finally:
            _leave(users, home, steps, is_ours=is_ours)


@contextmanager
def looked_into(settings: Settings) -> Iterator[Database]:
    """The pipeline's database for a command that looks or decides: as `attached`, and it need not run already.

    Raises the errors of `awake` and `attached`; DatabaseUnavailable where none was ever set up.
    """
    with awake(settings), attached(settings) as database:
        yield database


@contextmanager
def awake(settings: Settings) -> Iterator[bool]:
    """Let the embedded server run until the end, where one is used and was ever set up; without one, do nothing.

    With a configured database Dagster's is beside it (`dagster_url`), so the pipeline's tells whether one is used. It
    is started if it sleeps; one that runs is kept although its other users leave. Yields whether it slept. Raises the
    errors of `in_use`.
    """
    if settings.database_url is None and embedded.is_set_up(settings.home):
        with in_use(settings.home) as server:
            yield server.started_here
    else:
        yield False


def _wait_for_up(home: Path) -> None:
    """Leave it to a running `up` to start the server again. Raises `silence` when it does not, after some seconds."""
    until = time.monotonic() + _UP_SECONDS
    while embedded.is_set_up(home) and _another_up_runs(home) and not _is_ready(home):
        if time.monotonic() > until:
            raise silence(home)
        DriverCalls.pause(_LOOK_SECONDS)


def _is_ready(home: Path) -> bool:
    return embedded.running(home) is not None and not embedded.starting(home)


def _another_up_runs(home: Path) -> bool:
    return running_up.running(home) is not None and not _is_up(home)


def _is_up(home: Path) -> bool:
    """Whether this process is the home's one `up`."""
    up = running_up.running(home)
    return up is not None and up.pid == os.getpid()


def _leave(users: TextIO, home: Path, steps: Callable[[str], None], *, is_ours: bool) -> None:
    """Raises DatabaseUnavailable when the server is to be stopped and does not end."""
    server = embedded.living(home)
    if server is None:
        return
    with suppress(psutil.NoSuchProcess):
        number = str(server.postmaster().pid)
        if is_ours:
            _note(users, number)  # before the lock is asked for: whoever gets it has to find this
        is_last = _locked(users, fcntl.LOCK_EX) and _noted(users) == number and not process_group.members(home)
        if is_last and _is_ready(home):
            steps("stopping the embedded PostgreSQL")
            server.stop()
            _note(users, "")
        else:
            steps(_TO_RECOVERY if is_last else _TO_OTHERS)


def _locked(users: TextIO, kind: int) -> bool:
    """Take the lock, `LOCK_SH` or `LOCK_EX`, if it can be had at once."""
    try:
        fcntl.flock(users, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _note(users: TextIO, number: str) -> None:
    users.truncate(0)
    users.write(number)
    users.flush()


def _noted(users: TextIO) -> str:
    users.seek(0)
    return users.read()
