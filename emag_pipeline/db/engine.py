"""The door to PostgreSQL: short transactions, schema-qualified SQL, statements that a signal can end.

Works through PgBouncer in transaction mode: every setting is local to its transaction, nothing rests on a
session. A statement runs in C, where a signal handler cannot break in; the main thread therefore waits for
it in Python, and when a signal arrives it cancels the statement on the server before it passes the signal on.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import lru_cache
from io import StringIO
from typing import Any, Protocol, TypeVar

import psycopg2
import sqlalchemy as sa
from psycopg2.extensions import ConnectionInfo
from sqlalchemy.exc import DBAPIError

from emag_pipeline.db.aside import Aside
from emag_pipeline.db.failures import translate

T = TypeVar("T")

#: No statement of a sync may run longer; the publish of a million offers takes a few minutes.
STATEMENT_TIMEOUT_SECONDS = 900.0
CONNECT_TIMEOUT_SECONDS = 10

_COPY_BYTES = 1 << 16

#: Settings of each transaction, which end what a killed or frozen process would otherwise leave for others to wait for:
#: a statement whose client is gone (the server looks every two seconds), a transaction in which nobody goes on.
_SETTINGS = """
    SELECT set_config('statement_timeout', :milliseconds, true), set_config('timezone', 'UTC', true),
           set_config('synchronous_commit', :durable, true),
           set_config('client_connection_check_interval', '2000', true),
           set_config('idle_in_transaction_session_timeout', '10000', true)
"""


class Readable(Protocol):
    """Ready rows that come piece by piece."""

    def read(self, size: int, /) -> bytes: ...


@lru_cache(maxsize=512)
def _statement(sql: str, schema: str) -> sa.TextClause:
    return sa.text(sql.replace("{schema}", f'"{schema}"'))


class Transaction:
    """One open transaction. `{schema}` in SQL stands for the quoted schema, `:name` for a parameter."""

    def __init__(self, connection: sa.Connection, schema: str, aside: Aside) -> None:
        #: for what SQLAlchemy itself has to do, such as migrations
        self.connection = connection
        self.schema = schema
        self._aside = aside

    def run(self, sql: str, /, **parameters: Any) -> sa.CursorResult[Any]:
        """Execute one statement and return its buffered result; a parameter that it does not name is left out."""
        statement = _statement(sql, self.schema)
        return self._interruptibly(lambda: self.connection.execute(statement, parameters))

    def run_many(self, sql: str, rows: list[dict[str, Any]], /) -> None:
        """Execute one statement for each row of parameters, batched by the driver."""
        if rows:
            statement = _statement(sql, self.schema)
            self._interruptibly(lambda: self.connection.execute(statement, rows))

    def copy_in(self, sql: str, text: str | Readable, /) -> int:
        """Send ready rows in PostgreSQL's text format through `COPY … FROM STDIN`. Returns how many."""
        statement = sql.replace("{schema}", f'"{self.schema}"')
        cursor = self.connection.connection.cursor()
        rows = StringIO(text) if isinstance(text, str) else text
        try:
            self._interruptibly(lambda: cursor.copy_expert(statement, rows, _COPY_BYTES))
            return int(cursor.rowcount)
        finally:
            cursor.close()

    def within(self, schema: str) -> "Transaction":
        """The same transaction, `{schema}` standing for another one."""
        return Transaction(self.connection, schema, self._aside)

    def wire(self) -> ConnectionInfo:
        """The connection as libpq knows it: host, encryption, the process that serves it."""
        raw = self.connection.connection.driver_connection
        assert raw is not None, "a transaction is open"  # noqa: S101
        info: ConnectionInfo = raw.info
        return info

    def _interruptibly(self, work: Callable[[], T]) -> T:
        if threading.current_thread() is not threading.main_thread():
            return work()
        outcome = self._aside.submit(work)
        try:
            return outcome.result()
        except BaseException:
            if not outcome.done():
                self._cancel_until(outcome)
            raise

    def _cancel_until(self, outcome: "Future[Any]") -> None:
        raw = self.connection.connection.driver_connection
        for _ in range(20):  # a cancel that arrives before its statement is lost, so ask again
            if raw is not None:
                raw.cancel()
            try:
                outcome.exception(timeout=0.1)
            except TimeoutError:
                continue
            return
        self._aside.abandon()


class Database:
    """A small pool of connections to one schema."""

    def __init__(self, url: str, schema: str = "app", *, pool_size: int = 4) -> None:
        self.schema = schema
        self._aside = Aside()
        self.engine = sa.create_engine(
            url,
            pool_size=pool_size,
            max_overflow=2,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={
                "application_name": "emag_pipeline",
                "connect_timeout": CONNECT_TIMEOUT_SECONDS,
                "keepalives_idle": 30,
            },
        )

    @contextmanager
    def transaction(
        self, *, timeout_seconds: float = STATEMENT_TIMEOUT_SECONDS, durable: bool = True
    ) -> Iterator[Transaction]:
        """Open a transaction; commit at the end, roll back on any exception.

        Not `durable` means that the commit does not wait for the disk: a crash of the server may lose it,
        whole, within its last half second.
        Raises the project's errors for the database's failures, see `db.failures`.
        """
        try:
            with self.engine.begin() as connection:
                transaction = Transaction(connection, self.schema, self._aside)
                transaction.run(
                    _SETTINGS,
                    milliseconds=str(int(timeout_seconds * 1000)),
                    durable="on" if durable else "off",
                )
                yield transaction
        except (DBAPIError, psycopg2.Error) as error:  # COPY speaks to the driver directly
            raise translate(error) from error

    def close(self) -> None:
        """Give all connections back to the server."""
        self.engine.dispose()

    def __repr__(self) -> str:
        return f"Database({self.engine.url!r}, schema={self.schema!r})"
