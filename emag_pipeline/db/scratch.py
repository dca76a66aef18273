"""Databases that come and go on a scratch server: copies of a template, dropped when they have served."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from emag_pipeline.db.engine import Database
from emag_pipeline.db.transaction import Transaction


class ScratchDatabases:
    """Copies and drops databases of the server at `maintenance_url`, one after the other. Thread-safe.

    Meant for a server that holds nothing else: names are taken as they are.
    """

    def __init__(self, maintenance_url: str) -> None:
        self._maintenance_url = maintenance_url
        self._one_at_a_time = Lock()

    def copy(self, template: str, name: str) -> None:
        """Create a database as a copy of a template, in which nobody may have a session.

        By the strategy that checkpoints: after the default one, a crash of the server sets sequences of the copy back.
        """
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')

    def drop(self, name: str) -> None:
        """Drop a database, whoever still has a session in it."""
        self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _execute(self, statement: str) -> None:
        with self._one_at_a_time, self._session() as session:
            session.run(statement)

    @contextmanager
    def _session(self) -> Iterator[Transaction]:
        """Without a transaction around its statements, as CREATE DATABASE demands."""
        database = Database(self._maintenance_url, pool_size=1)
        database.engine = database.engine.execution_options(isolation_level="AUTOCOMMIT")
        try:
            with database.transaction() as session:
                yield session
        finally:
            database.close()
