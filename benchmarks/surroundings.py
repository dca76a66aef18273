"""A throw-away database and a sandbox in a process of its own, so that both sides have their own interpreter."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psutil

from emag_pipeline import embedded
from emag_pipeline.embedded import EmbeddedServer
from emag_pipeline.sandbox import SandboxControl
from emag_pipeline.settings import load_settings
from emag_pipeline.store import migrate
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.context import SyncContext

_NOT_KEPT = ("EMAG_", "DATABASE_", "DB_", "DAGSTER_", "PYTHONDONTWRITEBYTECODE")
#: Of a server's processes those that live as long as it does; the others are sessions, and autovacuum's.
_BACKGROUND = ("checkpointer", "background writer", "walwriter", "autovacuum launcher", "logical rep", "io worker")


@dataclass(frozen=True, slots=True)
class ServerCpu:
    """CPU-seconds of a server: of its sessions (autovacuum's among them), and of its background processes."""

    sessions: float
    background: float

    def since(self, before: "ServerCpu") -> "ServerCpu":
        """What was used after an earlier moment."""
        return ServerCpu(self.sessions - before.sessions, self.background - before.background)


@dataclass(frozen=True, slots=True)
class Fresh:
    """A server of its own with an empty, migrated database, at the URL; `home` is a directory for everything else."""

    url: str
    home: Path
    server: EmbeddedServer

    def cpu(self) -> ServerCpu:
        """What the server has used so far. Sessions that have ended count too."""
        while True:
            with suppress(psutil.NoSuchProcess):  # a session ended while it was looked at
                ended, used = self._ended(), self._used()
                if self._ended() == ended:
                    return used

    def _ended(self) -> float:
        """Of processes that have ended."""
        times = self.server.postmaster().cpu_times()
        return float(times.children_user + times.children_system)

    def _used(self) -> ServerCpu:
        postmaster = self.server.postmaster()
        sessions = sum(postmaster.cpu_times()[:4])
        background = 0.0
        for child in postmaster.children():
            seconds = sum(child.cpu_times()[:2])
            if any(name in " ".join(child.cmdline()) for name in _BACKGROUND):
                background += seconds
            else:
                sessions += seconds
        return ServerCpu(sessions, background)

    def wal(self) -> int:
        """Bytes of WAL that were written so far."""
        return self.ask("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')")

    def ask(self, sql: str) -> int:
        """The one number that a question has for an answer."""
        database = Database(self.url, pool_size=1)
        try:
            with database.transaction(timeout_seconds=600) as tx:
                return int(tx.run(sql).scalar_one())
        finally:
            database.close()

    def another(self, name: str) -> "Fresh":
        """An empty database beside it, without our schema."""
        return Fresh(self.server.url(name), self.home, self.server)


@contextmanager
def fresh_database() -> Iterator[Fresh]:
    """An empty, migrated database on a server with its default durability."""
    with tempfile.TemporaryDirectory(prefix="emag-bench-") as home:
        server = embedded.start(Path(home))
        try:
            url = server.url("bench")
            database = Database(url)
            migrate.upgrade(database)
            database.close()
            yield Fresh(url, Path(home), server)
        finally:
            server.stop()


@contextmanager
def sandbox(offers: int, warm: int = 0, **options: float) -> Iterator[str]:
    """The base URL of a sandbox whose account `main` has so many offers, and `warm`; options as on its command line."""
    with sandbox_of({"main": offers} | ({"warm": warm} if warm else {}), **options) as (url, _):
        yield url


@contextmanager
def sandbox_of(sizes: Mapping[str, int], **options: float) -> Iterator[tuple[str, psutil.Process]]:
    """A sandbox of accounts with so many offers each: its base URL, and its process."""
    arguments = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    process = subprocess.Popen(
        [sys.executable, "-m", "emag_pipeline.sandbox", "--port=0", *arguments, "--offers"]
        + [f"{account}={size}" for account, size in sizes.items()],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        yield process.stdout.readline().removeprefix("sandbox: ").strip(), psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


@contextmanager
def unlimited_sandbox(offers: int, warm: int = 0) -> Iterator[str]:
    """The same without limits of its own."""
    with sandbox(offers, warm, requests_per_second=0, requests_per_minute=0) as url:
        yield url


def variables(market: str, **environ: str) -> dict[str, str]:
    """The variables of accounts `main` and `warm` of a sandbox; keywords are further ones."""
    logins = {
        f"{prefix}_{what}": value
        for prefix, account in (("EMAG_API", "main"), ("EMAG_WARM_API", "warm"))
        for what, value in (("USERNAME", f"{account}@sandbox.example"), ("PASSWORD", "sandbox"))
    }
    return {"EMAG_API_BASE_URL": market, "EMAG_SYNC_MAX_PAGES": "100000", **logins, **environ}


def rate(calls_a_second: float) -> dict[str, str]:
    """The variables of an allowed rate."""
    return {
        "EMAG_API_REQUESTS_PER_SECOND": f"{calls_a_second:g}",
        "EMAG_API_REQUESTS_PER_MINUTE": f"{60 * calls_a_second:g}",
    }


def context(database: Database, market: str, **environ: str) -> SyncContext:
    """A run's context for the account `main` of the sandbox at a URL; keywords are environment variables."""
    settings = load_settings(variables(market, **environ), env_file=None)
    return SyncContext(
        settings=settings,
        database=database,
        account=settings.account("main"),
        run_id=str(uuid4()),
        run_has_ended=lambda _: True,
        report=lambda _: None,
    )


def scan_seconds(market: str) -> tuple[float, int]:
    """From the first call of a scan to its last, as the sandbox saw them since its counts began; and how many."""
    seen = SandboxControl(market).requests("main")
    times = [one["time"] for one in seen if one["resource"].startswith("product_offer/")]
    return (max(times) - min(times), len(times)) if times else (0.0, 0)


def own_environment(**given: str) -> dict[str, str]:
    """This process's variables without those of a pipeline on this machine, and those given.

    Compiled modules are kept, as where the package is installed: to compile them anew costs each process a second.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_KEPT)}
    root = str(Path(__file__).resolve().parent.parent)
    return {**kept, "PYTHONPATH": root, **given}


def high_water_mebibytes(process: int) -> float:
    """The most memory that a process has had since it began to run its program (VmHWM); 0 if it has ended.

    Not `ru_maxrss`, which a process inherits from the one that it was forked from.
    """
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0.0
    lines = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(lines[0].split()[1]) / 1024 if lines else 0.0


def cpu_seconds(process: int) -> float:
    """What a process has used so far, user and system; 0 if it has ended."""
    try:
        times = psutil.Process(process).cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)
