"""Sharing the embedded PostgreSQL: the process that started it stops it, or leaves that to its last user.

Each user process holds a shared lock on `EMAG_HOME/postgres.users`; a leaving one that gets it exclusively is the last.
A process that leaves a server that it started writes the server's process id into the file. A server that no user
process started is never stopped: the programs of a killed `up` keep using it without a lock, until the next `up` takes
it over. A server in crash recovery is not stopped either, because stopping would restart the recovery: its next user
stops it.
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
from emag_pipeline.errors import DatabaseUnavailable
from emag_pipeline.local.child import keep_small
from emag_pipeline.settings import Settings
from emag_pipeline.settings.home import claim
from emag_pipeline.store.calls import DriverCalls
from emag_pipeline.store.engine import Database

#: A running `up` notices within a second that the server ended; after longer than this it will not restart it.
_UP_SECONDS = 10.0
_LOOK_SECONDS = 0.1
_JOINING = "using the embedded PostgreSQL, which is already running"
_TO_RECOVERY = "leaving the embedded PostgreSQL to its recovery: the next command that uses it stops it"
_TO_OTHERS = "leaving the embedded PostgreSQL running: another command uses it, and the last one stops it"


@contextmanager
def in_use(
    home: Path, say: Callable[[str], None] = tell, steps: Callable[[str], None] = lambda _: None
) -> Iterator[embedded.EmbeddedServer]:
    """Start the server or attach to it; stop it at the end if this process is responsible and no other one uses it.

    A running `up` starts it itself. `say` reports a long start, `steps` whether the server is started or joined, and at
    the end whether it is stopped or left running. Raises the errors of `embedded.start`, and `silence` if `up` does not
    start it or its recovery takes more than some seconds.
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
            steps(_JOINING if runs else "starting the embedded PostgreSQL")
            yield embedded.start(home, say=say)
        finally:
            _leave(users, home, steps, is_ours=is_ours)


@contextmanager
def looked_into(settings: Settings) -> Iterator[Database]:
    """The pipeline's database for a command that reads or records a decision: as `attached`, but started if needed.

    Raises the errors of `awake` and `attached`; DatabaseUnavailable if none was ever set up.
    """
    with awake(settings), attached(settings) as database:
        yield database


@contextmanager
def awake(settings: Settings) -> Iterator[bool]:
    """Keep the embedded server running in this context, if one is used and was ever set up; otherwise do nothing.

    With a configured database Dagster's is on the same server (`dagster_url`), so the pipeline's setting decides
    whether the embedded one is used. A stopped server is started; a running one stays although its other users leave.
    Yields whether it was stopped. Raises the errors of `in_use`.
    """
    if settings.database_url is None and embedded.is_set_up(settings.home):
        with in_use(settings.home) as server:
            yield server.started_here
    else:
        yield False


def _wait_for_up(home: Path) -> None:
    """Wait for a running `up` to restart the server. Raises `silence` if it does not within some seconds."""
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
    """Whether this process is the home's `up`."""
    up = running_up.running(home)
    return up is not None and up.pid == os.getpid()


def _leave(users: TextIO, home: Path, steps: Callable[[str], None], *, is_ours: bool) -> None:
    """Stop the server, or leave it to others. Raises DatabaseUnavailable if it should be stopped and does not end."""
    server = embedded.living(home)
    if server is None:
        return
    with suppress(psutil.NoSuchProcess):
        number = str(server.postmaster().pid)
        if is_ours:
            _note(users, number)  # before trying the lock: the process that gets it must find this
        is_last = _locked(users, fcntl.LOCK_EX) and _noted(users) == number and not running_up.members(home)
        if is_last and _is_ready(home):
            steps("stopping the embedded PostgreSQL")
            server.stop()
            _note(users, "")
        else:
            steps(_TO_RECOVERY if is_last else _TO_OTHERS)


def _locked(users: TextIO, kind: int) -> bool:
    """Take the lock, `LOCK_SH` or `LOCK_EX`, if it is free; does not wait."""
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


# A running `up` restarts the server if it has died, and keeps its log small.

#: Time for a start within one call; a longer recovery is checked at the next calls.
_START_SECONDS = 1.0
#: For a server that was asked to stop and waits for its sessions (SIGTERM), refusing new ones.
_SESSIONS_SECONDS = 10.0
_WAITS = "the embedded PostgreSQL was told to stop and waits for its sessions: they are closed so that it can restart"


class EmbeddedWatch:
    """Keeps the embedded server running; does nothing if a database is configured."""

    def __init__(self, settings: Settings, say: Callable[[str], None]) -> None:
        self._home = settings.home if settings.uses_embedded_database else None
        self._say = say
        #: messages since the server was last seen running
        self._said: list[str] = []
        self._was_starting = False
        self._stopping_since: float | None = None

    def repair(self) -> None:
        """Restart the server if it is not running; committed data is kept. Tries again at each call.

        Does not wait for a long recovery, but checks it at each call. Reports once that the server is not running or
        recovering, each reason why it does not start once, and that it is running again.
        """
        if self._home is None:
            return
        keep_small(embedded.log_of(self._home))
        if embedded.running(self._home) is None and not self._is_started(self._home):
            return
        self._was_starting = False
        if self._said:
            self._say("the embedded PostgreSQL is running again")
            self._said.clear()

    def is_away(self) -> bool:
        """Whether the server accepts no connections. That is reported before its consequences."""
        home = self._home
        is_away = home is not None and (embedded.running(home) is None or embedded.starting(home))
        if is_away:
            self.repair()
        return is_away

    def _is_started(self, home: Path) -> bool:
        """Start it; returns whether it accepts connections."""
        if not embedded.starting(home):
            if self._was_starting and embedded.running(home) is None:
                self._say_once(embedded.ended(home).message)
            self._was_starting = False
            self._say_once(silence(home, up_goes_on=True).message)
            if self._is_stopping(home):
                return False
            try:
                embedded.start(home, say=lambda _: None, most_seconds=_START_SECONDS)
                return True
            except DatabaseUnavailable as error:
                if not embedded.starting(home):
                    self._say_once(error.message)
                    return False
        self._was_starting = True
        self._say_once(silence(home, up_goes_on=True).message)
        return False

    def _is_stopping(self, home: Path) -> bool:
        """Whether it was asked to stop and is still running. After some seconds, closes the sessions it waits for."""
        if embedded.living(home) is None or not embedded.was_stopped(home):
            self._stopping_since = None
            return False
        now = time.monotonic()
        self._stopping_since = self._stopping_since or now
        if now - self._stopping_since > _SESSIONS_SECONDS:
            self._say_once(_WAITS)
            embedded.hasten(home)
        return True

    def _say_once(self, text: str) -> None:
        if text not in self._said:
            self._say(text)
            self._said.append(text)
