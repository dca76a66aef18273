"""One open transaction: statements and COPY, each bounded by this process's clock; commits with unknown outcome."""

import re
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache
from io import StringIO
from typing import Any, Protocol, TypeVar

import psycopg2
import sqlalchemy as sa
from psycopg2.extensions import ConnectionInfo

from emag_pipeline.errors import DatabaseUnavailable, PipelineError, TransientError
from emag_pipeline.logs import logger
from emag_pipeline.store.calls import DriverCalls, no_answer
from emag_pipeline.store.sql import statements
from emag_pipeline.store.wire import Bound, DatabaseLine, Watch

T = TypeVar("T")
log = logger(__name__)

_SQL = statements("store/transaction.sql")

#: How much longer than the server's statement timeout this process waits, so that the server can end it first.
GRACE_SECONDS = 5.0

_COPY_BYTES = 1 << 16
#: A statement that only reads; the loader does not send the comments before it.
_SELECT = re.compile(r"\s*SELECT\b", re.IGNORECASE)
#: Memory per row of a hash of ids, and the upper limit for one join.
_BYTES_A_ROW, _MOST_MEGABYTES = 128, 128


class Readable(Protocol):
    """Rows in COPY's text format, read piece by piece."""

    def read(self, size: int, /) -> bytes: ...


@lru_cache(maxsize=512)
def statement(sql: str, schema: str) -> sa.TextClause:
    """The SQL for the driver; `{schema}` (for DDL and for work on two schemas) becomes the quoted schema name."""
    return sa.text(sql.replace("{schema}", f'"{schema}"'))


class _Rows:
    """Rows for the driver to send; before the end of the data it waits for the socket (`wait_for_room`)."""

    def __init__(self, rows: StringIO | Readable, line: DatabaseLine) -> None:
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


class _Taken:
    """Rows from the driver, each with its own time limit; a row that is not consumed in time ends the transaction."""

    def __init__(self, write: Callable[[bytes], object], watch: Watch, line: DatabaseLine, seconds: float) -> None:
        self._write = write
        self._watch = watch
        self._line = line
        self._seconds = seconds
        self._bound: Bound | None = None

    def take(self, copy: Callable[[], object]) -> None:
        """Run the driver's COPY with the time limit."""
        self._bound = self._watch.add(self._line, self._seconds)
        try:
            copy()
        except psycopg2.Error as error:
            if self._bound.is_over:
                raise no_answer(self._seconds) from error
            raise
        except BaseException:
            self._line.cut()  # otherwise a rollback would first read all remaining rows
            raise
        finally:
            self._watch.remove(self._bound)

    def write(self, row: bytes) -> None:
        """The next row."""
        assert self._bound is not None, "the driver copies within `take`"  # noqa: S101
        self._bound.renew(self._seconds)
        self._write(row)
        if self._bound.is_over:
            raise TransientError(
                "the reader of the rows paused for too long",
                where="database",
                why=f"the transaction was ended after {self._seconds:.0f} s without a row being read",
                remedy="Read without long pauses, or export to a file, and run the command again",
            )
        self._bound.renew(self._seconds)


class Transaction:
    """One open transaction whose search path is the schema. SQL takes parameters as `:name`."""

    def __init__(
        self, connection: sa.Connection, schema: str, calls: DriverCalls, line: DatabaseLine, seconds: float
    ) -> None:
        #: for direct use of SQLAlchemy, such as migrations; only within `apart`
        self.connection = connection
        self.schema = schema
        self._calls = calls
        self._line = line
        self._seconds = seconds
        #: whether anything other than a SELECT was sent, so that the outcome of the commit matters
        self.has_written = False

    def run(self, sql: str, /, **parameters: Any) -> sa.CursorResult[Any]:
        """Execute one statement and return its buffered result; parameters that it does not name are ignored."""
        text = statement(sql, self.schema)
        return self._send(lambda: self.connection.execute(text, parameters), only_reads=_only_reads(sql))

    def run_many(self, sql: str, rows: list[dict[str, Any]], /) -> None:
        """Execute one statement for each row of parameters, batched by the driver."""
        if rows:
            text = statement(sql, self.schema)
            self.apart(lambda: self.connection.execute(text, rows))

    def copy_in(self, sql: str, text: str | Readable, /) -> int:
        """Send rows in PostgreSQL's text format through `COPY … FROM STDIN`. Returns their number."""
        command = sql.replace("{schema}", f'"{self.schema}"')
        cursor = self.connection.connection.cursor()
        rows = _Rows(StringIO(text) if isinstance(text, str) else text, self._line)
        try:
            self.apart(lambda: cursor.copy_expert(command, rows, _COPY_BYTES))
            return int(cursor.rowcount)
        finally:
            cursor.close()

    def copy_out(
        self, sql: str, write: Callable[[bytes], object], /, *, pause_seconds: float, **parameters: Any
    ) -> int:
        """Stream the rows of a `COPY … TO STDOUT`: `write` gets each row. Returns their number.

        The driver quotes the parameters, since COPY takes none. Raises what `write` raises, and TransientError if the
        server sends no row, or `write` consumes none, for longer than `pause_seconds`: the transaction is then ended,
        because its snapshot would keep VACUUM from cleaning up.
        """
        query = statement(sql, self.schema).bindparams(**parameters).compile(dialect=self.connection.dialect)
        cursor = self.connection.connection.cursor()
        rows = _Taken(write, self._calls.watched(), self._line, pause_seconds)
        try:
            command = cursor.mogrify(str(query), query.params)
            self._calls.run(
                lambda: rows.take(lambda: cursor.copy_expert(command, rows)),
                self._line,
                self._seconds + GRACE_SECONDS,
                # the driver prints a traceback if the server ends the transaction before all rows are sent
                is_asked_to_end=False,
            )
            return int(cursor.rowcount)
        finally:
            cursor.close()

    def apart(self, work: Callable[[], T]) -> T:
        """Run code that uses `connection`, with the time limit of a statement; a signal ends it."""
        return self._send(work, only_reads=False)

    def expect(self, rows: int) -> None:
        """Raise work_mem for joins of `rows` rows until the end of the transaction, up to 128 MB.

        With the server's default of 4 MB, a join of a million rows spills to disk, including its wide columns.
        """
        megabytes = min(_MOST_MEGABYTES, rows * _BYTES_A_ROW // 2**20)
        self.run(
            """SELECT set_config('work_mem', :megabytes, true)
               WHERE pg_size_bytes(current_setting('work_mem')) < pg_size_bytes(:megabytes)""",
            megabytes=f"{megabytes}MB",
        )

    def within(self, schema: str) -> "Transaction":
        """The same transaction with another schema for `{schema}`; the search path does not change."""
        self.has_written = True
        return Transaction(self.connection, schema, self._calls, self._line, self._seconds)

    def wire(self) -> ConnectionInfo:
        """The connection as libpq describes it: host, encryption, server process."""
        raw = self.connection.connection.driver_connection
        assert raw is not None, "a transaction is open"  # noqa: S101
        info: ConnectionInfo = raw.info
        return info

    def _send(self, work: Callable[[], T], *, only_reads: bool) -> T:
        self.has_written = self.has_written or not only_reads
        return self._calls.run(work, self._line, self._seconds + GRACE_SECONDS)


def _only_reads(sql: str) -> bool:
    """Whether a statement is a SELECT, whose outcome at commit does not matter."""
    return _SELECT.match(sql) is not None


# If the connection is lost during a commit, the server is asked over another one whether the commit happened.

#: For how long the server is asked: as long as connecting may take.
_ASK_SECONDS = 15.0
#: Interval between attempts: the server may still be committing, or restarting.
_LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Number:
    """A transaction id with the server's lifetime: after a crash the same id may be assigned again."""

    number: str
    life: str | None


def number_of(tx: Transaction) -> Number | None:
    """The transaction's id on the server; None if nothing was written."""
    if not tx.has_written:
        return None
    row = tx.run(_SQL["number"]).one()
    return None if row.number is None else Number(row.number, row.life)


def require_committed(
    open_transaction: Callable[[], AbstractContextManager[Transaction]],
    calls: DriverCalls,
    number: Number,
    lost: DatabaseUnavailable,
) -> None:
    """Check over another connection that a transaction was committed.

    Raises `lost` if it was not, another DatabaseUnavailable if the outcome is unknown.
    """
    found = _found(open_transaction, calls, number)
    if found is None:
        raise _unknown("the server does not report its outcome")
    if found.life is None or found.life != number.life:
        raise _unknown("the server has crashed or was replaced since")
    if found.status != "committed":
        raise lost
    log.info("commit_found", what=f"transaction {number.number}")


def _found(
    open_transaction: Callable[[], AbstractContextManager[Transaction]], calls: DriverCalls, number: Number
) -> Any:
    """The status of an ended transaction as the server reports it; None if it does not within `_ASK_SECONDS`."""
    until = time.monotonic() + _ASK_SECONDS
    while True:
        try:
            with open_transaction() as tx:
                found = tx.run(_SQL["status"], number=number.number).one()
            if found.status != "in progress" or found.life != number.life:
                return found
        except DatabaseUnavailable:
            if calls.are_hurried:
                return None
        except PipelineError:  # a server that does not know the transaction
            return None
        if time.monotonic() > until:
            return None
        calls.pause(_LOOK_SECONDS)


def _unknown(why: str) -> DatabaseUnavailable:
    return DatabaseUnavailable(
        "the connection was lost during a commit, and it is unknown whether the commit succeeded",
        where="database",
        why=why,
        remedy="Check the data before you repeat the command; a sync checks it itself, and the next run continues",
    )
