"""Access to PostgreSQL: short transactions, and no wait without a limit.

Works through PgBouncer in transaction mode: every setting, including the search path, is local to its transaction, and
nothing depends on a session. Every operation on the connection (connect, ping, begin, statement, COPY, commit,
rollback) is bounded by this process's own clock and ends when a signal arrives (`store.calls`).

A wait for a lock has three limits: `lock_timeout`, the statement timeout and, in case the server does not enforce them,
this process's clock. The transaction that holds the lock is limited as well, see the settings of each transaction.
"""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import psycopg2
import sqlalchemy as sa
from psycopg2.extensions import connection as DriverConnection
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry

from emag_pipeline.errors import DatabaseUnavailable
from emag_pipeline.settings.addresses import masked
from emag_pipeline.store.calls import DriverCalls, end_transaction, no_answer
from emag_pipeline.store.error_mapping import translate
from emag_pipeline.store.sql import statements
from emag_pipeline.store.transaction import GRACE_SECONDS, Transaction, number_of, require_committed, statement
from emag_pipeline.store.wire import DatabaseLine, Work

#: Limit for a statement of a sync; the publish of a million offers takes a few minutes.
STATEMENT_TIMEOUT_SECONDS = 900.0
#: Limit for a lock wait: only a migration holds a lock longer.
LOCK_TIMEOUT_SECONDS = 120.0
CONNECT_TIMEOUT_SECONDS = 10
#: Whose database it is.
PIPELINES, DAGSTERS = "the pipeline's", "Dagster's"

#: This process's limits: to connect, over all addresses; to wait for a pooled connection; for what a healthy server
#: answers at once; and for a commit, which may wait for disks and replicas.
_CONNECT_SECONDS = 15.0
_POOL_SECONDS = 30.0
_AT_ONCE_SECONDS = 5.0
_COMMIT_SECONDS = 60.0

_SETTINGS = statements("store/transaction.sql")["settings"]


class Database:
    """A small pool of connections to one schema."""

    def __init__(
        self,
        url: str,
        schema: str = "app",
        *,
        whose: str = "",
        pool_size: int = 4,
        most_seconds: float = float("inf"),
    ) -> None:
        """No call takes longer than `most_seconds`, for programs that must respond in time themselves.

        `whose` database it is, for the message of a refused login: PIPELINES, DAGSTERS or neither.
        """
        self.schema = schema
        self._whose = whose
        self._calls = DriverCalls(most_seconds)
        #: ids of the server processes in which this object has a transaction open
        self.at_work: set[int] = set()
        self.engine = sa.create_engine(
            url,
            pool_size=pool_size,
            max_overflow=2,
            pool_timeout=_POOL_SECONDS,
            hide_parameters=True,
            # whatever the database's default: after waiting for a lock, a statement sees what was committed meanwhile
            isolation_level="READ COMMITTED",
            connect_args={
                "application_name": "emag_pipeline",
                "connect_timeout": CONNECT_TIMEOUT_SECONDS,
                # a machine that vanished without closing its connections is noticed within a minute
                "keepalives_idle": 30,
                "keepalives_interval": 10,
                "keepalives_count": 3,
                "tcp_user_timeout": 60_000,
            },
        )
        event.listen(self.engine, "do_connect", self._connect)
        event.listen(self.engine, "connect", self._open_line, insert=True)  # before SQLAlchemy queries the version
        event.listen(self.engine, "checkout", self._require_life)
        event.listen(self.engine, "close", self._close_line)

    @contextmanager
    def transaction(
        self,
        *,
        timeout_seconds: float = STATEMENT_TIMEOUT_SECONDS,
        durable: bool = True,
    ) -> Iterator[Transaction]:
        """Open a transaction; commit at the end, roll back on any exception.

        No statement runs longer than `timeout_seconds` or waits for a lock longer than LOCK_TIMEOUT_SECONDS.
        If not `durable`, the commit does not wait for the disk: a crash of the server within about half a second may
        lose the whole transaction.
        If the connection is lost during the commit, the server is asked whether the commit happened; if so, this
        returns normally. If the server crashed meanwhile, was replaced or stays unreachable, the outcome is unknown:
        DatabaseUnavailable reports that, and a caller that retries must check what was written.
        Raises the project's errors for database failures, see `store.error_mapping`.
        """
        number, lost = None, None
        try:
            with self._connected() as (connection, line):
                line.work = self._begin(connection, line, timeout_seconds, durable=durable)
                self.at_work.add(line.work.process_id)
                transaction = Transaction(connection, self.schema, self._calls, line, timeout_seconds)
                yield transaction
                number = number_of(transaction)
                lost = self._commit(connection, line, timeout_seconds)
        except (DBAPIError, psycopg2.Error) as error:  # COPY speaks to the driver directly
            raise translate(error, self._whose) from error
        if lost is not None and number is not None:
            ask = partial(self.transaction, timeout_seconds=_AT_ONCE_SECONDS)
            require_committed(ask, self._calls, number, lost)

    @contextmanager
    def hurried_when_interrupted(self) -> Iterator[None]:
        """Run code that a signal may interrupt: after a signal, all further calls together have 2.5 seconds.

        After that every call raises DatabaseUnavailable, because the process is stopping.
        """
        try:
            yield
        except Exception:
            raise
        except BaseException:
            self._calls.hurry()
            raise

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()
        self._calls.close()

    def __repr__(self) -> str:
        return f"Database({masked(str(self.engine.url))!r}, schema={self.schema!r})"

    @contextmanager
    def _connected(self) -> Iterator[tuple[sa.Connection, DatabaseLine]]:
        """A pooled connection; an open transaction is rolled back at the end."""
        try:
            connection = self._calls.open(self.engine.connect, _POOL_SECONDS + _CONNECT_SECONDS, _give_back)
        except PoolTimeout as error:
            raise no_answer(_POOL_SECONDS) from error
        line: DatabaseLine = connection.connection.info["line"]
        try:
            yield connection, line
        except BaseException:
            try:
                self._calls.run(connection.rollback, line, _AT_ONCE_SECONDS, is_asked_to_end=False)
            except (DBAPIError, psycopg2.Error, DatabaseUnavailable):
                line.cut()  # otherwise the pool would roll back on it without a time limit
            raise
        finally:
            if line.work is not None:
                self.at_work.discard(line.work.process_id)
            line.work = None
            _give_back(connection, is_sound=not line.is_cut)

    def _begin(self, connection: sa.Connection, line: DatabaseLine, seconds: float, *, durable: bool) -> Work:
        settings = {
            "schema": self.schema,
            "milliseconds": str(int(seconds * 1000)),
            "lock_milliseconds": str(int(min(seconds, LOCK_TIMEOUT_SECONDS) * 1000)),
            "durable": "on" if durable else "off",
        }
        begin = partial(connection.execute, statement(_SETTINGS, self.schema), settings)
        begun = self._calls.run(begin, line, _AT_ONCE_SECONDS, is_asked_to_end=False).one()
        return Work(begun.process_id, begun.began_at)

    def _commit(self, connection: sa.Connection, line: DatabaseLine, seconds: float) -> DatabaseUnavailable | None:
        """Commit. Returns the error if the outcome is unknown."""
        try:
            seconds = min(seconds + GRACE_SECONDS, _COMMIT_SECONDS)
            self._calls.run(connection.commit, line, seconds, is_asked_to_end=False)
        except DatabaseUnavailable as error:
            return error
        except (DBAPIError, psycopg2.Error) as error:
            failure = translate(error, self._whose)
            if not connection.invalidated or not isinstance(failure, DatabaseUnavailable):
                raise
            return failure
        return None

    def _connect(self, dialect: Any, _: Any, arguments: Any, parameters: Any) -> DriverConnection:
        connect = partial(dialect.connect, *arguments, **parameters)
        connection: DriverConnection = self._calls.apart(connect, _CONNECT_SECONDS, lambda late: late.close())
        return connection

    def _open_line(self, connection: DriverConnection, entry: ConnectionPoolEntry) -> None:
        entry.info["line"] = line = DatabaseLine(connection, self._end)
        entry.info["first"] = self._calls.watched().add(line, self._calls.left(_CONNECT_SECONDS))

    def _require_life(self, connection: DriverConnection, entry: ConnectionPoolEntry, _: Any) -> None:
        """Check that a pooled connection still responds; if not, all connections of the pool are replaced."""
        line: DatabaseLine = entry.info["line"]
        if line.is_fresh:
            line.is_fresh = False
            self._calls.watched().remove(entry.info.pop("first"))
            return
        try:
            with self._calls.watched().bounded(line, self._calls.left(_AT_ONCE_SECONDS)):
                self.engine.dialect.do_ping(connection)  # type: ignore[arg-type]
        except psycopg2.Error as error:
            raise InvalidatePoolError from error

    def _end(self, work: Work) -> None:
        _, parameters = self.engine.dialect.create_connect_args(self.engine.url)
        end_transaction(work, parameters)

    @staticmethod
    def _close_line(_: DriverConnection, entry: ConnectionPoolEntry) -> None:
        entry.info["line"].close()


def _give_back(connection: sa.Connection, *, is_sound: bool = True) -> None:
    """Return the connection to the pool, or discard it if it is not `is_sound`."""
    with contextlib.suppress(DBAPIError, psycopg2.Error):
        if not is_sound:
            connection.invalidate()
        connection.close()
