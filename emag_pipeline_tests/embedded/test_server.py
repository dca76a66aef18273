import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg2
import pytest

from emag_pipeline import embedded
from emag_pipeline.embedded import postmaster
from emag_pipeline_tests.cli.commands import environment
from emag_pipeline_tests.embedded.homes import open_directory, set_up


@pytest.fixture
def home() -> Iterator[Path]:
    with open_directory() as home:
        yield home
        server = embedded.running(home)
        if server is not None:
            server.stop()


def _select(server: embedded.EmbeddedServer, statement: str) -> object:
    connection = psycopg2.connect(host=str(server.socket_directory), user="postgres", dbname="emag")
    try:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(statement)
        return cursor.fetchone()[0] if cursor.description else None
    finally:
        connection.close()


def _postmaster(home: Path) -> psutil.Process:
    return psutil.Process(int((home / "postgres" / "postmaster.pid").read_text().splitlines()[0]))


def test_a_second_start_attaches_and_data_outlives_a_stop(home: Path) -> None:
    first = embedded.start(home)
    first.ensure_database("emag")
    _select(first, "CREATE TABLE kept AS SELECT 42 AS answer")
    assert (first.started_here, embedded.start(home).started_here) == (True, False)
    first.stop()
    assert embedded.running(home) is None
    assert _select(embedded.start(home), "SELECT answer FROM kept") == 42


def test_a_database_is_made_without_a_refusal_in_the_servers_log(home: Path) -> None:
    server = embedded.start(set_up(home))
    for _ in range(2):
        server.ensure_database("emag")
    assert "FATAL" not in embedded.log_of(home).read_text()


def test_two_simultaneous_starts_are_one(home: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        servers = list(pool.map(embedded.start, [home, home]))
    assert sorted(server.started_here for server in servers) == [False, True]


def test_a_crashed_server_is_started_again(home: Path) -> None:
    embedded.start(set_up(home)).ensure_database("emag")
    postmaster = _postmaster(home)
    os.kill(postmaster.pid, signal.SIGKILL)
    postmaster.wait(10)
    server = embedded.start(home)
    assert server.started_here
    assert _select(server, "SELECT 1") == 1


def test_it_listens_on_no_network_address(home: Path) -> None:
    embedded.start(set_up(home))
    assert _postmaster(home).net_connections("tcp") == []


def test_a_long_home_gets_a_short_socket(home: Path) -> None:
    deep = home / ("d" * 60) / ("e" * 60)
    server = embedded.start(set_up(deep))
    try:
        assert (server.data, server.socket_directory.parent) == (deep / "postgres", Path(tempfile.gettempdir()))
        server.ensure_database("emag")
        assert _select(server, "SELECT 1") == 1
    finally:
        server.stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_first_start_that_is_ended_in_its_midst_is_begun_anew(home: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "emag_pipeline", "migrate"]
    migrating = subprocess.Popen(command, env=environment(home), cwd=home, stdout=subprocess.DEVNULL)
    until = time.monotonic() + 120
    while not (home / "postgres" / "PG_VERSION").exists():
        assert time.monotonic() < until
        time.sleep(0.002)
    migrating.send_signal(number)
    assert migrating.wait(120) in (130, -number)
    assert not embedded.is_set_up(home)
    server = embedded.start(home)
    server.url("emag")
    assert _select(server, "SHOW data_checksums") == "on"


def test_one_that_is_killed_while_another_command_attaches_to_it_is_started_again(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = embedded.start(set_up(home)).postmaster()
    look = postmaster.starting

    def killed_before_it_is_asked(data: Path) -> psutil.Process | None:
        if killed.is_running():
            killed.kill()
            killed.wait()
        return look(data)

    monkeypatch.setattr(postmaster, "starting", killed_before_it_is_asked)
    server = embedded.start(home)
    assert (server.started_here, server.postmaster() != killed) == (True, True)
