"""Every call into the driver: bounded by this process's own clock, and ended by a signal, wherever it is.

A call runs in C, where a signal's handler cannot break in. The main thread therefore lets it run in a thread beside it
and waits in Python; what breaks into that wait ends the call: the server is asked to end the transaction, and if that
has no answer in a moment, the line is cut. From then on the process is about to end, and a database that does not
answer may not keep it: whatever it still has to write has a few seconds in all.
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
from emag_pipeline.store.wire import DatabaseLine, Watch, Work
from emag_pipeline.wording import AFTER_AN_OUTAGE

T = TypeVar("T")

#: After a signal: for calls that are under way, and for everything that is still to be written.
_LAST_CALL_SECONDS = 0.7
_LAST_WORDS_SECONDS = 2.5
#: How much longer than the bound of a call its caller waits, for the cut to have its effect.
_GRACE_SECONDS = 1.0
_SLICE_SECONDS = 0.1
#: A call that takes less is not worth breaking off.
_SHORT_SECONDS = 0.2

#: What is asked in the main thread, several times a second, while a call lasts; what it raises ends the call.
#: For programs whose signal handlers only take note (`local.stop_signals`).
HEEDED: list[Callable[[], None]] = []

# A thread beside the main one for calls into C, so that the main thread waits in Python, where signals reach it.
#
# A daemon, unlike an executor's thread: a call that hangs in spite of everything must not keep the process alive.

_Calls = SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None]


class Aside:
    """Runs one call after the other in a thread of its own, which starts with the first of them."""

    def __init__(self) -> None:
        self._calls: _Calls = SimpleQueue()
        self._thread: threading.Thread | None = None

    def submit(self, call: Callable[[], T]) -> "Future[T]":
        """Run the call aside."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, args=(self._calls,), name="sql", daemon=True)
            self._thread.start()
        outcome: Future[T] = Future()
        self._calls.put((call, outcome))
        return outcome

    def abandon(self) -> None:
        """Let the thread end after its call, which may never return; the next call gets another one."""
        self._calls.put(None)
        self._calls = SimpleQueue()
        self._thread = None

    @staticmethod
    def _work(calls: _Calls) -> None:
        while (given := calls.get()) is not None:
            call, outcome = given
            try:
                outcome.set_result(call())
            except BaseException as error:  # handed to the waiting thread, whatever it is
                outcome.set_exception(error)
            del given, call, outcome  # or the last one's rows would live until the next call


def once(call: Callable[[], T]) -> "Future[T]":
    """Run a single call in a thread that ends with it."""
    aside = Aside()
    outcome = aside.submit(call)
    aside.abandon()
    return outcome


def no_answer(seconds: float) -> DatabaseUnavailable:
    """The error of a call whose time is over."""
    return DatabaseUnavailable(
        "the database does not answer",
        where="database",
        why=f"nothing came within {max(seconds, 0):.0f} s",
        remedy=f"Look at the server, its load and the network between; {AFTER_AN_OUTAGE}",
        is_late=True,
        is_away=True,
    )


class DriverCalls:
    """The calls of one database."""

    def __init__(self, most_seconds: float = inf) -> None:
        """None takes longer than `most_seconds`, whatever is allowed to it."""
        self._aside = Aside()
        self._watch = Watch()
        self._most_seconds = most_seconds
        self._until = inf

    def run(self, work: Callable[[], T], line: DatabaseLine, seconds: float, *, is_asked_to_end: bool = True) -> T:
        """Do one thing over a line. A signal ends it, by asking the server first unless that is pointless.

        Raises DatabaseUnavailable when there is no answer within `seconds`.
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
        """Get something from a pool of connections, which may take a new one; what comes too late is given back."""
        seconds = self.left(seconds)
        if threading.current_thread() is not threading.main_thread():
            return work()

        def end(outcome: "Future[T]") -> None:
            outcome.add_done_callback(lambda late: give_back(late.result()) if late.exception() is None else None)
            self._aside.abandon()

        return self._heard(self._aside.submit(work), seconds, end)

    def apart(self, connect: Callable[[], T], seconds: float, close: Callable[[T], None]) -> T:
        """Connect in a thread that may be left behind, since there is no line yet that could be cut."""
        seconds = self.left(seconds)
        outcome = once(connect)
        until = time.monotonic() + seconds
        while not _is_over(outcome, _SLICE_SECONDS):
            if time.monotonic() > min(until, self._until):
                outcome.add_done_callback(lambda late: close(late.result()) if late.exception() is None else None)
                raise no_answer(seconds)
        return outcome.result()

    def watched(self) -> Watch:
        """The watch, for calls that the pool makes by itself."""
        return self._watch

    def left(self, seconds: float) -> float:
        """How much of so many seconds is left to a call. Raises DatabaseUnavailable when nothing is."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise no_answer(_LAST_WORDS_SECONDS)
        return min(seconds, self._most_seconds, left)

    @staticmethod
    def pause(seconds: float) -> None:
        """Wait between two calls; what is `HEEDED` ends that too."""
        time.sleep(seconds)
        if threading.current_thread() is threading.main_thread():
            _heed()

    @property
    def are_hurried(self) -> bool:
        """The process was told to stop."""
        return self._until < inf

    def close(self) -> None:
        """Nothing more is called: let the threads end."""
        self._aside.abandon()
        self._watch.close()

    def hurry(self) -> None:
        """The process was told to stop: a database that does not answer keeps it a few seconds at most."""
        if self._until == inf:
            self._until = time.monotonic() + _LAST_WORDS_SECONDS
            self._watch.shorten(_LAST_CALL_SECONDS)

    def _heard(self, outcome: "Future[T]", seconds: float, end: Callable[["Future[T]"], None]) -> T:
        """Wait in Python, where signals arrive. `end` is called if the call has not ended when this does."""
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


# The end of a transaction from outside: its process serves nobody any more, and holds locks.

#: To connect, and to say it.
_END_SECONDS = 5.0

_END = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE pid = %s AND xact_start = %s AND datname = current_database()
"""


def end_transaction(work: Work, parameters: Mapping[str, Any]) -> None:
    """End a transaction by a connection of its own, made with these parameters, in a thread of its own; never waits.

    Not by a cancel request: the driver sends it without letting other threads run, and waits for the answer.
    """

    def connect_and_end() -> None:
        until = time.monotonic() + _END_SECONDS
        connection = psycopg2.connect(**parameters, async_=True)  # so that each step has an end
        try:
            _await(connection, until)
            connection.cursor().execute(_END, (work.process_id, work.began_at))
            _await(connection, until)
        finally:
            connection.close()

    once(connect_and_end)


def _await(connection: DriverConnection, until: float) -> None:
    """Wait for what was asked of an asynchronous connection; raises OperationalError when the time is over."""
    while (state := connection.poll()) != extensions.POLL_OK:
        left = until - time.monotonic()
        if left <= 0:
            raise psycopg2.OperationalError("no answer")
        here = [connection.fileno()]
        reading = state == extensions.POLL_READ
        select.select(here if reading else [], [] if reading else here, [], left)
