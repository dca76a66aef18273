"""Finds the server process of a data directory. postmaster.pid contains its process id, but ids are reused.

A process is the server only if its working directory is that directory and it started at the time in the file. Any
other process (another PostgreSQL of the same user, or a program that got the id later) is never signalled or attached
to.
"""

import sys
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import psutil

from emag_pipeline.embedded.places import socket_address
from emag_pipeline.errors import DatabaseUnavailable, PipelineError
from emag_pipeline.processes import is_stopped, lives
from emag_pipeline.store.calls import DriverCalls, once
from emag_pipeline.store.engine import Database
from emag_pipeline.store.error_mapping import STARTING_UP

#: Start times are known to the second, and move with corrections of the clock.
_CLOCK_SECONDS = 3.0
_ASK_SECONDS = 3.0
#: The position of the state in pg_control, and the states of a server that was shut down, also as a standby.
_STATE, _SHUT_DOWN, _IN_PRODUCTION = slice(16, 20), (1, 2), 6
_LOOK_SECONDS = 0.1
_REMAINS_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Note:
    """The content of postmaster.pid. `started` is in seconds since 1970, `sockets` the socket's directory.

    `state` is starting, ready, standby or stopping; PostgreSQL writes it last, so a missing one means starting.
    """

    pid: int
    started: int
    sockets: Path
    state: str

    @property
    def is_ready(self) -> bool:
        """Whether it has accepted connections. Does not show a restart after one of its processes was killed."""
        return self.state == "ready"

    @property
    def is_stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self.state == "stopping"


class ServerAnswer(Enum):
    """What a server answers to the query for its start time."""

    AS_NOTED = "when the note says"
    STARTING = "it takes no connections yet"
    LATE = "nothing in time, on a connection that was taken: it is frozen, or its machine is busy"
    OTHERWISE = "at another time, or no connection"


def noted(data: Path) -> Note | None:
    """The content of the directory's postmaster.pid, whether or not the server runs; None without a complete file."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        state = lines[7].strip() if len(lines) >= 8 else "starting"
        return Note(int(lines[0]), int(lines[2]), Path(lines[4].strip()), state)
    except (OSError, ValueError, IndexError):
        return None


def process_of(data: Path) -> psutil.Process | None:
    """The running server of that directory."""
    note = noted(data)
    process = None if note is None else _process(note.pid)
    if note is None or process is None or not _works_in(process, data):
        return None
    with suppress(psutil.Error):
        if abs(process.create_time() - note.started) <= _CLOCK_SECONDS or _says_so_itself(note):
            return process
    return None


def has_begun(data: Path) -> bool:
    """Whether the server of that directory is running and not stopping."""
    note = noted(data)
    return note is not None and not note.is_stopping and process_of(data) is not None


def starting(data: Path) -> psutil.Process | None:
    """The running server of that directory if it accepts no connections yet, because it is starting or recovering.

    If postmaster.pid says ready, the server is queried: a restart after a killed process is not recorded in the file.
    """
    process = process_of(data)
    note = noted(data)
    if process is None or note is None:
        return None
    is_starting = note.state == "starting" or (note.is_ready and _answer(note) is ServerAnswer.STARTING)
    return process if is_starting else None


def stopping(data: Path) -> psutil.Process | None:
    """The running server of that directory if it was asked to stop: it accepts no more connections."""
    note = noted(data)
    return process_of(data) if note is not None and note.is_stopping else None


def frozen(data: Path) -> list[int]:
    """The process ids of that directory's server that were stopped (SIGSTOP) and do not respond.

    From the process table alone, because a query to a stopped process would wait.
    """
    note = noted(data)
    process = None if note is None else _process(note.pid)
    if process is None or not _works_in(process, data):
        return []
    found = []
    with suppress(psutil.Error):
        for one in (process, *process.children()):
            with suppress(psutil.Error):
                if is_stopped(one):
                    found.append(one.pid)
    return found


def was_shut_down(data: Path) -> bool:
    """Whether the server was shut down cleanly, so that its next start needs no recovery.

    From the state in PostgreSQL's control file, whose position is the same in all versions (`DBState` of pg_control.h).
    """
    try:
        state = (data / "global" / "pg_control").read_bytes()[_STATE]
    except OSError:
        return False
    return int.from_bytes(state, sys.byteorder) in _SHUT_DOWN


def recovers(data: Path) -> bool:
    """Whether the starting server is in crash recovery.

    At the end of its start its state becomes "in production", shortly before it accepts connections.
    """
    if was_shut_down(data):
        return False
    note, process = noted(data), process_of(data)
    if note is None or process is None or note.is_ready:
        return True
    with suppress(OSError, psutil.Error):
        file = data / "global" / "pg_control"
        is_done = int.from_bytes(file.read_bytes()[_STATE], sys.byteorder) == _IN_PRODUCTION
        return not (is_done and file.stat().st_mtime >= process.create_time())
    return True


def end(process: psutil.Process, signal_number: int, seconds: float) -> bool:
    """Signal the server and wait at most this long; returns whether it has ended. A reused id is not signalled."""
    with suppress(psutil.NoSuchProcess):
        process.send_signal(signal_number)
    until = time.monotonic() + seconds
    while lives(process):
        if time.monotonic() > until:
            return False
        time.sleep(_LOOK_SECONDS)
    return True


def await_remains(data: Path, seconds: float = _REMAINS_SECONDS) -> None:
    """Wait at most `seconds` for the children of a killed server, because no other server starts before their end.

    They end when they notice that it is gone, or after the statement that they execute. Signals end the wait.
    """
    until = time.monotonic() + min(seconds, _REMAINS_SECONDS)
    while _has_remains(data) and time.monotonic() < until:
        DriverCalls.pause(_LOOK_SECONDS)


def end_children(data: Path) -> None:
    """Kill PostgreSQL's programs that work in the directory and discard their work. Signals end the wait.

    On a busy machine an initdb whose starter was killed can continue for very long. Only for the process that holds the
    start lock, which allows no other one to work there. Takes at most ten seconds.
    """
    until = time.monotonic() + _REMAINS_SECONDS
    while (children := _children(data)) and time.monotonic() < until:
        for process in children:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        DriverCalls.pause(_LOOK_SECONDS)


def forget_stale(data: Path, sockets: Path) -> None:
    """Remove the files of a dead server if its process id belongs to another program or to a zombie.

    PostgreSQL itself considers any process of the same user with this id to be the server, even a zombie, and would not
    start. If the process cannot be examined, or works in the directory, nothing is removed.
    """
    for file in (data / "postmaster.pid", sockets / ".s.PGSQL.5432.lock"):
        with suppress(OSError, ValueError, IndexError):
            number = int(file.read_text().splitlines()[0])
            process = _process(number)
            is_gone = (process is not None and _is_elsewhere(process, data)) or _is_dead(number)
            if is_gone and not _children(data):
                file.unlink()


def _has_remains(data: Path) -> bool:
    note = noted(data)
    return note is not None and process_of(data) is None and (_is_dead(note.pid) or bool(_children(data)))


def _children(data: Path) -> list[psutil.Process]:
    """PostgreSQL's processes whose working directory it is."""
    return [process for process in psutil.process_iter() if _works_in(process, data) and lives(process)]


def _is_dead(pid: int) -> bool:
    """Whether a process is a zombie."""
    with suppress(psutil.Error, ValueError, OverflowError):
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    return False


def _process(pid: int) -> psutil.Process | None:
    with suppress(psutil.Error, ValueError, OverflowError):
        process = psutil.Process(pid)
        return process if lives(process) else None
    return None


def _works_in(process: psutil.Process, data: Path) -> bool:
    """Whether its working directory is the data directory, as for PostgreSQL's processes and initdb."""
    with suppress(psutil.Error, OSError):
        return process.name() in ("postgres", "initdb") and Path(process.cwd()) == data
    return False


def _is_elsewhere(process: psutil.Process, data: Path) -> bool:
    with suppress(psutil.Error, OSError):
        return Path(process.cwd()) != data
    return False


def _says_so_itself(note: Note) -> bool:
    """Whether the server confirms its start time, which the process table cannot if the clock was set since.

    A server that accepts no connections yet, or is too slow or frozen, cannot confirm it, and is accepted: it works in
    the directory and listens on the socket of postmaster.pid, or has not noted its socket yet.
    """
    return _answer(note) is not ServerAnswer.OTHERWISE


def _answer(note: Note) -> ServerAnswer:
    """Query in another thread: a stopping process needs the answer too, but calls in its main thread are aborted."""
    if note.sockets == Path():  # PostgreSQL adds it once it listens
        return ServerAnswer.STARTING
    return once(lambda: _asked(note)).result()


def _asked(note: Note) -> ServerAnswer:
    query = "SELECT abs(extract(epoch FROM pg_postmaster_start_time()) - :started) < 60"
    try:
        with (
            closing(
                Database(socket_address(note.sockets, "postgres"), pool_size=1, most_seconds=_ASK_SECONDS)
            ) as database,
            database.transaction(timeout_seconds=_ASK_SECONDS) as tx,
        ):
            return ServerAnswer.AS_NOTED if tx.run(query, started=note.started).scalar_one() else ServerAnswer.OTHERWISE
    except PipelineError as error:
        if error.what == STARTING_UP:
            return ServerAnswer.STARTING
        return ServerAnswer.LATE if isinstance(error, DatabaseUnavailable) and error.is_late else ServerAnswer.OTHERWISE
