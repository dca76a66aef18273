"""Somebody stops the server of an `up`: it is told as what it is, and the server is started again."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from emag_pipeline import embedded
from emag_pipeline.databases import silence
from emag_pipeline.embedded import postmaster
from emag_pipeline.local import embedded_use
from emag_pipeline.running_up import claimed
from emag_pipeline_tests.embedded.recoveries import PATIENCE_SECONDS
from emag_pipeline_tests.embedded.test_recovery_under_up import Watched
from emag_pipeline_tests.local.ups import wait_until

pytestmark = pytest.mark.services

_AGAIN = "the embedded PostgreSQL is running again"


@pytest.fixture
def server(recovery_home: Path) -> Iterator[embedded.EmbeddedServer]:
    yield embedded.start(recovery_home)
    left = embedded.running(recovery_home)
    if left is not None:
        left.stop()


def _sentence(home: Path) -> str:
    return (
        f"EMAG_HOME {home}: the embedded PostgreSQL was told to stop. `emag-pipeline up` (process {os.getpid()}) "
        f"starts it again by itself and tries every second; if it stays away, {embedded.log_of(home)} says why."
    )


def test_a_stop_is_told_as_one_and_the_server_is_started_again(
    recovery_home: Path, server: embedded.EmbeddedServer
) -> None:
    """As `pg_ctl stop` does it: what starts next has nothing to recover."""
    with ThreadPoolExecutor(1) as pool, claimed(recovery_home, "http://127.0.0.1:1"):
        watched = Watched(recovery_home, pool)
        watched.turn()
        server.postmaster().send_signal(signal.SIGINT)
        wait_until(lambda: embedded.running(recovery_home) is None, PATIENCE_SECONDS)
        assert silence(recovery_home, up_goes_on=True).message == _sentence(recovery_home)
        wait_until(lambda: watched.says(_AGAIN), PATIENCE_SECONDS)
        said = [one for one in watched.said if "is starting up. Wait" not in one]  # where its start takes long
        assert said == [_sentence(recovery_home), _AGAIN]


def test_one_that_waits_for_its_sessions_is_not_waited_for_without_end(
    recovery_home: Path, server: embedded.EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGTERM lets sessions go on and takes no new ones: nobody could work until the last one has left."""
    monkeypatch.setattr(embedded_use, "_SESSIONS_SECONDS", 0.5)
    first = server.postmaster()
    where = str(server.socket_directory)
    with (
        closing(psycopg2.connect(host=where, user="postgres", dbname="postgres")),
        ThreadPoolExecutor(1) as pool,
        claimed(recovery_home, "http://127.0.0.1:1"),
    ):
        watched = Watched(recovery_home, pool)
        first.send_signal(signal.SIGTERM)
        wait_until(lambda: postmaster.stopping(server.data) is not None, PATIENCE_SECONDS)
        wait_until(lambda: watched.says(_AGAIN), PATIENCE_SECONDS)
        assert [one for one in watched.said if "is starting up" not in one] == [
            _sentence(recovery_home),
            embedded_use._WAITS,
            _AGAIN,
        ]
    assert server.postmaster() != first
