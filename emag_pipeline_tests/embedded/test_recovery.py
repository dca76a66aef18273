"""A server that recovers for long after a crash is waited for; one that does not answer keeps nobody."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg2
import pytest

from emag_pipeline import embedded
from emag_pipeline.embedded import places, postmaster
from emag_pipeline.embedded import server as starting
from emag_pipeline.errors import DatabaseUnavailable
from emag_pipeline.local.embedded_use import in_use
from emag_pipeline.store import engine
from emag_pipeline_tests.cli.commands import emag_pipeline, environment
from emag_pipeline_tests.embedded.recoveries import PATIENCE_SECONDS, Recovery
from emag_pipeline_tests.local.ups import wait_until

pytestmark = pytest.mark.services


def _waited_for(recovery: Recovery) -> tuple[embedded.EmbeddedServer, list[str]]:
    """The server of a start that waits until it says so, and only then may end; and what it said."""
    said: list[str] = []
    with ThreadPoolExecutor(1) as pool:
        start = pool.submit(embedded.start, recovery.home, say=said.append)
        try:
            wait_until(lambda: bool(said) or start.done(), PATIENCE_SECONDS)
            assert not start.done(), start.exception()
        finally:
            recovery.finish()
        return start.result(PATIENCE_SECONDS), said


def test_a_server_that_recovers_for_longer_than_pg_ctl_waits_is_waited_for(recovery: Recovery) -> None:
    server, said = _waited_for(recovery)
    assert len(said) == 1
    assert "is starting up" in said[0]
    assert "60 minutes at most" in said[0]
    assert embedded.running(recovery.home) is not None
    server.ensure_database("emag")


def test_a_start_while_it_still_recovers_joins_in_the_wait(recovery: Recovery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "_RECOVERY_SECONDS", 0.5)
    with pytest.raises(DatabaseUnavailable, match=r"has been starting up for .*, and continues") as given_up:
        embedded.start(recovery.home, say=lambda _: None)
    assert "repeat the command later" in given_up.value.message
    process = recovery.begun()
    monkeypatch.setattr(starting, "_RECOVERY_SECONDS", 600.0)
    with ThreadPoolExecutor(1) as pool:
        start = pool.submit(embedded.start, recovery.home, say=lambda _: recovery.finish())
        assert start.result(PATIENCE_SECONDS).postmaster() == process


def test_a_server_that_dies_while_it_recovers_is_told_at_once(recovery: Recovery) -> None:
    with ThreadPoolExecutor(1) as pool:
        start = pool.submit(embedded.start, recovery.home, say=lambda _: recovery.begun().kill())
        with pytest.raises(DatabaseUnavailable, match="the server ended while it was starting up"):
            start.result(PATIENCE_SECONDS)


#: A long wait is told after a second, not after ten.
_HASTY = "from emag_pipeline.embedded import server; server._TELL_SECONDS = 1.0\n"
_COMMAND = f"{_HASTY}from emag_pipeline.cli import main; main()"


def _begun(home: Path, *arguments: str) -> "subprocess.Popen[bytes]":
    """A command that waits for the recovery."""
    said = home / "said"
    with said.open("wb") as file:
        command = [sys.executable, "-c", _COMMAND, *arguments]
        process = subprocess.Popen(command, env=environment(home), cwd=home, stderr=file)
    wait_until(lambda: "is starting up" in said.read_text() or process.poll() is not None, PATIENCE_SECONDS)
    assert process.poll() is None, said.read_text()
    return process


def test_commands_that_are_interrupted_meanwhile_leave_it_to_its_work_and_the_last_user_stops_it(
    recovery: Recovery,
) -> None:
    servers = set()
    for _ in range(2):
        command = _begun(recovery.home, "migrate")
        servers.add(recovery.begun())
        command.send_signal(signal.SIGTERM)
        assert command.wait(PATIENCE_SECONDS) == 130
    (server,) = servers
    assert server.is_running()
    recovery.finish()
    wait_until(lambda: embedded.running(recovery.home) is not None, PATIENCE_SECONDS)
    done = emag_pipeline(recovery.home, "migrate")
    assert (done.returncode, done.stderr) == (0, "")
    assert postmaster.process_of(recovery.data) is None


def test_one_that_was_given_up_is_stopped_by_its_last_user(recovery: Recovery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "_RECOVERY_SECONDS", 0.5)
    with pytest.raises(DatabaseUnavailable, match="and continues"), in_use(recovery.home, say=lambda _: None):
        pass
    server = recovery.begun()
    recovery.finish()
    wait_until(lambda: embedded.running(recovery.home) is not None, PATIENCE_SECONDS)
    with in_use(recovery.home) as used:
        assert used.postmaster() == server
    assert postmaster.process_of(recovery.data) is None


def test_one_that_starts_anew_because_a_process_of_it_was_killed_is_waited_for(restart: Recovery) -> None:
    note = postmaster.noted(restart.data)
    assert note is not None
    assert note.is_ready
    server, _ = _waited_for(restart)
    assert not server.started_here
    server.ensure_database("emag")


def test_one_that_starts_anew_is_not_stopped_by_who_leaves_it_meanwhile(recovery_home: Path) -> None:
    with in_use(recovery_home) as server:
        process = server.postmaster()
        restart = Recovery(recovery_home, of_all=False)
    assert process.is_running()
    restart.finish()
    embedded.start(recovery_home)
    with in_use(recovery_home):
        pass
    assert not postmaster.process_of(restart.data)


def _write_over(file: Path, text: str) -> None:
    """As PostgreSQL does it: nobody finds the file empty meanwhile."""
    with file.open("r+") as opened:
        opened.write(text)


def test_one_that_recovers_is_recognised_after_the_clock_was_set(recovery: Recovery) -> None:
    """Its start by the kernel's clock of now is another one than what it noted by the clock of then."""
    file = recovery.data / "postmaster.pid"
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(embedded.start, recovery.home, say=lambda _: None)
        server = recovery.begun()
        noted = file.read_text()
        lines = noted.split("\n")
        lines[2] = str(int(lines[2]) - 7200)
        _write_over(file, "\n".join(lines))
        try:
            assert recovery.begun() == server
            second = pool.submit(embedded.start, recovery.home, say=lambda _: None)
        finally:
            _write_over(file, noted)
            recovery.finish()
        assert first.result(PATIENCE_SECONDS).postmaster() == server
        assert second.result(PATIENCE_SECONDS).postmaster() == server


#: It leaves a file where it would have told of its wait.
_STARTS = f"""{_HASTY}
import sys
from pathlib import Path
from emag_pipeline.console import tell
def say(text):
    tell(text)
    (Path(sys.argv[1]) / "said").touch()
server.start(Path(sys.argv[1]), say=say)
"""


def test_a_command_whose_stderr_is_closed_waits_too(recovery: Recovery) -> None:
    line = 'exec "$0" -c "$1" "$2" 2>&-'
    words = [sys.executable, _STARTS, str(recovery.home)]
    command = subprocess.Popen(["bash", "-c", line, *words], env=environment(recovery.home))
    wait_until(lambda: (recovery.home / "said").exists() or command.poll() is not None, PATIENCE_SECONDS)
    assert command.poll() is None
    recovery.finish()
    assert command.wait(PATIENCE_SECONDS) == 0


def test_what_it_answers_while_it_recovers_is_not_told_as_the_reason_of_its_end(recovery: Recovery) -> None:
    def fail(_: str) -> None:
        where = places.socket_directory(recovery.home, recovery.data)
        with pytest.raises(psycopg2.OperationalError, match="the database system is"):
            psycopg2.connect(host=str(where), user="postgres", dbname="postgres")
        recovery.begun().kill()

    with (
        ThreadPoolExecutor(1) as pool,
        pytest.raises(DatabaseUnavailable, match="the server ended while it was starting up") as told,
    ):
        pool.submit(embedded.start, recovery.home, say=fail).result(PATIENCE_SECONDS)
    assert "the database system is starting up" not in told.value.message
    assert "not yet accepting connections" not in told.value.message


#: As in `up`, whose handlers only take note.
_WAITS = """
import sys
from pathlib import Path
from emag_pipeline import embedded
from emag_pipeline.local.stop_signals import StopSignals
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
            wait_until(lambda: bool(said), PATIENCE_SECONDS)
            assert said == ["another command is starting the embedded PostgreSQL: waiting for it"]
            third = subprocess.Popen([sys.executable, "-c", _WAITS, str(recovery.home)], stdout=subprocess.PIPE)
            assert third.stdout is not None
            assert third.stdout.read(5) == b"ready"
            third.send_signal(signal.SIGTERM)
            third.communicate(timeout=PATIENCE_SECONDS)
        finally:
            recovery.finish()
        assert [first.result(PATIENCE_SECONDS).started_here, second.result(PATIENCE_SECONDS).started_here] == [
            True,
            False,
        ]


@pytest.fixture
def server(recovery_home: Path) -> Iterator[embedded.EmbeddedServer]:
    server = embedded.start(recovery_home)
    yield server
    server.stop()


def test_a_server_that_is_frozen_is_told_in_time_when_a_database_is_asked_for(
    server: embedded.EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "CONNECT_TIMEOUT_SECONDS", 2)
    main = server.postmaster()
    main.suspend()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(server.ensure_database, "emag")
        try:
            wait_until(asked.done, PATIENCE_SECONDS)
        finally:
            main.resume()
        assert isinstance(asked.exception(), DatabaseUnavailable)


def test_a_server_that_is_gone_is_told_in_a_sentence_when_a_database_is_asked_for(
    server: embedded.EmbeddedServer,
) -> None:
    server.stop()
    with pytest.raises(DatabaseUnavailable, match="the database cannot be reached"):
        server.ensure_database("emag")
