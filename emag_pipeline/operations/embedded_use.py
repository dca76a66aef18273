"""Using the embedded PostgreSQL together: the first command starts it, the last one to leave stops it.

Each user holds a shared lock on `EMAG_HOME/postgres.users`; whoever leaves and gets it exclusively is the last.
The kernel gives the locks of a killed user back, so a server that was left behind is stopped by the next one.
"""

import fcntl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from emag_pipeline import embedded
from emag_pipeline.databases import attached
from emag_pipeline.db.engine import Database
from emag_pipeline.home import claim
from emag_pipeline.settings import Settings


@contextmanager
def in_use(home: Path) -> Iterator[embedded.EmbeddedServer]:
    """Start the server or attach to it; stop it at the end unless another command uses it.

    Raises the errors of `embedded.start`.
    """
    home = claim(home)
    with (home / "postgres.users").open("a") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        try:
            yield embedded.start(home)
        finally:
            _leave(users.fileno(), home)


@contextmanager
def looked_into(settings: Settings) -> Iterator[Database]:
    """The pipeline's database for a command that looks or decides: as `attached`, and it need not run already.

    An embedded server that was set up before is started for as long as the command takes. Raises the errors of
    `attached`; DatabaseUnavailable where none was ever set up.
    """
    with ExitStack() as stack:
        is_asleep = settings.database_url is None and embedded.is_set_up(settings.home)
        if is_asleep and embedded.running(settings.home) is None:
            stack.enter_context(in_use(settings.home))
        yield stack.enter_context(attached(settings))


@contextmanager
def kept(settings: Settings) -> Iterator[None]:
    """Keep an embedded server that runs until the end, although its other users leave; without one, do nothing.

    For commands that end other commands: the last one to leave stops the server, which then must not be gone yet.
    """
    with ExitStack() as stack:
        is_needed = settings.database_url is None or settings.dagster_pg_url is None
        if is_needed and embedded.running(settings.home) is not None:
            stack.enter_context(in_use(settings.home))
        yield


def _leave(users: int, home: Path) -> None:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    server = embedded.running(home)
    if server is not None:
        server.stop()
