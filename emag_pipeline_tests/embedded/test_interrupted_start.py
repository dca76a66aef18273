"""A start hears signals wherever it waits, and what it leaves behind ends by itself."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from emag_pipeline import embedded
from emag_pipeline.embedded import postmaster
from emag_pipeline_tests.embedded.recoveries import PATIENCE_SECONDS, give
from emag_pipeline_tests.local.ups import wait_until

pytestmark = pytest.mark.services

#: As in `up`, whose handlers only take note.
_STARTS = """
import sys
from pathlib import Path
from emag_pipeline.local.embedded_use import in_use
from emag_pipeline.local.stop_signals import StopSignals
with StopSignals():
    sys.stdout.write("ready")
    sys.stdout.flush()
    with in_use(Path(sys.argv[1])):
        pass
"""


def _starting(home: Path) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen([sys.executable, "-c", _STARTS, str(home)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.read(5) == b"ready"
    return process


def _seconds_to_end(process: "subprocess.Popen[bytes]") -> float:
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE_SECONDS)
    return time.monotonic() - began


def _at_work(data: Path) -> list[psutil.Process]:
    return postmaster._children(data)


def _has_ended(data: Path) -> bool:
    """Open the door: the server goes on, and finds that it was told to end."""
    with suppress(OSError):  # nobody reads there
        os.close(os.open(data / "door.conf", os.O_WRONLY | os.O_NONBLOCK))
    return not _at_work(data)


@pytest.fixture
def slow(recovery_home: Path) -> Iterator[Path]:
    """The data of a server that is down, and reads its settings until somebody writes into the door."""
    data = recovery_home / "postgres"
    door = data / "door.conf"
    os.mkfifo(door)
    give(door)
    with (data / "postgresql.conf").open("a") as file:
        file.write("include 'door.conf'\n")
    yield data
    for process in _at_work(data):
        process.kill()


def test_while_the_server_reads_its_settings(recovery_home: Path, slow: Path) -> None:
    command = _starting(recovery_home)
    wait_until(lambda: bool(_at_work(slow)), PATIENCE_SECONDS)
    assert _seconds_to_end(command) < 12
    wait_until(lambda: _has_ended(slow), PATIENCE_SECONDS)


def test_while_what_a_killed_server_left_still_works(recovery_home: Path) -> None:
    main = embedded.start(recovery_home).postmaster()
    children = main.children()
    left = children[0]
    left.suspend()
    main.kill()
    psutil.wait_procs([main, *children[1:]], timeout=PATIENCE_SECONDS)
    try:
        assert _seconds_to_end(_starting(recovery_home)) < 6
    finally:
        left.kill()


def test_while_another_command_stops_the_server(recovery_home: Path) -> None:
    """That one has the users' lock for itself until the server has ended."""
    with (recovery_home / "postgres.users").open("a+") as users:
        fcntl.flock(users, fcntl.LOCK_EX)
        command = _starting(recovery_home)
        try:
            assert _seconds_to_end(command) < 12
        finally:
            command.kill()
