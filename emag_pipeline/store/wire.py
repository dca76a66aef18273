"""The socket of a connection, and this process's time limits for calls on it.

Statement timeouts are enforced by the server, so they do not help if it is frozen or the network drops packets: libpq
would wait for ever, in C, where no signal handler runs. Shutting down the socket from another thread ends any such
call, except while connecting.
"""

import contextlib
import fcntl
import os
import socket
import struct
import termios
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from psycopg2.extensions import connection as DriverConnection

_LOOK_SECONDS = 0.002


@dataclass(frozen=True, slots=True)
class Work:
    """Identifies a transaction on the server: its process id and start time, which are unique together."""

    process_id: int
    began_at: datetime


class DatabaseLine:
    """A duplicate of a connection's socket, which stays open when the driver closes its own."""

    def __init__(self, connection: DriverConnection, end_on_server: Callable[[Work], None]) -> None:
        """`end_on_server` ends a transaction from outside; it must not wait."""
        self._socket = socket.socket(fileno=os.dup(connection.fileno()))
        self._end_on_server = end_on_server
        self.is_cut = False
        #: just connected, so no ping is needed
        self.is_fresh = True
        #: the transaction that is open
        self.work: Work | None = None

    def cut(self) -> None:
        """Shut down the socket, so that the driver's call fails, and end the transaction on the server."""
        self.is_cut = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self.end_work()

    def end_work(self) -> None:
        """Have the server end the open transaction, if any; does not wait."""
        if self.work is not None:
            self._end_on_server(self.work)

    def wait_for_room(self) -> None:
        """Wait until the kernel has sent most of the buffered data, or the socket is shut down.

        The driver sends the end of a COPY while holding the GIL (psycopg2 2.9, `_pq_copy_in_v3`): if the buffer is full
        and the server has stopped reading, the whole process would hang, without signal handlers or time limits.
        """
        with contextlib.suppress(OSError):  # the kernel does not report it: do not wait
            room = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
            while not self.is_cut and self._unsent() > room // 4:
                time.sleep(_LOOK_SECONDS)

    def _unsent(self) -> int:
        answer = fcntl.ioctl(self._socket.fileno(), termios.TIOCOUTQ, struct.pack("i", 0))
        return int(struct.unpack("i", answer)[0])

    def close(self) -> None:
        """Close the duplicate."""
        self._socket.close()


@dataclass(eq=False, slots=True)
class Bound:
    """A call on a line, and the time (of `time.monotonic`) at which the line is cut."""

    line: DatabaseLine
    until: float

    @property
    def is_over(self) -> bool:
        """Whether the time limit has passed."""
        return time.monotonic() >= self.until

    def renew(self, seconds: float) -> None:
        """Restart the time limit."""
        self.until = time.monotonic() + seconds


class Watch:
    """Cuts lines whose calls exceed their time limits: one thread, which sleeps until the next limit."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._bounds: set[Bound] = set()
        self._wakes_at = 0.0
        self._thread: threading.Thread | None = None
        self._is_over = False

    def add(self, line: DatabaseLine, seconds: float) -> Bound:
        """Start a time limit for a call on the line."""
        bound = Bound(line, time.monotonic() + seconds)
        with self._changed:
            self._bounds.add(bound)
            if self._thread is None:
                self._is_over = False
                thread = threading.Thread(target=self._work, name="watch", daemon=True)
                thread.start()
                self._thread = thread
            if bound.until < self._wakes_at:
                self._changed.notify()
        return bound

    def remove(self, bound: Bound) -> None:
        """End the time limit of a call."""
        with self._changed:
            self._bounds.discard(bound)

    @contextlib.contextmanager
    def bounded(self, line: DatabaseLine, seconds: float) -> Iterator[None]:
        """Cut the line if the block takes longer."""
        bound = self.add(line, seconds)
        try:
            yield
        finally:
            self.remove(bound)

    def shorten(self, seconds: float) -> None:
        """Limit all current calls to this time from now."""
        until = time.monotonic() + seconds
        with self._changed:
            for bound in self._bounds:
                bound.until = min(bound.until, until)
            self._changed.notify()

    def close(self) -> None:
        """Let the thread end; the next call starts a new one."""
        with self._changed:
            self._is_over = True
            self._thread = None
            self._changed.notify_all()

    def _work(self) -> None:
        with self._changed:
            while not self._is_over:
                now = time.monotonic()
                for bound in [bound for bound in self._bounds if bound.until <= now]:
                    self._bounds.discard(bound)
                    bound.line.cut()
                self._wakes_at = min((bound.until for bound in self._bounds), default=now + threading.TIMEOUT_MAX / 2)
                self._changed.wait(self._wakes_at - now)
