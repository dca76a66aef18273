"""A door to PostgreSQL that drops a connection at a COMMIT, after its bytes have reached the server and been answered.

Whoever committed then cannot know what became of it. Or before they have: it looks the same.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_NAME = ".s.PGSQL.5432"
_COMMIT = b"COMMIT\x00"


class CommitCutter:
    """Counts the commits that pass; cuts off the one whose turn it is (`cut_at`, from 1; 0: none)."""

    def __init__(self, server: Path, door: Path) -> None:
        self.door = door
        self.commits = 0
        self.cut_at = 0
        self.has_cut = False
        self.is_lost = False
        self._server = server / _NAME
        self._lock = threading.Lock()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(door / _NAME))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def arm(self, cut_at: int, *, is_lost: bool = False) -> None:
        """Begin to count anew, and cut that commit; if it `is_lost`, it never reaches the server."""
        with self._lock:
            self.commits, self.cut_at, self.has_cut, self.is_lost = 0, cut_at, False, is_lost

    def close(self) -> None:
        """Accept nobody any more."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(str(self._server))
            threading.Thread(target=self._serve, args=(client, server), daemon=True).start()

    def _serve(self, client: socket.socket, server: socket.socket) -> None:
        is_cut, answered = threading.Event(), threading.Event()
        threading.Thread(target=_answers, args=(client, server, is_cut, answered), daemon=True).start()
        with suppress(OSError):
            while asked := client.recv(1 << 16):
                if asked.endswith(_COMMIT) and self._is_its_turn():
                    is_cut.set()
                    if not self.is_lost:
                        server.sendall(asked)
                        answered.wait(10)
                    self.has_cut = True
                    break
                server.sendall(asked)
        for one in (client, server):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _is_its_turn(self) -> bool:
        with self._lock:
            self.commits += 1
            return self.commits == self.cut_at


def _answers(client: socket.socket, server: socket.socket, is_cut: threading.Event, answered: threading.Event) -> None:
    with suppress(OSError):
        while said := server.recv(1 << 16):
            if is_cut.is_set():
                answered.set()
                return
            client.sendall(said)
    with suppress(OSError):
        client.shutdown(socket.SHUT_RDWR)


@contextmanager
def cutting_commits(server: Path, door: Path) -> Iterator[CommitCutter]:
    """A door in a directory to the server whose socket is in another one."""
    cutter = CommitCutter(server, door)
    try:
        yield cutter
    finally:
        cutter.close()
