"""While the server of an `up` recovers, the `up` goes on, and everybody says what the server does."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from emag_pipeline import embedded
from emag_pipeline.databases import attached, silence
from emag_pipeline.errors import DatabaseUnavailable
from emag_pipeline.local.embedded_use import EmbeddedWatch
from emag_pipeline.running_up import claimed
from emag_pipeline.settings import load_settings
from emag_pipeline_tests.cli.commands import hurried
from emag_pipeline_tests.embedded.recoveries import PATIENCE_SECONDS, Recovery
from emag_pipeline_tests.local.ups import wait_until

pytestmark = pytest.mark.services

#: A turn of `up` may take so long on a machine that is busy; what it waited for before lasts for an hour.
_TURN_SECONDS = 20.0
#: Commands wait for this long until `up` has started the server again.
_HASTY = {"emag_pipeline.local.embedded_use._UP_SECONDS": 0.5}
_AGAIN = "the embedded PostgreSQL is running again"


class Watched:
    """A watch, turned by hand as `up` does."""

    def __init__(self, home: Path, pool: ThreadPoolExecutor) -> None:
        self.said: list[str] = []
        settings = load_settings({"EMAG_HOME": str(home)}, env_file=None)
        self._watch = EmbeddedWatch(settings, self.said.append)
        self._pool = pool

    def turn(self) -> None:
        self._pool.submit(self._watch.repair).result(_TURN_SECONDS)

    def says(self, text: str) -> bool:
        self.turn()
        return any(text in one for one in self.said)


@pytest.fixture
def watched(recovery: Recovery) -> Iterator[Watched]:
    with ThreadPoolExecutor(1) as pool, claimed(recovery.home, "http://127.0.0.1:1"):
        yield Watched(recovery.home, pool)
        recovery.finish()


def _sentence(recovery: Recovery) -> str:
    return (
        f"EMAG_HOME {recovery.home}: the embedded PostgreSQL is starting up (crash recovery). "
        f"Wait until it accepts connections: its log {embedded.log_of(recovery.home)} shows the progress."
    )


def test_up_looks_after_the_rest_meanwhile(recovery: Recovery, watched: Watched) -> None:
    wait_until(lambda: watched.says("is starting up"), PATIENCE_SECONDS)
    server = recovery.begun()
    for _ in range(3):
        watched.turn()
    assert recovery.begun() == server
    assert [one for one in watched.said if "is not running" not in one] == [_sentence(recovery)]
    recovery.finish()
    wait_until(lambda: watched.says(_AGAIN), PATIENCE_SECONDS)
    assert embedded.start(recovery.home).postmaster() == server


def test_up_tells_why_a_server_ended_in_its_recovery_and_starts_it_again(recovery: Recovery, watched: Watched) -> None:
    wait_until(lambda: watched.says("is starting up"), PATIENCE_SECONDS)
    server = recovery.begun()
    server.kill()
    wait_until(lambda: watched.says("the server ended while it was starting up"), PATIENCE_SECONDS)
    recovery.finish()
    wait_until(lambda: watched.says(_AGAIN), PATIENCE_SECONDS)


def test_status_doctor_and_stop_say_that_it_recovers(recovery: Recovery, watched: Watched) -> None:
    wait_until(lambda: watched.says("is starting up"), PATIENCE_SECONDS)
    sentence = _sentence(recovery)
    status = hurried(recovery.home, _HASTY, "status")
    stop = hurried(recovery.home, _HASTY, "stop", "--all", "--dry-run")
    assert (status.returncode, status.stdout) == (1, "")
    assert status.stderr == f"emag-pipeline: {sentence}\n"
    assert sentence in stop.stderr
    assert "is not running" not in status.stderr + stop.stderr
    doctor = json.loads(hurried(recovery.home, _HASTY, "doctor", "--json").stdout)
    found = [one for one in doctor["findings"] if one["subject"] == "database"]
    words = sentence.removeprefix(f"EMAG_HOME {recovery.home}: ")
    assert [f"{one['what']}. {one['remedy']}." for one in found] == [words]


def test_what_a_lost_connection_means_is_said_alike(recovery: Recovery, watched: Watched) -> None:
    """As /health does, whose connection is older than the crash."""
    wait_until(lambda: watched.says("is starting up"), PATIENCE_SECONDS)
    recovery.begun()
    settings = load_settings({"EMAG_HOME": str(recovery.home)}, env_file=None)
    with pytest.raises(DatabaseUnavailable) as told, attached(settings):
        pass
    assert told.value.message == _sentence(recovery)


def test_one_that_starts_anew_by_itself_says_so_too(restart: Recovery) -> None:
    settings = load_settings({"EMAG_HOME": str(restart.home)}, env_file=None)
    with pytest.raises(DatabaseUnavailable) as told, attached(settings):
        pass
    why = told.value.why
    assert "recovery mode" in why or "not yet accepting connections" in why
    assert told.value.message.replace(f": {why}", "") == _sentence(restart)
    assert silence(restart.home).message == _sentence(restart)
    with claimed(restart.home, "http://127.0.0.1:1"):
        done = hurried(restart.home, _HASTY, "status")
    assert done.returncode == 1
    assert "is not running" not in done.stderr
    assert "is starting up (crash recovery)" in done.stderr
