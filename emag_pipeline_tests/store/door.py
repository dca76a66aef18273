"""A door to PostgreSQL that passes everything on, until a rule says otherwise: see `freezer` and `commit_cutter`."""

import socket
import tempfile
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from sqlalchemy import make_url

from emag_pipeline.store.engine import Database

_NAME = ".s.PGSQL.5432"
_PIECE = 1 << 13
_ANSWER_SECONDS = 10.0


class Passing:
    """A connection through the door, as its two ends and what has become of it."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client = client
        self.server = server
        #: nothing was passed on yet
        self.is_first = True
        #: for a rule that remembers an earlier piece
        self.is_noted = False
        #: what the server says from now on is not passed on; `answered` is set when it says something
        self.is_mute = threading.Event()
        self.answered = threading.Event()
        #: not even its end is passed on
        self.is_frozen = False

    def commit_unheard(self, asked: bytes) -> None:
        """Have the server do what is asked, and keep its answer."""
        self.is_mute.set()
        self.server.sendall(asked)
        self.answered.wait(_ANSWER_SECONDS)

    def drop(self) -> None:
        """End it for both."""
        for one in (self.client, self.server):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


class Door(ABC):
    """Listens in a directory from the moment it is made; `close` ends it."""

    def __init__(self, server: Path, door: Path) -> None:
        self.door = door
        self._server = server / _NAME
        self._passing: list[Passing] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(door / _NAME))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    @abstractmethod
    def passes(self, passing: Passing, asked: bytes) -> bool:
        """The rule: whether what a client sends is passed on. If not, its connection ends, unless it is frozen."""

    def behind(self, url: str) -> str:
        """A database's URL, by way of this door."""
        return make_url(url).update_query_dict({"host": str(self.door)}).render_as_string(hide_password=False)

    def drop(self) -> None:
        """End all connections."""
        while self._passing:
            self._passing.pop().drop()

    def close(self) -> None:
        """Accept nobody any more, and drop everybody."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.drop()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(str(self._server))
            except OSError:  # away: a client hears that at once
                client.close()
                continue
            passing = Passing(client, server)
            self._passing.append(passing)
            threading.Thread(target=self._serve, args=(passing,), daemon=True).start()
            threading.Thread(target=self._answer, args=(passing,), daemon=True).start()

    def _serve(self, passing: Passing) -> None:
        with suppress(OSError):
            while asked := passing.client.recv(_PIECE):
                if not self.passes(passing, asked):
                    break
                passing.is_first = False
                passing.server.sendall(asked)
        if not passing.is_frozen:
            passing.drop()

    @staticmethod
    def _answer(passing: Passing) -> None:
        with suppress(OSError):
            while said := passing.server.recv(1 << 16):
                if passing.is_mute.is_set():
                    passing.answered.set()
                    return
                passing.client.sendall(said)
        if not passing.is_mute.is_set():
            with suppress(OSError):
                passing.client.shutdown(socket.SHUT_RDWR)


AnyDoor = TypeVar("AnyDoor", bound=Door)


@contextmanager
def opened(kind: type[AnyDoor], url: str) -> Iterator[AnyDoor]:
    """A door of that kind to the server of a database's URL, in a directory of its own."""
    server = Path(str(make_url(url).query["host"]))
    with tempfile.TemporaryDirectory(prefix="emag-door-") as directory:
        door = kind(server, Path(directory))
        try:
            yield door
        finally:
            door.close()


@contextmanager
def behind(door: Door, url: str) -> Iterator[Database]:
    """A database by way of a door."""
    database = Database(door.behind(url))
    try:
        yield database
    finally:
        database.close()
