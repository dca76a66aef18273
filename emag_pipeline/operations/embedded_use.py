"""Using the embedded PostgreSQL together: the first command starts it, the last one to leave stops it.

Each user holds a shared lock on `EMAG_HOME/postgres.users`; whoever leaves and gets it exclusively is the last.
The kernel gives the locks of a killed user back, so a server that was left behind is stopped by the next one.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from emag_pipeline import embedded, running_up
from emag_pipeline.databases import attached, silence
from emag_pipeline.db.engine import Database
from emag_pipeline.home import claim
from emag_pipeline.settings import Settings

#: A running `up` notices within a second that the server ended; what is longer away does not come by itself.
_UP_SECONDS = 10.0
_LOOK_SECONDS = 0.1


@contextmanager
def in_use(home: Path) -> Iterator[embedded.EmbeddedServer]:
    """Start the server or attach to it; stop it at the end unless another command uses it.

    A running `up` starts it itself. Raises the errors of `embedded.start`, and `silence` where that one does not.
    """
    home = claim(home)
    with (home / "postgres.users").open("a") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        try:
            _wait_for_up(home)
            yield embedded.start(home)
        finally:
            _leave(users.fileno(), home)


@contextmanager
def looked_into(settings: Settings) -> Iterator[Database]:
    """The pipeline's database for a command that looks or decides: as `attached`, and it need not run already.

    Raises the errors of `awake` and `attached`; DatabaseUnavailable where none was ever set up.
    """
    with awake(settings), attached(settings) as database:
        yield database


@contextmanager
def awake(settings: Settings) -> Iterator[None]:
    """Let the embedded server run until the end, where one was ever set up; without one, do nothing.

    It is started if it sleeps; one that runs is kept although its other users leave. Raises the errors of `in_use`.
    """
    with ExitStack() as stack:
        is_needed = settings.database_url is None or settings.dagster_pg_url is None
        if is_needed and embedded.is_set_up(settings.home):
            stack.enter_context(in_use(settings.home))
        yield


def _wait_for_up(home: Path) -> None:
    """Leave it to a running `up` to start the server again. Raises `silence` when it does not, after some seconds."""
    until = time.monotonic() + _UP_SECONDS
    while embedded.is_set_up(home) and embedded.running(home) is None and _another_up_runs(home):
        if time.monotonic() > until:
            raise silence(home)
        time.sleep(_LOOK_SECONDS)


def _another_up_runs(home: Path) -> bool:
    up = running_up.running(home)
    return up is not None and up.pid != os.getpid()


def _leave(users: int, home: Path) -> None:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    server = embedded.running(home)
    if server is not None:
        server.stop()
