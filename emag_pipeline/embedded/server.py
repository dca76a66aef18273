"""One PostgreSQL server for one home directory, on a Unix socket, without TCP.

Every connection to the socket is trusted; only the owner (and root) can access its directory. A file lock serialises
simultaneous starts. If the process that started the server is killed, the server keeps running and can be attached to.
"""

import fcntl
import shlex
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import TextIO
from urllib.parse import parse_qs, urlsplit

import psutil

from emag_pipeline.console import tell
from emag_pipeline.embedded import places, postmaster, programs
from emag_pipeline.errors import DatabaseUnavailable
from emag_pipeline.settings.home import claim
from emag_pipeline.store.calls import DriverCalls
from emag_pipeline.store.server import ensure_database
from emag_pipeline.wording import counted

# The size of the embedded server's buffers, from the memory of the machine or container.

_CGROUPS = Path("/sys/fs/cgroup")
_LIMITS = ("memory.max", "memory/memory.limit_in_bytes")
#: PostgreSQL's default, and the useful maximum for a catalogue of a million offers.
_LEAST, _MOST = 128, 1024
#: The manual recommends a quarter (shared_buffers), but the server shares the machine with runs and Dagster.
_SHARE = 8


def buffer_megabytes(groups: Path = _CGROUPS) -> int:
    """Megabytes for `shared_buffers`: an eighth of the memory, within bounds; allocated only as it is used.

    A scan that does not fit into them is written out and read again while it is audited and published: with 128 MB a
    publish of 20,000 offers took twice as long as with 1 GB (benchmarks.load, measured on 27 November 2026).
    """
    here = [psutil.virtual_memory().total]
    for name in _LIMITS:
        with suppress(OSError, ValueError):  # no such limit: the file is missing, or contains `max`
            here.append(int((groups / name).read_text(encoding="ascii")))
    return max(_LEAST, min(_MOST, min(here) // _SHARE // 2**20))


_STOP_TIMEOUT_SECONDS = 60.0
_INTERRUPTED_SECONDS = 2.0
#: `pg_ctl -w` waits until the server is ready or has ended. It is needed only until postmaster.pid exists, and gives up
#: after this time with the exit code of a failure.
_START_TIMEOUT_SECONDS = 20
#: How long to wait for a server that is starting up: after a crash it may replay gigabytes of changes first.
_RECOVERY_SECONDS = 3600.0
#: Polled frequently for this long, then less often: some checks are queries, which the server logs.
_SOON_SECONDS = 1.0
_LOOK_SECONDS = 0.5
#: A longer wait is reported.
_TELL_SECONDS = 10.0
_TURN_SECONDS = 0.05
#: Exists in EMAG_HOME while the data is being created, since PG_VERSION exists long before that is complete.
_UNFINISHED = "postgres.unfinished"
_LOG = "server.log"
#: PostgreSQL writes its WAL in files of this size, and ends if there is no space for the next one.
_LEAST_ROOM_BYTES = 16 * 2**20
#: The space that a crash because of a full disk frees; if there is more, space was freed since.
_LITTLE_ROOM_BYTES = 128 * 2**20
_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "300",  # a run takes six and some of Dagster's, and there are many (Settings.concurrent_runs)
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "wal_compression": "on",
    "max_wal_size": "4GB",
}


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """A running server. `started_here` is false if it was running already."""

    data: Path
    socket_directory: Path
    started_here: bool

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of a database of this server, which is created if it is missing.

        Raises the errors of `ensure_database`.
        """
        self.ensure_database(database)
        return self.address(database)

    def address(self, database: str) -> str:
        """The SQLAlchemy URL of a database of this server, whether or not it exists."""
        return places.socket_address(self.socket_directory, database)

    def ensure_database(self, name: str) -> None:
        """Create a database unless it exists; safe for concurrent callers. Raises the errors of `store.server`."""
        ensure_database(self.address(name), "DATABASE_SYNC_URL", is_own_server=True)

    def postmaster(self) -> psutil.Process:
        """The server's main process. Raises psutil.NoSuchProcess if it is not running."""
        process = postmaster.process_of(self.data)
        if process is None:
            raise psutil.NoSuchProcess(-1, msg=f"no server works in {self.data}")
        return process

    def stop(self) -> None:
        """Stop the server and wait for its end: sessions are closed, committed data is kept.

        Only this very server is signalled. Raises DatabaseUnavailable if it does not end.
        """
        process = postmaster.process_of(self.data)
        if process is not None and not postmaster.end(process, signal.SIGINT, _STOP_TIMEOUT_SECONDS):
            raise DatabaseUnavailable(
                f"the server does not end within {_STOP_TIMEOUT_SECONDS:.0f} seconds",
                where="embedded PostgreSQL",
                remedy=f"Look into {self.data / 'server.log'} and try again",
            )


def start(
    home: Path,
    settings: Mapping[str, str] | None = None,
    say: Callable[[str], None] = tell,
    most_seconds: float | None = None,
) -> EmbeddedServer:
    """Start the server of a home directory, or attach to it. `places` decides where its data is.

    `settings` are additional PostgreSQL settings of a server that is started here; `say` reports a long recovery, which
    may take `most_seconds` (default: an hour). Raises SettingsError for a home that cannot be used, PermanentError if
    it cannot be set up, DatabaseUnavailable if it does not start; the last two include the last line of the server's
    log. A signal or another exception ends the wait, and also the server if it was started here and is not in recovery.
    """
    until = time.monotonic() + (_RECOVERY_SECONDS if most_seconds is None else most_seconds)
    home = claim(home)
    with _turn(home, say, until):
        server = running(home)
        if server is not None and _accepts_connections(server.data, say, until):  # else it was killed just now
            return server
        binaries = programs.reachable(home)
        data = places.made_data(home)
        if not is_set_up(home):
            _set_up(home, data, binaries)
        directory = places.socket_directory(home, data)
        if postmaster.starting(data) is not None:  # the process that started it did not wait
            has_begun = _accepts_connections(data, say, until)
        else:
            with _ended_if_interrupted(data):
                _await_end(data, until)
                postmaster.await_remains(data, until - time.monotonic())
                _launch(data, directory, binaries, settings or {})
                has_begun = _accepts_connections(data, say, until)
        if not has_begun:
            raise _ended(data / _LOG)
        return EmbeddedServer(data, directory, started_here=True)


@contextmanager
def _ended_if_interrupted(data: Path) -> Iterator[None]:
    """Stop a server whose start is interrupted, unless it is in recovery, i.e. not ready shortly after."""
    try:
        yield
    except Exception:
        raise
    except BaseException:
        until = time.monotonic() + _INTERRUPTED_SECONDS
        while postmaster.starting(data) is not None and time.monotonic() < until:
            time.sleep(_TURN_SECONDS)
        process = postmaster.process_of(data)
        if process is not None and postmaster.starting(data) is None:
            postmaster.end(process, signal.SIGINT, _INTERRUPTED_SECONDS)
        raise


def _await_end(data: Path, until: float) -> None:
    """Wait for the end of a stopping server, without which no other can start. It may wait for its sessions to end."""
    while postmaster.stopping(data) is not None:
        if time.monotonic() > until:
            raise DatabaseUnavailable(
                "the server was told to stop, and has not ended",
                where="embedded PostgreSQL",
                remedy=f"Look into its log {data / _LOG} and repeat the command later, which waits again",
            )
        DriverCalls.pause(_TURN_SECONDS)


def _launch(data: Path, directory: Path, binaries: Path, settings: Mapping[str, str]) -> None:
    """Start the server with pg_ctl. It is then running, ready or starting up."""
    postmaster.forget_stale(data, directory)
    buffers = {"shared_buffers": f"{buffer_megabytes()}MB"}
    options = {**_SETTINGS, **buffers, **settings, "unix_socket_directories": str(directory)}
    arguments = shlex.join(part for name, value in options.items() for part in ("-c", f"{name}={value}"))
    try:
        programs.run(binaries / "pg_ctl", "start", "-D", ".", "-w", "-t", str(_START_TIMEOUT_SECONDS),
                     "-l", _LOG, "-o", arguments, within=data, log=data / _LOG,
                     is_enough=lambda: postmaster.has_begun(data))  # fmt: skip
    except DatabaseUnavailable:
        if not postmaster.has_begun(data):
            raise


def _accepts_connections(data: Path, say: Callable[[str], None], until: float) -> bool:
    """Wait until a server that is starting up accepts connections; returns False if it ended instead."""
    log = data / _LOG
    began = time.monotonic()
    tells_at = began + _TELL_SECONDS
    while postmaster.starting(data) is not None:
        now = time.monotonic()
        if now > until:
            raise DatabaseUnavailable(
                f"the server has been starting up for {_words(now - began)}, and continues",
                where="embedded PostgreSQL",
                why=programs.last_line(log),
                remedy=f"Follow its log {log} and repeat the command later, which waits again",
            )
        if now > tells_at:
            most = f"{_words(until - began)} at most"
            say(f"the embedded PostgreSQL is starting up, which takes long after a crash: waiting, {most}, see {log}")
            tells_at = inf
        DriverCalls.pause(_TURN_SECONDS if now < began + _SOON_SECONDS else _LOOK_SECONDS)
    return postmaster.has_begun(data)


def _words(seconds: float) -> str:
    return counted(round(seconds / 60), "minute") if seconds >= 60 else counted(round(seconds), "second")


def _ended(log: Path) -> DatabaseUnavailable:
    return programs.failed("the server ended while it was starting up", log)


def ended(home: Path) -> DatabaseUnavailable:
    """The error of the home directory's server that ended while it was starting up."""
    return _ended(log_of(home))


def log_of(home: Path) -> Path:
    """The log of a home directory's server."""
    return places.data(home.resolve()) / _LOG


def is_address_of(home: Path, url: str) -> bool:
    """Whether a database URL leads to the server of a home directory, running or not."""
    places_of_socket = places.known_sockets(home.resolve(), places.data(home.resolve()))
    return any(Path(host) in places_of_socket for host in parse_qs(urlsplit(url).query).get("host", []))


def is_set_up(home: Path) -> bool:
    """Whether a home directory has a server's data, running or not."""
    return (places.data(home.resolve()) / "PG_VERSION").exists() and not (home / _UNFINISHED).exists()


def _set_up(home: Path, data: Path, binaries: Path) -> None:
    """Create the data, after removing the remains of an earlier interrupted attempt."""
    unfinished = home / _UNFINISHED
    if unfinished.exists():
        postmaster.end_children(data)
        for remains in data.iterdir():
            shutil.rmtree(remains) if remains.is_dir() and not remains.is_symlink() else remains.unlink()
    elif not any(data.iterdir()):  # foreign files are not removed: initdb refuses them
        unfinished.touch()
    programs.run(binaries / "initdb", "-D", ".", "-U", "postgres", "--auth=trust", "--encoding=UTF8",
                 "--locale=C.UTF-8", "--data-checksums", within=data)  # fmt: skip
    unfinished.unlink(missing_ok=True)


def living(home: Path) -> EmbeddedServer | None:
    """The running server of a home directory, ready or not, identified by its directory and start time."""
    data = places.data(home.resolve())
    note = postmaster.noted(data)
    if note is None or postmaster.process_of(data) is None:
        return None
    return EmbeddedServer(data, note.sockets, started_here=False)


def running(home: Path) -> EmbeddedServer | None:
    """The server of a home directory, if it is running and has been ready."""
    note = postmaster.noted(places.data(home.resolve()))
    return living(home) if note is not None and note.is_ready else None


def was_stopped(home: Path) -> bool:
    """Whether the server of a home directory was asked to stop, and stops or has stopped cleanly."""
    data = places.data(home.resolve())
    if postmaster.process_of(data) is None:
        return postmaster.was_shut_down(data)
    return postmaster.stopping(data) is not None


def hasten(home: Path) -> None:
    """If the server was asked to stop and waits for its sessions, stop it without them; else do nothing."""
    process = postmaster.stopping(places.data(home.resolve()))
    if process is not None:
        postmaster.end(process, signal.SIGINT, 0.0)


def frozen(home: Path) -> list[int]:
    """The processes of a home directory's server that were stopped (SIGSTOP) and do not respond until continued."""
    return postmaster.frozen(places.data(home.resolve()))


def is_disk_full(home: Path) -> bool:
    """Whether the data's disk is too full for a server to start; a stricter limit applies if its log ends with that."""
    data = places.data(home.resolve())
    if not data.is_dir():
        return False
    free = shutil.disk_usage(data).free
    return free < _LEAST_ROOM_BYTES or (free < _LITTLE_ROOM_BYTES and programs.disk_was_full(data / _LOG))


def recovers(home: Path) -> bool:
    """Whether the starting server is in crash recovery."""
    return postmaster.recovers(places.data(home.resolve()))


def starting(home: Path) -> bool:
    """Whether the server of a home directory runs but accepts no connections yet. One that was ready is queried."""
    return postmaster.starting(places.data(home.resolve())) is not None


@contextmanager
def _turn(home: Path, say: Callable[[str], None], until: float) -> Iterator[None]:
    """Hold the start lock. Signals end the wait for it; a long wait is reported.

    Raises DatabaseUnavailable if another start takes longer than `until`.
    """
    tells_at = time.monotonic() + _TELL_SECONDS
    with (home / "postgres.lock").open("w") as file:
        while not _locked(file):
            if time.monotonic() > until:
                raise DatabaseUnavailable(
                    "another command is starting the server, and continues",
                    where="embedded PostgreSQL",
                    remedy="Repeat the command later, which waits again",
                )
            if time.monotonic() > tells_at:
                say("another command is starting the embedded PostgreSQL: waiting for it")
                tells_at = inf
            DriverCalls.pause(_TURN_SECONDS)
        yield


def _locked(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
