"""A PostgreSQL server in a home of its own, which may be stopped and started again; databases come and go on it.

Drills, promises, the month and the soak of a moving catalogue all have theirs from here.
"""

import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Lock
from typing import Self

from emag_pipeline import embedded
from emag_pipeline.embedded import EmbeddedServer
from emag_pipeline.errors import TransientError
from emag_pipeline.store.engine import Database

#: What is lost with the machine need not survive it; a crash of the server alone loses nothing by this.
UNSYNCED: Mapping[str, str] = {"fsync": "off"}


class ScratchServer:
    """The server of a home directory; it runs from its construction on. Raises the errors of `embedded.start`."""

    def __init__(self, home: Path, settings: Mapping[str, str]) -> None:
        self.home = home
        self._settings = settings
        self._one_at_a_time = Lock()
        self.start()

    @classmethod
    @contextmanager
    def opened(cls, settings: Mapping[str, str] = UNSYNCED, home: Path | None = None) -> Iterator[Self]:
        """A server with these settings, stopped at the end; nothing of it remains, except in a `home` that is given."""
        with ExitStack() as stack:
            place = home or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="emag-own-")))
            server = cls(place, settings)
            try:
                yield server
            finally:
                server.stop()

    def start(self) -> None:
        """Start it, or start it again."""
        embedded.start(self.home, self._settings)

    def running(self) -> EmbeddedServer:
        """The server, which must run. Raises TransientError otherwise."""
        server = embedded.running(self.home)
        if server is None:
            raise TransientError("the scratch database server does not run", where=str(self.home))
        return server

    def url(self, name: str) -> str:
        """The URL of one of its databases, which is created if it is missing."""
        return self.running().url(name)

    def stop(self) -> None:
        """Stop it as an administrator does, if it runs."""
        server = embedded.running(self.home)
        if server is not None:
            server.stop()

    def stop_at_once(self) -> None:
        """Its `immediate` stop: it writes nothing any more, and its next start recovers from its log."""
        postmaster = self.running().postmaster()
        postmaster.send_signal(signal.SIGQUIT)
        postmaster.wait(60)

    def copy(self, template: str, name: str) -> None:
        """Create a database as a copy of a template, in which no process may have a session. Thread-safe.

        By the strategy that checkpoints: after the default one, a crash of the server sets sequences of the copy back.
        """
        self._administer(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')

    def drop(self, name: str) -> None:
        """Drop a database and end the sessions in it. Thread-safe."""
        self._administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _administer(self, statement: str) -> None:
        """Without a transaction around the statement, as CREATE DATABASE demands."""
        with self._one_at_a_time:
            database = Database(self.url("postgres"), pool_size=1)
            database.engine = database.engine.execution_options(isolation_level="AUTOCOMMIT")
            try:
                with database.transaction() as session:
                    session.run(statement)
            finally:
                database.close()
