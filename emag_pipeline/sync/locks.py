"""What a sync waits for in the database, seen from beside it: a table that somebody holds tells nobody of itself."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

from emag_pipeline.db import locks
from emag_pipeline.db.engine import Database
from emag_pipeline.db.failures import TABLE_HELD
from emag_pipeline.db.locks import Wait
from emag_pipeline.errors import DatabaseUnavailable, PipelineError
from emag_pipeline.logs import with_context

#: So often it is looked for, and only while a transaction is open.
_LOOK_SECONDS = 3.0


class LockWatch:
    """Asked every second by the heartbeat, which writes what it answers into the ledger."""

    def __init__(self, database: Database, obstacle: Callable[[], str]) -> None:
        """`obstacle` says what else keeps the work waiting."""
        self._database = database
        self._else = obstacle
        self._next = time.monotonic() + _LOOK_SECONDS
        self._seen: Wait | None = None
        self._is_waiting = False

    def obstacle(self) -> str:
        """What keeps the work waiting; empty if nothing."""
        if time.monotonic() >= self._next:
            self._look(sorted(self._database.at_work))
            self._next = time.monotonic() + _LOOK_SECONDS
        if self._is_waiting and self._seen is not None:
            return f"waiting for {self._seen.held}"
        return self._else()

    def named(self, error: DatabaseUnavailable) -> DatabaseUnavailable:
        """The error of a lock that could not be had, with the table and who has it, as far as that was seen."""
        if error.what != TABLE_HELD or self._seen is None:
            return error
        return DatabaseUnavailable(
            error.what, where=error.where, why=f"it waited for {self._seen.held}", remedy=self._seen.remedy
        )

    @contextmanager
    def naming(self) -> Iterator[None]:
        """Raise what is raised within as `named`."""
        try:
            yield
        except DatabaseUnavailable as error:
            if (named := self.named(error)) is error:
                raise
            raise named from error

    def _look(self, own: list[int]) -> None:
        found: list[Wait] = []
        if own:
            with suppress(PipelineError):  # whatever it is, the work itself meets it too
                found = locks.waits(self._database, locks.NOTABLE_SECONDS, of=own)
        self._is_waiting = bool(found)
        if found:
            self._seen = found[0]


@contextmanager
def waits_told(database: Database, say: Callable[[str], None]) -> Iterator[None]:
    """Work with a database that `say` hears of who keeps it waiting, once each; outside of a sync, which has a ledger.

    An error of a lock that could not be had names table and holder.
    """
    watch, over = LockWatch(database, lambda: ""), Event()

    def look() -> None:
        told = ""
        while not over.wait(1.0):
            met = watch.obstacle()
            if met and met != told:
                say(f"the database: {met}")
            told = met

    thread = Thread(target=with_context(look), name="locks", daemon=True)
    thread.start()
    try:
        with watch.naming():
            yield
    finally:
        over.set()
        thread.join()
