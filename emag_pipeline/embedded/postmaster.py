"""Which process is the server of a data directory. PostgreSQL notes a number in postmaster.pid; numbers are used again.

A process is the server only if it works in that very directory and began when the file says. Anything else - another
PostgreSQL of the same user, any program that got the number since - is a stranger: never signalled, never attached to.
"""

import sys
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import psutil

from emag_pipeline.embedded.places import socket_address
from emag_pipeline.errors import PipelineError
from emag_pipeline.processes import is_stopped
from emag_pipeline.store.calls import DriverCalls, once
from emag_pipeline.store.engine import Database
from emag_pipeline.store.error_mapping import STARTING_UP

#: A process's start is known to the second, and moves with the clock's corrections.
_CLOCK_SECONDS = 3.0
_ASK_SECONDS = 3.0
#: Where pg_control has its state, and the states of a server that was shut down, also as a standby.
_STATE, _SHUT_DOWN, _IN_PRODUCTION = slice(16, 20), (1, 2), 6
_LOOK_SECONDS = 0.1
_REMAINS_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Note:
    """What postmaster.pid says. `started` is in seconds since 1970, `sockets` the socket's directory.

    `state` is starting, ready, standby or stopping; PostgreSQL writes it after all else, so none yet means starting.
    """

    pid: int
    started: int
    sockets: Path
    state: str

    @property
    def is_ready(self) -> bool:
        """Whether it has taken connections; not while it starts anew because one of its processes was killed."""
        return self.state == "ready"

    @property
    def is_stopping(self) -> bool:
        """Whether it was told to stop."""
        return self.state == "stopping"


class ServerAnswer(Enum):
    """What a server says when it is asked when it began."""

    AS_NOTED = "when the note says"
    STARTING = "it takes no connections yet"
    OTHERWISE = "at another time, or nothing"


def noted(data: Path) -> Note | None:
    """What the server of that directory wrote down, whether or not it lives; None without a whole file."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        state = lines[7].strip() if len(lines) >= 8 else "starting"
        return Note(int(lines[0]), int(lines[2]), Path(lines[4].strip()), state)
    except (OSError, ValueError, IndexError):
        return None


def process_of(data: Path) -> psutil.Process | None:
    """The living server of that directory."""
    note = noted(data)
    process = None if note is None else _process(note.pid)
    if note is None or process is None or not _works_in(process, data):
        return None
    with suppress(psutil.Error):
        if abs(process.create_time() - note.started) <= _CLOCK_SECONDS or _says_so_itself(note):
            return process
    return None


def has_begun(data: Path) -> bool:
    """Whether the server of that directory lives and is not about to end."""
    note = noted(data)
    return note is not None and not note.is_stopping and process_of(data) is not None


def starting(data: Path) -> psutil.Process | None:
    """The living server of that directory if it takes no connections yet: it recovers what a crash has left.

    One that noted that it is ready is asked: it notes nothing when it starts anew because a process of it was killed.
    """
    process = process_of(data)
    note = noted(data)
    if process is None or note is None:
        return None
    is_starting = note.state == "starting" or (note.is_ready and _answer(note) is ServerAnswer.STARTING)
    return process if is_starting else None


def stopping(data: Path) -> psutil.Process | None:
    """The living server of that directory if it was told to stop: it takes no more connections."""
    note = noted(data)
    return process_of(data) if note is not None and note.is_stopping else None


def frozen(data: Path) -> list[int]:
    """The numbers of that directory's server and its processes which were stopped (SIGSTOP): they answer nobody.

    By the process table alone, since whoever asks one that is stopped waits.
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
    """Whether the data was left in order: what starts there next has nothing to recover.

    By the state in PostgreSQL's control file, which no version has moved (`DBState` of pg_control.h).
    """
    try:
        state = (data / "global" / "pg_control").read_bytes()[_STATE]
    except OSError:
        return False
    return int.from_bytes(state, sys.byteorder) in _SHUT_DOWN


def recovers(data: Path) -> bool:
    """Whether the server that starts there has to recover what a crash has left.

    At the end of its start it notes itself as in production, a moment before it takes connections.
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
    """Signal the server, waiting at most so long; returns whether it has ended. Not sent to a reused number."""
    with suppress(psutil.NoSuchProcess):
        process.send_signal(signal_number)
    until = time.monotonic() + seconds
    while _lives(process):
        if time.monotonic() > until:
            return False
        time.sleep(_LOOK_SECONDS)
    return True


def await_remains(data: Path, seconds: float = _REMAINS_SECONDS) -> None:
    """Wait for the end of what a killed server left, no longer than ten seconds: no other starts beside its children.

    They end when they notice that it is gone, one that executes a statement only after that. Hears signals.
    """
    until = time.monotonic() + min(seconds, _REMAINS_SECONDS)
    while _has_remains(data) and time.monotonic() < until:
        DriverCalls.pause(_LOOK_SECONDS)


def end_children(data: Path) -> None:
    """Kill the programs of PostgreSQL that work in the directory, whose work is to be thrown away. Hears signals.

    On a busy machine an initdb whose starter was killed works on for longer than anybody would wait. Only for whoever
    has the turn to start: nobody else lets one work there. At most ten seconds.
    """
    until = time.monotonic() + _REMAINS_SECONDS
    while (children := _children(data)) and time.monotonic() < until:
        for process in children:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        DriverCalls.pause(_LOOK_SECONDS)


def forget_stale(data: Path, sockets: Path) -> None:
    """Remove what a server that is gone left behind, where its number is another program's, or nobody buries it.

    PostgreSQL itself takes any process of the same user for the server, also a dead one that its parent did not ask
    after, and would not start. Where the process cannot be looked at, or works in the directory, everything is left
    alone.
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
    """Processes of PostgreSQL that work in the directory."""
    return [process for process in psutil.process_iter() if _works_in(process, data) and _lives(process)]


def _is_dead(pid: int) -> bool:
    """Whether a process has ended and still has its number."""
    with suppress(psutil.Error, ValueError, OverflowError):
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    return False


def _process(pid: int) -> psutil.Process | None:
    with suppress(psutil.Error, ValueError, OverflowError):
        process = psutil.Process(pid)
        return process if _lives(process) else None
    return None


def _lives(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _works_in(process: psutil.Process, data: Path) -> bool:
    """PostgreSQL's processes stay in their data directory; so does what makes it."""
    with suppress(psutil.Error, OSError):
        return process.name() in ("postgres", "initdb") and Path(process.cwd()) == data
    return False


def _is_elsewhere(process: psutil.Process, data: Path) -> bool:
    with suppress(psutil.Error, OSError):
        return Path(process.cwd()) != data
    return False


def _says_so_itself(note: Note) -> bool:
    """Where the machine's clock was set since, only the server knows when it began by the clock of then.

    One that takes no connections yet cannot say, and is taken at its note's word: it works in the directory and
    answers at the note's socket.
    """
    return _answer(note) is not ServerAnswer.OTHERWISE


def _answer(note: Note) -> ServerAnswer:
    """Ask aside: whoever was told to stop has to know it too, and a call of the main thread would end at once."""
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
        return ServerAnswer.STARTING if error.what == STARTING_UP else ServerAnswer.OTHERWISE
