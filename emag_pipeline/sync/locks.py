"""Reports database locks that a sync waits for: a locked table delays it without any error.

From PostgreSQL's views pg_locks and pg_stat_activity, without statement texts, which may contain data.
"""

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from threading import Event, Thread

from emag_pipeline.errors import DatabaseUnavailable, PipelineError
from emag_pipeline.logs import with_context
from emag_pipeline.store.engine import Database
from emag_pipeline.store.error_mapping import TABLE_HELD
from emag_pipeline.store.rows import rows_of
from emag_pipeline.store.sql import statements
from emag_pipeline.wording import iso

_WAITS = statements("sync/liveness.sql")["waits"]

#: Shorter waits are normal and not reported.
NOTABLE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Wait:
    """A session that waits for a lock, and one that blocks it. `table` is empty if it is not a table or row lock."""

    process: int
    application: str
    seconds: float
    table: str
    holder: int
    holder_user: str
    holder_application: str
    #: start of its transaction, and its state; None if this user may not see them
    holder_since: datetime | None
    holder_state: str | None

    @property
    def held(self) -> str:
        """The lock and its holder, e.g. `emag_offers, held by the database's process 7 (user ana, psql) since …`."""
        who = ", ".join(filter(None, (f"user {self.holder_user}", self.holder_application, self.holder_state)))
        since = f" since {iso(self.holder_since)}" if self.holder_since else ""
        return f"{self.table or 'a lock'}, held by the database's process {self.holder} ({who}){since}"

    @property
    def remedy(self) -> str:
        """How to release the lock."""
        return f"End that transaction, or in `emag-pipeline psql`: SELECT pg_terminate_backend({self.holder})"


def waits(database: Database, longer_than_seconds: float, of: Collection[int] | None = None) -> list[Wait]:
    """The waits in this database longer than the limit, longest first; `of`: only of these processes."""
    with database.transaction(timeout_seconds=5) as tx:
        result = tx.run(_WAITS, bound=longer_than_seconds, of=None if of is None else list(of))
        return rows_of(result, Wait)


#: Interval of the checks, which run only while a transaction is open.
_LOOK_SECONDS = 3.0


class LockWatch:
    """Finds what the work is waiting for; called every second by the heartbeat, which records it in the ledger."""

    def __init__(self, database: Database, obstacle: Callable[[], str]) -> None:
        """`obstacle` returns what else the work is waiting for."""
        self._database = database
        self._else = obstacle
        self._next = time.monotonic() + _LOOK_SECONDS
        self._seen: Wait | None = None
        self._is_waiting = False

    def obstacle(self) -> str:
        """What the work is waiting for; empty if nothing."""
        if time.monotonic() >= self._next:
            self._look(sorted(self._database.at_work))
            self._next = time.monotonic() + _LOOK_SECONDS
        if self._is_waiting and self._seen is not None:
            return f"waiting for {self._seen.held}"
        return self._else()

    def named(self, error: DatabaseUnavailable) -> DatabaseUnavailable:
        """A lock timeout with the table and its holder, if these were observed; other errors unchanged."""
        if error.what != TABLE_HELD or self._seen is None:
            return error
        return DatabaseUnavailable(
            error.what, where=error.where, why=f"it waited for {self._seen.held}", remedy=self._seen.remedy
        )

    @contextmanager
    def naming(self) -> Iterator[None]:
        """Raise errors from the block as `named`."""
        try:
            yield
        except DatabaseUnavailable as error:
            if (named := self.named(error)) is error:
                raise
            raise named from error

    def _look(self, own: list[int]) -> None:
        found: list[Wait] = []
        if own:
            with suppress(PipelineError):  # the work itself will meet the same error
                found = waits(self._database, NOTABLE_SECONDS, of=own)
        self._is_waiting = bool(found)
        if found:
            self._seen = found[0]


@contextmanager
def waits_reported(database: Database, say: Callable[[str], None]) -> Iterator[None]:
    """Report each lock wait of the block once to `say`; for work outside a sync, which would record it in the ledger.

    The error of a lock timeout names the table and the holder.
    """
    watch, over = LockWatch(database, lambda: ""), Event()

    def look() -> None:
        reported = ""
        while not over.wait(1.0):
            met = watch.obstacle()
            if met and met != reported:
                say(f"the database: {met}")
            reported = met

    thread = Thread(target=with_context(look), name="locks", daemon=True)
    thread.start()
    try:
        with watch.naming():
            yield
    finally:
        over.set()
        thread.join()
