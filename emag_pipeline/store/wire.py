"""The wire beneath a connection, and the clock of this process that bounds every call over it.

Statement timeouts are kept by the server, so they do not help against one that is frozen, or behind a network that
swallows packets: libpq would wait for ever, in C, where no signal handler runs. What ends such a call is the end of its
socket, which another thread can bring about at any moment: connecting apart, in whatever the driver waits.
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
    """A transaction as the server knows it: its process, and when it began. No later one has both."""

    process_id: int
    began_at: datetime


class DatabaseLine:
    """A second handle on a connection's socket, which stays ours whatever the driver does with its own."""

    def __init__(self, connection: DriverConnection, end_on_server: Callable[[Work], None]) -> None:
        """`end_on_server` ends a transaction from outside; it must not wait."""
        self._socket = socket.socket(fileno=os.dup(connection.fileno()))
        self._end_on_server = end_on_server
        self.is_cut = False
        #: it has just been connected: no need to ask whether it lives
        self.is_fresh = True
        #: the transaction that is open
        self.work: Work | None = None

    def cut(self) -> None:
        """End whatever the driver waits for: it fails as if the server had gone. The server is told, if it can be."""
        self.is_cut = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self.end_work()

    def end_work(self) -> None:
        """Have the server end the open transaction, if there is one, without waiting for it."""
        if self.work is not None:
            self._end_on_server(self.work)

    def wait_for_room(self) -> None:
        """Wait until the kernel has sent most of what it was given, or the line is cut.

        The driver says the end of a COPY without letting other threads run (psycopg2 2.9, `_pq_copy_in_v3`): with a
        full buffer before a server that reads no more, the whole process would stand still, deaf to signals and clocks.
        """
        with contextlib.suppress(OSError):  # not to be asked: as without it
            room = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
            while not self.is_cut and self._unsent() > room // 4:
                time.sleep(_LOOK_SECONDS)

    def _unsent(self) -> int:
        answer = fcntl.ioctl(self._socket.fileno(), termios.TIOCOUTQ, struct.pack("i", 0))
        return int(struct.unpack("i", answer)[0])

    def close(self) -> None:
        """Let go of the handle."""
        self._socket.close()


@dataclass(eq=False, slots=True)
class Bound:
    """A call over a line, and the moment (of `time.monotonic`) at which the line is cut."""

    line: DatabaseLine
    until: float

    @property
    def is_over(self) -> bool:
        """Whether that moment has come."""
        return time.monotonic() >= self.until

    def renew(self, seconds: float) -> None:
        """Begin to count anew."""
        self.until = time.monotonic() + seconds


class Watch:
    """Cuts lines whose calls take longer than they may: one thread, which sleeps until the next such moment."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._bounds: set[Bound] = set()
        self._wakes_at = 0.0
        self._thread: threading.Thread | None = None
        self._is_over = False

    def add(self, line: DatabaseLine, seconds: float) -> Bound:
        """Begin to count."""
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
        """The call is over, or was cut."""
        with self._changed:
            self._bounds.discard(bound)

    @contextlib.contextmanager
    def bounded(self, line: DatabaseLine, seconds: float) -> Iterator[None]:
        """Cut the line if what is done here takes longer."""
        bound = self.add(line, seconds)
        try:
            yield
        finally:
            self.remove(bound)

    def shorten(self, seconds: float) -> None:
        """From now on no call that is under way takes longer."""
        until = time.monotonic() + seconds
        with self._changed:
            for bound in self._bounds:
                bound.until = min(bound.until, until)
            self._changed.notify()

    def close(self) -> None:
        """Let the thread end; the next call gets another one."""
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
