"""All calls into the driver: bounded by this process's own clock, and interruptible by signals.

A driver call runs in C, where Python signal handlers cannot run. The main thread therefore runs it in another thread
and waits in Python. An exception raised during that wait ends the call: the server is asked to end the transaction, and
if it does not respond at once, the socket is shut down. After that the process is stopping, and an unresponsive
database must not hold it up: its remaining writes have a few seconds in total.
"""

import select
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from math import inf
from queue import SimpleQueue
from typing import Any, TypeVar

import psycopg2
from psycopg2 import extensions
from psycopg2.extensions import connection as DriverConnection
from sqlalchemy.exc import DBAPIError

from emag_pipeline.errors import DatabaseUnavailable
from emag_pipeline.store.sql import statements
from emag_pipeline.store.wire import DatabaseLine, Watch, Work
from emag_pipeline.wording import AFTER_AN_OUTAGE

T = TypeVar("T")

#: Limits after a signal: for calls in progress, and for all writes that remain.
_LAST_CALL_SECONDS = 0.7
_LAST_WORDS_SECONDS = 2.5
#: How much longer than a call's limit its caller waits for the socket's shutdown to take effect.
_GRACE_SECONDS = 1.0
_SLICE_SECONDS = 0.1
#: Calls shorter than this are not interrupted.
_SHORT_SECONDS = 0.2

#: Called in the main thread several times a second during a call; an exception ends the call.
#: For programs whose signal handlers only set a flag (`local.stop_signals`).
HEEDED: list[Callable[[], None]] = []

# A thread for calls into C, so that the main thread waits in Python, where signal handlers can run.
#
# It is a daemon thread, unlike an executor's: a call that hangs must not keep the process alive.

_Calls = SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None]


class Aside:
    """Runs calls one after another in its own thread, which starts with the first call."""

    def __init__(self) -> None:
        self._calls: _Calls = SimpleQueue()
        self._thread: threading.Thread | None = None

    def submit(self, call: Callable[[], T]) -> "Future[T]":
        """Run the call in the thread."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, args=(self._calls,), name="sql", daemon=True)
            self._thread.start()
        outcome: Future[T] = Future()
        self._calls.put((call, outcome))
        return outcome

    def abandon(self) -> None:
        """Let the thread end after its current call, which may never return; the next call starts a new thread."""
        self._calls.put(None)
        self._calls = SimpleQueue()
        self._thread = None

    @staticmethod
    def _work(calls: _Calls) -> None:
        while (given := calls.get()) is not None:
            call, outcome = given
            try:
                outcome.set_result(call())
            except BaseException as error:  # passed on to the waiting thread
                outcome.set_exception(error)
            del given, call, outcome  # otherwise the rows of the last call stay in memory until the next


def once(call: Callable[[], T]) -> "Future[T]":
    """Run a single call in a thread that ends with it."""
    aside = Aside()
    outcome = aside.submit(call)
    aside.abandon()
    return outcome


def no_answer(seconds: float) -> DatabaseUnavailable:
    """The error of a call that timed out."""
    return DatabaseUnavailable(
        "the database does not answer",
        where="database",
        why=f"no response within {max(seconds, 0):.0f} s",
        remedy=f"Check the server, its load and the network; {AFTER_AN_OUTAGE}",
        is_late=True,
        is_away=True,
    )


class DriverCalls:
    """The calls of one database."""

    def __init__(self, most_seconds: float = inf) -> None:
        """No call takes longer than `most_seconds`, whatever its own limit."""
        self._aside = Aside()
        self._watch = Watch()
        self._most_seconds = most_seconds
        self._until = inf

    def run(self, work: Callable[[], T], line: DatabaseLine, seconds: float, *, is_asked_to_end: bool = True) -> T:
        """Run `work` on a line. A signal ends it: the server is asked first, if `is_asked_to_end`.

        Raises DatabaseUnavailable if there is no response within `seconds`.
        """
        seconds = self.left(seconds)

        def bounded() -> T:
            try:
                with self._watch.bounded(line, seconds):
                    return work()
            except (DBAPIError, psycopg2.Error) as error:
                if line.is_cut:
                    raise no_answer(seconds) from error
                raise

        if threading.current_thread() is not threading.main_thread():
            return bounded()

        def end(outcome: "Future[T]") -> None:
            if is_asked_to_end:
                line.end_work()
            if not _is_over(outcome, _LAST_CALL_SECONDS):
                line.cut()
                if not _is_over(outcome, _GRACE_SECONDS / 2):
                    self._aside.abandon()

        return self._heard(self._aside.submit(bounded), seconds + _GRACE_SECONDS, end)

    def open(self, work: Callable[[], T], seconds: float, give_back: Callable[[T], None]) -> T:
        """Get something from a connection pool, which may open a new connection; a late result is given back."""
        seconds = self.left(seconds)
        if threading.current_thread() is not threading.main_thread():
            return work()

        def end(outcome: "Future[T]") -> None:
            outcome.add_done_callback(lambda late: give_back(late.result()) if late.exception() is None else None)
            self._aside.abandon()

        return self._heard(self._aside.submit(work), seconds, end)

    def apart(self, connect: Callable[[], T], seconds: float, close: Callable[[T], None]) -> T:
        """Connect in a separate thread, which can be abandoned: there is no socket yet that could be shut down."""
        seconds = self.left(seconds)
        outcome = once(connect)
        until = time.monotonic() + seconds
        while not _is_over(outcome, _SLICE_SECONDS):
            if time.monotonic() > min(until, self._until):
                outcome.add_done_callback(lambda late: close(late.result()) if late.exception() is None else None)
                raise no_answer(seconds)
        return outcome.result()

    def watched(self) -> Watch:
        """The watch, for calls made by the pool itself."""
        return self._watch

    def left(self, seconds: float) -> float:
        """Reduce a call's limit to the time that is left. Raises DatabaseUnavailable if there is none."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise no_answer(_LAST_WORDS_SECONDS)
        return min(seconds, self._most_seconds, left)

    @staticmethod
    def pause(seconds: float) -> None:
        """Wait between two calls; the checks in `HEEDED` can end the wait."""
        time.sleep(seconds)
        if threading.current_thread() is threading.main_thread():
            _heed()

    @property
    def are_hurried(self) -> bool:
        """The process was told to stop."""
        return self._until < inf

    def close(self) -> None:
        """Let the threads end; no calls may follow."""
        self._aside.abandon()
        self._watch.close()

    def hurry(self) -> None:
        """The process was told to stop: from now on an unresponsive database delays it by a few seconds at most."""
        if self._until == inf:
            self._until = time.monotonic() + _LAST_WORDS_SECONDS
            self._watch.shorten(_LAST_CALL_SECONDS)

    def _heard(self, outcome: "Future[T]", seconds: float, end: Callable[["Future[T]"], None]) -> T:
        """Wait in Python, where signal handlers can run. `end` is called if the wait ends before the call does."""
        began = time.monotonic()
        try:
            while not _is_over(outcome, _SLICE_SECONDS):
                waited = time.monotonic() - began
                if waited > seconds:
                    raise no_answer(seconds)
                if waited > _SHORT_SECONDS:
                    _heed()
            return outcome.result()
        except BaseException as error:
            if not outcome.done():
                if not isinstance(error, Exception):
                    self.hurry()
                end(outcome)
            raise


def _heed() -> None:
    for check in HEEDED:
        check()


def _is_over(outcome: "Future[Any]", seconds: float) -> bool:
    try:
        outcome.exception(timeout=seconds)
    except TimeoutError:
        return outcome.done()
    return True


# Ending a transaction from outside, if its server process has no client any more but still holds locks.

#: Limit for connecting and sending the request.
_END_SECONDS = 5.0

_END = statements("store/transaction.sql")["end"]


def end_transaction(work: Work, parameters: Mapping[str, Any]) -> None:
    """End a transaction over a separate connection with these parameters, in a separate thread; never waits.

    Not by a cancel request: the driver holds the GIL while it sends one and waits for the response.
    """

    def connect_and_end() -> None:
        until = time.monotonic() + _END_SECONDS
        connection = psycopg2.connect(**parameters, async_=True)  # so that each step can time out
        try:
            _await(connection, until)
            connection.cursor().execute(_END, (work.process_id, work.began_at))
            _await(connection, until)
        finally:
            connection.close()

    once(connect_and_end)


def _await(connection: DriverConnection, until: float) -> None:
    """Wait for an asynchronous connection's current operation; raises OperationalError on timeout."""
    while (state := connection.poll()) != extensions.POLL_OK:
        left = until - time.monotonic()
        if left <= 0:
            raise psycopg2.OperationalError("no answer")
        here = [connection.fileno()]
        reading = state == extensions.POLL_READ
        select.select(here if reading else [], [] if reading else here, [], left)
