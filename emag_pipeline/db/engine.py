"""The door to PostgreSQL: short transactions, schema-qualified SQL, nothing that waits without bound.

Works through PgBouncer in transaction mode: every setting is local to its transaction, nothing rests on a
session. Whatever is done over the wire - connect, ask whether a pooled connection lives, begin, statement, COPY,
commit, roll back - is bounded by this process's own clock and ends when a signal comes (`db.calls`).

A wait for a lock is bounded three times: by `lock_timeout`, by the statement's own time, and, should the server not
keep them, by the clock here. What holds the lock is bounded too: see the settings of each transaction.
"""

import contextlib
import select
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from io import StringIO
from typing import Any, Protocol, TypeVar

import psycopg2
import sqlalchemy as sa
from psycopg2 import extensions
from psycopg2.extensions import ConnectionInfo
from psycopg2.extensions import connection as DriverConnection
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry

from emag_pipeline.database_url import masked
from emag_pipeline.db.aside import once
from emag_pipeline.db.calls import Calls, no_answer
from emag_pipeline.db.failures import translate
from emag_pipeline.db.line import Line, Work
from emag_pipeline.errors import DatabaseUnavailable, PipelineError
from emag_pipeline.logs import logger

log = logger(__name__)

T = TypeVar("T")

#: No statement of a sync may run longer; the publish of a million offers takes a few minutes.
STATEMENT_TIMEOUT_SECONDS = 900.0
#: Nor wait so long for a lock: nobody holds one longer but a migration.
LOCK_TIMEOUT_SECONDS = 120.0
CONNECT_TIMEOUT_SECONDS = 10

#: What the clock here allows: to connect by all addresses together, to wait for a connection of the pool, for what the
#: server answers at once when it lives, and for a commit, which may wait for disks and replicas.
_CONNECT_SECONDS = 15.0
_POOL_SECONDS = 30.0
_AT_ONCE_SECONDS = 5.0
_COMMIT_SECONDS = 60.0
#: The server ends a statement whose time is over by itself, if it can.
_GRACE_SECONDS = 5.0

#: A server whose client is gone may still be committing, and one that is being restarted is back in a moment.
_LOOK_SECONDS = 0.1

_COPY_BYTES = 1 << 16

#: Settings of each transaction, which end what a killed or frozen process would otherwise leave for others to wait for:
#: a statement whose client is gone (the server looks every two seconds), a transaction in which nobody goes on.
_SETTINGS = """
    SELECT set_config('statement_timeout', :milliseconds, true), set_config('timezone', 'UTC', true),
           set_config('lock_timeout', :lock_milliseconds, true),
           set_config('synchronous_commit', :durable, true),
           set_config('client_connection_check_interval', '2000', true),
           set_config('idle_in_transaction_session_timeout', '10000', true),
           pg_backend_pid() AS process_id, now() AS began_at
"""

#: A transaction's number, and the life of its server: from one crash to the next. The server loses its statistics in a
#: crash, whether all of it died or one of its processes, and a replica in its place has others; a stop keeps them.
_NUMBER = """
    SELECT CAST(pg_current_xact_id_if_assigned() AS text) AS number,
           CAST(pg_stat_get_bgwriter_stat_reset_time() AS text) AS life
"""
_STATUS = """
    SELECT pg_xact_status(CAST(:number AS xid8)) AS status,
           CAST(pg_stat_get_bgwriter_stat_reset_time() AS text) AS life
"""

_END = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE pid = %s AND xact_start = %s AND datname = current_database()
"""


class Readable(Protocol):
    """Ready rows that come piece by piece."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Number:
    """A transaction as the server knows it in one life: after a crash, another one may get the same number."""

    number: str
    life: str | None


@lru_cache(maxsize=512)
def _statement(sql: str, schema: str) -> sa.TextClause:
    return sa.text(sql.replace("{schema}", f'"{schema}"'))


class _Rows:
    """Rows for the driver, whose end waits for the wire (`Line.wait_for_room`)."""

    def __init__(self, rows: StringIO | Readable, line: Line) -> None:
        self._rows = rows
        self._line = line

    def read(self, size: int, /) -> str | bytes:
        """The next piece."""
        try:
            piece = self._rows.read(size)
        except BaseException:
            self._line.wait_for_room()
            raise
        if not piece:
            self._line.wait_for_room()
        return piece


class Transaction:
    """One open transaction. `{schema}` in SQL stands for the quoted schema, `:name` for a parameter."""

    def __init__(self, connection: sa.Connection, schema: str, calls: Calls, line: Line, seconds: float) -> None:
        #: for what SQLAlchemy itself has to do, such as migrations: within `apart`
        self.connection = connection
        self.schema = schema
        self._calls = calls
        self._line = line
        self._seconds = seconds
        #: anything but a question was sent: what became of it matters
        self.has_written = False

    def run(self, sql: str, /, **parameters: Any) -> sa.CursorResult[Any]:
        """Execute one statement and return its buffered result; a parameter that it does not name is left out."""
        statement = _statement(sql, self.schema)
        return self._send(lambda: self.connection.execute(statement, parameters), is_question=_is_question(sql))

    def run_many(self, sql: str, rows: list[dict[str, Any]], /) -> None:
        """Execute one statement for each row of parameters, batched by the driver."""
        if rows:
            statement = _statement(sql, self.schema)
            self.apart(lambda: self.connection.execute(statement, rows))

    def copy_in(self, sql: str, text: str | Readable, /) -> int:
        """Send ready rows in PostgreSQL's text format through `COPY … FROM STDIN`. Returns how many."""
        statement = sql.replace("{schema}", f'"{self.schema}"')
        cursor = self.connection.connection.cursor()
        rows = _Rows(StringIO(text) if isinstance(text, str) else text, self._line)
        try:
            self.apart(lambda: cursor.copy_expert(statement, rows, _COPY_BYTES))
            return int(cursor.rowcount)
        finally:
            cursor.close()

    def apart(self, work: Callable[[], T]) -> T:
        """Do something with `connection`, within the time of a statement; a signal ends it."""
        return self._send(work, is_question=False)

    def within(self, schema: str) -> "Transaction":
        """The same transaction, `{schema}` standing for another one."""
        self.has_written = True
        return Transaction(self.connection, schema, self._calls, self._line, self._seconds)

    def wire(self) -> ConnectionInfo:
        """The connection as libpq knows it: host, encryption, the process that serves it."""
        raw = self.connection.connection.driver_connection
        assert raw is not None, "a transaction is open"  # noqa: S101
        info: ConnectionInfo = raw.info
        return info

    def number(self) -> Number | None:
        """The transaction's number on the server; None when nothing was written."""
        if not self.has_written:
            return None
        row = self.run(_NUMBER).one()
        return None if row.number is None else Number(row.number, row.life)

    def _send(self, work: Callable[[], T], *, is_question: bool) -> T:
        self.has_written = self.has_written or not is_question
        return self._calls.run(work, self._line, self._seconds + _GRACE_SECONDS)


def _is_question(sql: str) -> bool:
    """Whether a statement changes nothing that anybody relies upon."""
    return sql.lstrip()[:6].upper() == "SELECT"


class Database:
    """A small pool of connections to one schema."""

    def __init__(
        self, url: str, schema: str = "app", *, pool_size: int = 4, most_seconds: float = float("inf")
    ) -> None:
        """No call of it lasts longer than `most_seconds`, for programs that have to answer in time themselves."""
        self.schema = schema
        self._calls = Calls(most_seconds)
        self.engine = sa.create_engine(
            url,
            pool_size=pool_size,
            max_overflow=2,
            pool_timeout=_POOL_SECONDS,
            hide_parameters=True,
            # whatever the database's default: a statement sees what was committed while it waited for a lock
            isolation_level="READ COMMITTED",
            connect_args={
                "application_name": "emag_pipeline",
                "connect_timeout": CONNECT_TIMEOUT_SECONDS,
                # a machine that is gone without a word is noticed within a minute
                "keepalives_idle": 30,
                "keepalives_interval": 10,
                "keepalives_count": 3,
                "tcp_user_timeout": 60_000,
            },
        )
        event.listen(self.engine, "do_connect", self._connect)
        event.listen(self.engine, "connect", self._open_line, insert=True)  # before SQLAlchemy asks for the version
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

        No statement runs longer than `timeout_seconds`; one that waits for a lock not longer than LOCK_TIMEOUT_SECONDS.
        Not `durable` means that the commit does not wait for the disk: a crash of the server may lose it,
        whole, within its last half second.
        A connection that is lost at the commit leaves open whether it happened: the server is asked, and if it did
        all is well. It cannot say when it crashed meanwhile, was replaced or stays away: DatabaseUnavailable says that
        nobody knows then, and whoever tries again has to look for what it wrote.
        Raises the project's errors for the database's failures, see `db.failures`.
        """
        number, lost = None, None
        try:
            with self._connected() as (connection, line):
                line.work = self._begin(connection, line, timeout_seconds, durable=durable)
                transaction = Transaction(connection, self.schema, self._calls, line, timeout_seconds)
                yield transaction
                number = transaction.number()
                lost = self._commit(connection, line, timeout_seconds)
        except (DBAPIError, psycopg2.Error) as error:  # COPY speaks to the driver directly
            raise translate(error) from error
        if lost is not None and number is not None:
            self._require_committed(number, lost)

    @contextmanager
    def hurried_when_interrupted(self) -> Iterator[None]:
        """Do what a signal may break into: from then on, all that is asked of this database has 2.5 seconds.

        After them every call of it raises DatabaseUnavailable: the process is to end.
        """
        try:
            yield
        except Exception:
            raise
        except BaseException:
            self._calls.hurry()
            raise

    def close(self) -> None:
        """Give all connections back to the server."""
        self.engine.dispose()
        self._calls.close()

    def __repr__(self) -> str:
        return f"Database({masked(str(self.engine.url))!r}, schema={self.schema!r})"

    @contextmanager
    def _connected(self) -> Iterator[tuple[sa.Connection, Line]]:
        """A connection of the pool, in which nothing is left open."""
        try:
            connection = self._calls.open(self.engine.connect, _POOL_SECONDS + _CONNECT_SECONDS, _give_back)
        except PoolTimeout as error:
            raise no_answer(_POOL_SECONDS) from error
        line: Line = connection.connection.info["line"]
        try:
            yield connection, line
        except BaseException:
            try:
                self._calls.run(connection.rollback, line, _AT_ONCE_SECONDS, is_asked_to_end=False)
            except (DBAPIError, psycopg2.Error, DatabaseUnavailable):
                line.cut()  # or the pool would roll back over it, without bound
            raise
        finally:
            line.work = None
            _give_back(connection, is_sound=not line.is_cut)

    def _begin(self, connection: sa.Connection, line: Line, seconds: float, *, durable: bool) -> Work:
        settings = {
            "milliseconds": str(int(seconds * 1000)),
            "lock_milliseconds": str(int(min(seconds, LOCK_TIMEOUT_SECONDS) * 1000)),
            "durable": "on" if durable else "off",
        }
        begin = partial(connection.execute, _statement(_SETTINGS, self.schema), settings)
        begun = self._calls.run(begin, line, _AT_ONCE_SECONDS, is_asked_to_end=False).one()
        return Work(begun.process_id, begun.began_at)

    def _commit(self, connection: sa.Connection, line: Line, seconds: float) -> DatabaseUnavailable | None:
        """Commit. Returns the error that leaves open what became of it."""
        try:
            seconds = min(seconds + _GRACE_SECONDS, _COMMIT_SECONDS)
            self._calls.run(connection.commit, line, seconds, is_asked_to_end=False)
        except DatabaseUnavailable as error:
            return error
        except (DBAPIError, psycopg2.Error) as error:
            failure = translate(error)
            if not connection.invalidated or not isinstance(failure, DatabaseUnavailable):
                raise
            return failure
        return None

    def _require_committed(self, number: Number, lost: DatabaseUnavailable) -> None:
        """See by another connection that a transaction is done. Raises `lost` if not, or says that nobody knows."""
        found = self._found(number)
        if found is None:
            raise _unknown("the server does not say")
        if found.life is None or found.life != number.life:
            raise _unknown("the server has crashed since, or another one is in its place")
        if found.status != "committed":
            raise lost
        log.info("commit_found", what=f"transaction {number.number}")

    def _found(self, number: Number) -> Any:
        """What the server says of a transaction that has ended; None if it does not say while one would connect."""
        until = time.monotonic() + _CONNECT_SECONDS
        while True:
            try:
                with self.transaction(timeout_seconds=_AT_ONCE_SECONDS) as tx:
                    found = tx.run(_STATUS, number=number.number).one()
                if found.status != "in progress" or found.life != number.life:
                    return found
            except DatabaseUnavailable:
                if self._calls.are_hurried:
                    return None
            except PipelineError:  # one that never heard of it
                return None
            if time.monotonic() > until:
                return None
            self._calls.pause(_LOOK_SECONDS)

    def _connect(self, dialect: Any, _: Any, arguments: Any, parameters: Any) -> DriverConnection:
        connect = partial(dialect.connect, *arguments, **parameters)
        connection: DriverConnection = self._calls.apart(connect, _CONNECT_SECONDS, lambda late: late.close())
        return connection

    def _open_line(self, connection: DriverConnection, entry: ConnectionPoolEntry) -> None:
        entry.info["line"] = line = Line(connection, self._end)
        entry.info["first"] = self._calls.watched().add(line, self._calls.left(_CONNECT_SECONDS))

    def _require_life(self, connection: DriverConnection, entry: ConnectionPoolEntry, _: Any) -> None:
        """See that a connection of the pool still answers; if not, all are made anew."""
        line: Line = entry.info["line"]
        if line.is_fresh:
            line.is_fresh = False
            self._calls.watched().remove(entry.info.pop("first"))
            return
        try:
            with self._calls.watched().bounded(line, self._calls.left(_AT_ONCE_SECONDS)):
                self.engine.dialect.do_ping(connection)  # type: ignore[arg-type]
        except psycopg2.Error as error:
            raise InvalidatePoolError from error

    @staticmethod
    def _close_line(_: DriverConnection, entry: ConnectionPoolEntry) -> None:
        entry.info["line"].close()

    def _end(self, work: Work) -> None:
        """End a transaction from outside, by a connection of its own, in a thread of its own.

        Not by a cancel request: the driver sends it without letting other threads run, and waits for the answer.
        """
        _, parameters = self.engine.dialect.create_connect_args(self.engine.url)

        def end() -> None:
            until = time.monotonic() + _AT_ONCE_SECONDS
            connection = psycopg2.connect(**parameters, async_=True)  # so that each step has an end
            try:
                _wait(connection, until)
                connection.cursor().execute(_END, (work.process_id, work.began_at))
                _wait(connection, until)
            finally:
                connection.close()

        once(end)


def _unknown(why: str) -> DatabaseUnavailable:
    return DatabaseUnavailable(
        "the connection was lost at a commit, and it is not known whether that was done",
        where="database",
        why=why,
        remedy="Look what is there before it is done again; a sync looks by itself, and the next run goes on",
    )


def _wait(connection: DriverConnection, until: float) -> None:
    """Wait for what was asked of an asynchronous connection; raises OperationalError when the time is over."""
    while (state := connection.poll()) != extensions.POLL_OK:
        left = until - time.monotonic()
        if left <= 0:
            raise psycopg2.OperationalError("no answer")
        here = [connection.fileno()]
        reading = state == extensions.POLL_READ
        select.select(here if reading else [], [] if reading else here, [], left)


def _give_back(connection: sa.Connection, *, is_sound: bool = True) -> None:
    """Back to the pool, or away with it."""
    with contextlib.suppress(DBAPIError, psycopg2.Error):
        if not is_sound:
            connection.invalidate()
        connection.close()
