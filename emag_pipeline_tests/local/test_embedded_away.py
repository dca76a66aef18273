"""The embedded database is stopped (SIGSTOP), or its disk is full: each command says so at once, and what to do."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from emag_pipeline import embedded
from emag_pipeline.local.embedded_use import in_use
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.store import migrate
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.cli.commands import emag_pipeline, environment
from emag_pipeline_tests.embedded.homes import open_directory
from emag_pipeline_tests.local.ups import wait_until
from emag_pipeline_tests.sandbox.sandboxes import unlimited_sandbox

pytestmark = pytest.mark.services


@pytest.fixture
def home() -> Iterator[Path]:
    with open_directory() as home:
        yield home
        if (server := embedded.running(home)) is not None:
            server.stop()


@pytest.fixture
def market() -> Iterator[SandboxServer]:
    with unlimited_sandbox(accounts={"main": 520}) as server:
        yield server


_OVER = (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)


def _status(process: psutil.Process) -> str:
    try:
        return str(process.status())
    except psutil.NoSuchProcess:
        return psutil.STATUS_DEAD


@contextmanager
def _frozen(server: embedded.EmbeddedServer) -> Iterator[list[int]]:
    postmaster = server.postmaster()
    processes = [postmaster, *postmaster.children()]
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGSTOP)
    # a session or autovacuum's that was about to end does so all the same
    wait_until(lambda: not [one for one in processes if _status(one) not in (psutil.STATUS_STOPPED, *_OVER)], 10)
    try:
        yield [process.pid for process in processes if _status(process) == psutil.STATUS_STOPPED]
    finally:
        for process in processes:
            with suppress(psutil.NoSuchProcess):  # the postmaster goes on first, and may end one that has nothing to do
                process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("command", ["status", "doctor", "stuck", "sync"])
def test_a_server_that_is_stopped_is_named_with_what_lets_it_go_on(home: Path, command: str) -> None:
    with in_use(home) as server:
        database = Database(server.url("emag"))
        migrate.upgrade(database)
        database.close()
        with _frozen(server) as pids:
            began = time.monotonic()
            done = emag_pipeline(home, command, EMAG_SANDBOX="1")
            assert time.monotonic() - began < 60
        said = done.stdout + done.stderr
        assert done.returncode == 1, said
        numbers = " ".join(map(str, pids))
        assert f"the embedded PostgreSQL is stopped (processes {numbers}) and does not respond" in said
        assert f"`kill -CONT {numbers}` resumes it" in said
        for wrong in ("correct its URL", "timeout expired", "busy", "PostgreSQL is not running"):
            assert wrong not in said


@pytest.fixture
def small(home: Path) -> Iterator[Path]:
    """A home on a disk of its own, which holds a new database and little more."""
    disk = home / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=110m,mode=711", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root with the right to mount has a disk of its own to fill")
    try:
        yield disk
        if (server := embedded.running(disk)) is not None:
            server.stop()
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk_is_said_as_soon_as_the_database_is_away(small: Path, market: SandboxServer) -> None:
    market.add_fault("slow", seconds=1.0)
    variables = {
        "EMAG_API_BASE_URL": market.url,
        "EMAG_API_USERNAME": "main@sandbox.example",
        "EMAG_API_PASSWORD": "sandbox",
        "EMAG_ACCOUNTS": "main",
    }
    log = small.parent / "said"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "emag_pipeline", "sync"],
            env=environment(small, **variables),
            cwd=small.parent,
            stdout=output,
            stderr=output,
        )
    try:
        wait_until(lambda: "scanning" in log.read_text() or process.poll() is not None, 300, log.read_text)
        _fill(small)
        server = embedded.running(small)
        assert server is not None
        server.postmaster().send_signal(signal.SIGQUIT)  # as after a PANIC, whose moment is the server's own
        wait_until(lambda: "the database is away since" in log.read_text() or process.poll() is not None, 60)
        (line,) = re.findall(r"the database is away since .*", log.read_text())
        assert "its disk is full" in line
        assert f"Free space on the disk of {small} first" in line
        assert "of an `up` of yours that runs" not in log.read_text()
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
        for child in psutil.Process().children(recursive=True):
            assert str(small) not in child.environ().get("EMAG_HOME", ""), "nothing is left"


def _fill(disk: Path) -> None:
    with (disk / "ballast").open("wb") as file:
        try:
            while True:
                os.write(file.fileno(), bytes(2**20))
        except OSError:
            return
