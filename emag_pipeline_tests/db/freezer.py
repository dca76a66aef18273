"""A door to PostgreSQL that freezes: at a chosen moment it takes no further bytes and passes none on, closing nothing.

It looks like a server that is stopped, or a network that swallows packets: for one connection, or for all.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

_NAME = ".s.PGSQL.5432"

Moment = Literal["connect", "ping", "begin", "statement", "copy", "commit", "rollback"]

#: What the client sends at each moment. A connect is known by being the first, a COPY by its data.
_SENT = {
    "ping": b"SELECT 1\x00",
    "begin": b"BEGIN ",  # and its isolation level
    "statement": b"pg_sleep",
    "copy": b"COPY ",
    "commit": b"COMMIT\x00",
    "rollback": b"ROLLBACK\x00",
}
MOMENTS: tuple[Moment, ...] = ("connect", "ping", "begin", "statement", "copy", "commit", "rollback")


class Freezer:
    """Freezes what comes at the next such moment, with all other connections if `is_everything`, until it thaws."""

    def __init__(self, server: Path, door: Path) -> None:
        self.door = door
        self._server = server / _NAME
        self._moment: Moment | None = None
        self._sent = b""
        self._is_everything = False
        self._all = threading.Event()
        self.has_frozen = threading.Event()
        self._sockets: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(door / _NAME))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def arm(self, moment: Moment, *, is_everything: bool, sent: bytes = b"") -> None:
        """Freeze at the next such moment; `sent` stands for what a statement says."""
        self._sent = sent or _SENT.get(moment, b"")
        self._is_everything = is_everything
        self._moment = moment

    def thaw(self) -> None:
        """Serve new connections again; those from before are dropped, as by a network that is back."""
        self._moment = None
        self._all.clear()
        self._drop()

    def close(self) -> None:
        """Accept nobody any more, and drop everybody."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._drop()

    def _drop(self) -> None:
        while self._sockets:
            one = self._sockets.pop()
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(str(self._server))
            except OSError:
                return
            self._sockets += [client, server]
            threading.Thread(target=self._serve, args=(client, server), daemon=True).start()

    def _serve(self, client: socket.socket, server: socket.socket) -> None:
        frozen = threading.Event()
        threading.Thread(target=self._answers, args=(client, server, frozen), daemon=True).start()
        is_first, copies = True, False
        with suppress(OSError):
            while asked := client.recv(1 << 13):
                moment = self._moment
                if moment == "copy" and not copies:
                    copies = self._sent in asked  # its data follow
                elif moment is not None and (is_first if moment == "connect" else copies or self._sent in asked):
                    frozen.set()
                    self._moment = None
                    if self._is_everything:
                        self._all.set()
                    self.has_frozen.set()
                if frozen.is_set() or self._all.is_set():
                    if moment == "commit":
                        server.sendall(asked)  # it happens, and nobody hears of it
                    return
                is_first = False
                server.sendall(asked)
        for one in (client, server):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _answers(self, client: socket.socket, server: socket.socket, frozen: threading.Event) -> None:
        with suppress(OSError):
            while said := server.recv(1 << 16):
                if frozen.is_set() or self._all.is_set():
                    return
                client.sendall(said)
        with suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)


@contextmanager
def freezing(server: Path, door: Path) -> Iterator[Freezer]:
    """A door in a directory to the server whose socket is in another one."""
    freezer = Freezer(server, door)
    try:
        yield freezer
    finally:
        freezer.close()
