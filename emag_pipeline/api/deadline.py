"""A time limit for one call that stands still while the call waits for its slot."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Deadline:
    """Calls `expire` from another thread once `seconds` have run, within `running` and not within `paused`."""

    def __init__(self, seconds: float, expire: Callable[[], None]) -> None:
        self._left_seconds = seconds
        self._expire = expire
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._started = 0.0
        self.has_passed = False

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let the time run."""
        self._start()
        try:
            yield
        finally:
            self._stop()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stop the time, within `running`."""
        self._stop()
        try:
            yield
        finally:
            self._start()

    def _start(self) -> None:
        self._started = time.monotonic()
        timer = threading.Timer(max(0.0, self._left_seconds), self._ring)
        timer.daemon = True
        self._timer = timer
        timer.start()

    def _stop(self) -> None:
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = None
        self._left_seconds -= time.monotonic() - self._started

    def _ring(self) -> None:
        with self._lock:  # a timer that rings while it is being stopped must not cut the next call
            if self._timer is threading.current_thread():
                self.has_passed = True
                self._expire()
