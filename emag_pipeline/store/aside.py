"""A thread beside the main one for calls into C, so that the main thread waits in Python, where signals reach it.

A daemon, unlike an executor's thread: a call that hangs in spite of everything must not keep the process alive.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")

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
