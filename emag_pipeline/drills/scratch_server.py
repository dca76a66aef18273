"""A PostgreSQL server in a temporary home, which can be stopped and restarted, with short-lived databases on it.

Used by drills, promises, the month and the soak of a moving catalogue.
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
from emag_pipeline.store.server import autocommit_session

#: Faster, and safe here: only a crash of the machine loses data without fsync, a crash of the server alone does not.
UNSYNCED: Mapping[str, str] = {"fsync": "off"}


class ScratchServer:
    """The server of a home directory, started on construction. Raises the errors of `embedded.start`."""

    def __init__(self, home: Path, settings: Mapping[str, str]) -> None:
        self.home = home
        self._settings = settings
        self._one_at_a_time = Lock()
        self.start()

    @classmethod
    @contextmanager
    def opened(cls, settings: Mapping[str, str] = UNSYNCED, home: Path | None = None) -> Iterator[Self]:
        """A server with these settings, stopped and deleted at the end; a given `home` is kept."""
        with ExitStack() as stack:
            place = home or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="emag-own-")))
            server = cls(place, settings)
            try:
                yield server
            finally:
                server.stop()

    def start(self) -> None:
        """Start it, or restart it after a stop."""
        embedded.start(self.home, self._settings)

    def running(self) -> EmbeddedServer:
        """The running server. Raises TransientError if it does not run."""
        server = embedded.running(self.home)
        if server is None:
            raise TransientError("the scratch database server is not running", where=str(self.home))
        return server

    def url(self, name: str) -> str:
        """The URL of one of its databases, created if it is missing."""
        return self.running().url(name)

    def stop(self) -> None:
        """Shut it down in fast mode, if it runs."""
        server = embedded.running(self.home)
        if server is not None:
            server.stop()

    def stop_at_once(self) -> None:
        """Stop it immediately, without a checkpoint; its next start recovers from its log."""
        postmaster = self.running().postmaster()
        postmaster.send_signal(signal.SIGQUIT)
        postmaster.wait(60)

    def copy(self, template: str, name: str) -> None:
        """Create a database as a copy of a template, which must have no open sessions. Thread-safe.

        FILE_COPY makes a checkpoint: with the default strategy, a server crash sets the copy's sequences back.
        """
        self._administer(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')

    def drop(self, name: str) -> None:
        """Drop a database, even if it has open sessions. Thread-safe."""
        self._administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _administer(self, statement: str) -> None:
        with self._one_at_a_time, autocommit_session(self.url("postgres")) as session:
            session.run(statement)
