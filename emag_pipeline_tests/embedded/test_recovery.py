"""A server that recovers for long after a crash is waited for; one that does not answer keeps nobody."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from emag_pipeline import embedded
from emag_pipeline.embedded import owner, postmaster
from emag_pipeline.embedded import server as starting
from emag_pipeline.errors import DatabaseUnavailable
from emag_pipeline_tests.cli.commands import environment
from emag_pipeline_tests.process.ups import wait_until

_PATIENCE_SECONDS = 120


class Recovery:
    """A crashed server whose next start replays changes until `finish`: PostgreSQL asks this for each file of them."""

    def __init__(self, home: Path) -> None:
        self.home = home
        server = embedded.start(home)
        server.ensure_database("emag")
        self.data = server.data
        main = server.postmaster()
        killed = [main, *main.children(recursive=True)]
        for process in killed:
            process.kill()
        psutil.wait_procs(killed, timeout=_PATIENCE_SECONDS)
        self._door = self.data / "finished"
        with (self.data / "postgresql.auto.conf").open("a") as file:
            file.write("restore_command = 'until [ -e finished ]; do sleep 0.1; done; false'\n")
        (self.data / "recovery.signal").touch()
        self._give(self.data / "recovery.signal")

    def begun(self) -> psutil.Process:
        """The server, once it recovers."""
        wait_until(lambda: postmaster.starting(self.data) is not None, _PATIENCE_SECONDS)
        process = postmaster.starting(self.data)
        assert process is not None
        return process

    def finish(self) -> None:
        """Let it come to its end."""
        self._door.touch()
        self._give(self._door)

    @staticmethod
    def _give(file: Path) -> None:
        who = owner.identity()
        if who:
            os.chown(file, who["user"], who["group"])


@pytest.fixture
def recovery(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recovery]:
    with tempfile.TemporaryDirectory(prefix="emag-recovery-") as directory:
        home = Path(directory)
        home.chmod(0o711)
        recovery = Recovery(home)
        monkeypatch.setattr(starting, "_START_TIMEOUT_SECONDS", 1)  # of pg_ctl, for a test that is not long
        yield recovery
        process = postmaster.process_of(recovery.data)
        if process is not None:
            process.kill()
            postmaster.await_remains(recovery.data)


def test_a_server_that_recovers_for_longer_than_pg_ctl_waits_is_waited_for(recovery: Recovery) -> None:
    said: list[str] = []
    with ThreadPoolExecutor(1) as pool:
        start = pool.submit(embedded.start, recovery.home, say=said.append)
        try:
            wait_until(lambda: bool(said) or start.done(), _PATIENCE_SECONDS)
            assert not start.done(), start.exception()
        finally:
            recovery.finish()
        server = start.result(_PATIENCE_SECONDS)
    assert len(said) == 1
    assert "is starting up" in said[0]
    assert "60 minutes at most" in said[0]
    assert embedded.running(recovery.home) is not None
    server.ensure_database("emag")


def test_a_start_while_it_still_recovers_joins_in_the_wait(recovery: Recovery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "_RECOVERY_SECONDS", 0.5)
    with pytest.raises(DatabaseUnavailable, match=r"has been starting up for .*, and goes on") as given_up:
        embedded.start(recovery.home, say=lambda _: None)
    assert "repeat the command later" in given_up.value.message
    process = recovery.begun()
    monkeypatch.setattr(starting, "_RECOVERY_SECONDS", 600.0)
    with ThreadPoolExecutor(1) as pool:
        start = pool.submit(embedded.start, recovery.home, say=lambda _: recovery.finish())
        assert start.result(_PATIENCE_SECONDS).postmaster() == process


def test_a_server_that_dies_while_it_recovers_is_told_at_once(recovery: Recovery) -> None:
    with ThreadPoolExecutor(1) as pool:
        start = pool.submit(embedded.start, recovery.home, say=lambda _: recovery.begun().kill())
        with pytest.raises(DatabaseUnavailable, match="the server ended while it was starting up"):
            start.result(_PATIENCE_SECONDS)


def test_a_command_that_is_interrupted_meanwhile_leaves_no_server_behind(recovery: Recovery) -> None:
    command = [sys.executable, "-m", "emag_pipeline", "migrate"]
    migrating = subprocess.Popen(command, env=environment(recovery.home), cwd=recovery.home)
    process = recovery.begun()
    migrating.send_signal(signal.SIGTERM)
    assert migrating.wait(_PATIENCE_SECONDS) == 130
    wait_until(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE, _PATIENCE_SECONDS)


#: As in `up`, whose handlers only take note.
_WAITS = """
import sys
from pathlib import Path
from emag_pipeline import embedded
from emag_pipeline.operations.stop_signals import StopSignals
with StopSignals():
    sys.stdout.write("ready")
    sys.stdout.flush()
    embedded.start(Path(sys.argv[1]))
"""


def test_whoever_waits_for_another_ones_start_says_so_and_hears_signals(recovery: Recovery) -> None:
    said: list[str] = []
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(embedded.start, recovery.home, say=lambda _: None)
        recovery.begun()
        try:
            second = pool.submit(embedded.start, recovery.home, say=said.append)
            wait_until(lambda: bool(said), _PATIENCE_SECONDS)
            assert said == ["another command is starting the embedded PostgreSQL: waiting for it"]
            third = subprocess.Popen([sys.executable, "-c", _WAITS, str(recovery.home)], stdout=subprocess.PIPE)
            assert third.stdout is not None
            assert third.stdout.read(5) == b"ready"
            third.send_signal(signal.SIGTERM)
            third.communicate(timeout=_PATIENCE_SECONDS)
        finally:
            recovery.finish()
        assert [first.result(_PATIENCE_SECONDS).started_here, second.result(_PATIENCE_SECONDS).started_here] == [
            True,
            False,
        ]


@pytest.fixture
def server() -> Iterator[embedded.EmbeddedServer]:
    with tempfile.TemporaryDirectory(prefix="emag-silent-") as directory:
        Path(directory).chmod(0o711)
        server = embedded.start(Path(directory))
        yield server
        server.stop()


def test_a_server_that_is_frozen_is_told_in_time_when_a_database_is_asked_for(server: embedded.EmbeddedServer) -> None:
    main = server.postmaster()
    main.suspend()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(server.ensure_database, "emag")
        try:
            wait_until(asked.done, _PATIENCE_SECONDS)
        finally:
            main.resume()
        assert isinstance(asked.exception(), DatabaseUnavailable)


def test_a_server_that_is_gone_is_told_in_a_sentence_when_a_database_is_asked_for(
    server: embedded.EmbeddedServer,
) -> None:
    server.stop()
    with pytest.raises(DatabaseUnavailable, match="the database cannot be reached"):
        server.ensure_database("emag")
