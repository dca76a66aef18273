"""Who stops the embedded server: whoever started it, or the last one who uses it; nobody, where a killed `up` did."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import psycopg2
import pytest

from emag_pipeline import embedded, running_up
from emag_pipeline.databases import attached, silence
from emag_pipeline.errors import DatabaseUnavailable
from emag_pipeline.local.embedded_use import awake, in_use, looked_into
from emag_pipeline.local.surroundings import surroundings
from emag_pipeline.running_up import claimed
from emag_pipeline.settings import load_settings
from emag_pipeline_tests.cli.commands import emag_pipeline
from emag_pipeline_tests.embedded import homes

_JOINED = "using the embedded PostgreSQL, which is already running"
_LEFT = "leaving the embedded PostgreSQL running: another command uses it, and the last one stops it"


@pytest.fixture
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="emag-home-") as directory:
        home = Path(directory)
        yield homes.migrated(home)
        if (server := embedded.running(home)) is not None:
            server.stop()


def test_a_command_leaves_a_server_running_that_was_running(home: Path) -> None:
    """As after an `up` that was killed: its programs use the server and hold no lock."""
    embedded.start(home)
    for arguments in (["status"], ["migrate"], ["stuck"], ["stop", "--all"]):
        emag_pipeline(home, *arguments)
        assert embedded.running(home) is not None, arguments


def test_what_a_killed_up_has_left_keeps_a_server_that_a_command_started(home: Path) -> None:
    with subprocess.Popen(["sleep", "60"], env={**os.environ, **running_up.mark(home)}) as left:
        with in_use(home) as server:
            assert server.started_here
        left.kill()
    assert embedded.running(home) is not None


def test_the_next_up_takes_over_what_a_killed_one_has_left(home: Path) -> None:
    embedded.start(home)
    said: list[str] = []
    with claimed(home, "http://127.0.0.1:1"), in_use(home, steps=said.append) as server:
        assert not server.started_here
    assert embedded.running(home) is None
    assert said == [_JOINED, "stopping the embedded PostgreSQL"]


def test_who_leaves_first_leaves_it_to_the_last(home: Path) -> None:
    settings = load_settings({"EMAG_HOME": str(home)}, env_file=None)
    said: list[str] = []
    with ExitStack() as longer:
        with in_use(home, steps=said.append):
            assert longer.enter_context(awake(settings)) is False
        assert embedded.running(home) is not None
    assert embedded.running(home) is None
    assert said == ["starting the embedded PostgreSQL", _LEFT]
    said.clear()
    with awake(settings) as slept, in_use(home, steps=said.append):
        assert slept
    assert embedded.running(home) is None
    assert said == [_JOINED, _LEFT]


def test_a_server_that_refuses_is_not_told_as_one_that_does_not_run(home: Path) -> None:
    server = embedded.start(home, {"max_connections": "5", "superuser_reserved_connections": "0"})
    settings = load_settings({"EMAG_HOME": str(home)}, env_file=None)
    with ExitStack() as held:
        for _ in range(5):
            where = {"host": str(server.socket_directory), "user": "postgres", "dbname": "emag"}
            held.enter_context(closing(psycopg2.connect(**where)))
        with pytest.raises(DatabaseUnavailable, match="too many clients already") as refused, attached(settings):
            pass
    assert refused.value.what == "the database server has no free connections"


def test_dagsters_own_server_that_is_away_is_not_told_as_the_embedded_one(home: Path) -> None:
    url = "postgresql://me@127.0.0.1:1/emag_dagster"
    settings = load_settings({"EMAG_HOME": str(home), "DAGSTER_PG_URL": url}, env_file=None)
    with pytest.raises(DatabaseUnavailable, match="Connection refused") as away, surroundings(settings):
        pass
    assert "embedded" not in away.value.message


def test_an_up_that_ends_does_not_say_that_it_starts_the_server_again(home: Path) -> None:
    with claimed(home, "http://127.0.0.1:1"):
        assert "Start it with `emag-pipeline up`" in silence(home, why="it was killed").message
        assert "it was killed" in silence(home, why="it was killed").message
        assert f"(process {os.getpid()}) starts it again by itself" in silence(home, up_goes_on=True).message


def test_who_looks_into_a_configured_database_wakes_no_server_for_dagsters(home: Path, database_url: str) -> None:
    settings = load_settings({"EMAG_HOME": str(home), "DATABASE_SYNC_URL": database_url}, env_file=None)
    with looked_into(settings), awake(settings) as slept:
        assert not slept
        assert embedded.running(home) is None
