"""The embedded PostgreSQL dies under a running `up` and does not come back: everybody tells it in one sentence."""

import json
import signal
from collections.abc import Iterator

import pytest
import requests

from emag_pipeline import embedded
from emag_pipeline_tests.cli.commands import emag_pipeline
from emag_pipeline_tests.local import ups
from emag_pipeline_tests.local.ups import Up, wait_until

pytestmark = pytest.mark.services

_BROKEN = "\nnonsense = 1\n"
_PATIENCE_SECONDS = 600.0


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    running = ups.start(tmp_path_factory.mktemp("up") / "home")
    try:
        running.wait_for("ready: look at", _PATIENCE_SECONDS)
        yield running
    finally:
        running.process.terminate()
        running.process.wait(60)


@pytest.fixture
def sentence(up: Up) -> str:
    return (
        f"the embedded PostgreSQL is not running. `emag-pipeline up` (process {up.process.pid}) starts it again by "
        f"itself and tries every second; if it stays away, {embedded.log_of(up.home)} says why."
    )


@pytest.fixture
def away(up: Up, sentence: str) -> Iterator[None]:
    """The server was killed, and cannot start before a person has corrected its settings."""
    server = embedded.running(up.home)
    assert server is not None
    settings = server.data / "postgresql.auto.conf"
    before = settings.read_text()
    settings.write_text(before + _BROKEN)
    server.postmaster().send_signal(signal.SIGKILL)
    up.wait_for(sentence, _PATIENCE_SECONDS)
    yield
    settings.write_text(before)
    up.wait_for("the embedded PostgreSQL is running again", _PATIENCE_SECONDS)


def _ports(up: Up) -> dict[str, str]:
    return {
        "EMAG_UI_PORT": str(up.ui_port),
        "EMAG_SANDBOX_PORT": str(up.sandbox_port),
        "EMAG_SYNC_METRICS_PORT": str(up.metrics_port),
        "EMAG_SYNC_HEALTH_PORT": str(up.health_port),
    }


def _health(up: Up) -> dict[str, str]:
    """The problems, by their subject."""
    answer = requests.get(f"http://127.0.0.1:{up.health_port}/health", timeout=60)
    return {one["subject"]: f"{one['what']}. {one['remedy']}." for one in answer.json()["problems"]}


def _tells_alone(problems: dict[str, str], sentence: str) -> bool:
    """Whether the sentence is all, whatever the driver says of the cause in it."""
    what, remedy = sentence.split(". ", 1)
    said = problems.get("database", "")
    return len(problems) == 1 and said.startswith(what) and said.endswith(remedy)


def test_up_status_doctor_health_and_stop_tell_one_story(up: Up, sentence: str, away: None) -> None:
    up.wait_for("pg_ctl failed: configuration file", _PATIENCE_SECONDS)
    status, stop = emag_pipeline(up.home, "status"), emag_pipeline(up.home, "stop", "--all", "--dry-run")
    assert (status.returncode, status.stdout) == (1, "")
    assert status.stderr == f"emag-pipeline: EMAG_HOME {up.home}: {sentence}\n"
    assert stop.stderr == status.stderr
    doctor = json.loads(emag_pipeline(up.home, "doctor", "--json", **_ports(up)).stdout)
    found = [one for one in doctor["findings"] if one["subject"] in ("database", "daemon", "automation")]
    assert [f"{one['what']}. {one['remedy']}." for one in found] == [sentence]
    wait_until(lambda: _tells_alone(_health(up), sentence), _PATIENCE_SECONDS, lambda: str(_health(up)))
    told = up.said()
    assert told.count(sentence) == 1
    for wrong in ("Free disk space", "firewall", ".;", "?.", "Start it or correct its URL"):
        assert wrong not in told + status.stderr + json.dumps(doctor)


def test_it_comes_back_and_all_is_well_again(up: Up, away: None) -> None:
    settings = embedded.log_of(up.home).with_name("postgresql.auto.conf")
    settings.write_text(settings.read_text().replace(_BROKEN, ""))
    wait_until(lambda: embedded.running(up.home) is not None, _PATIENCE_SECONDS, up.said)
    status = emag_pipeline(up.home, "status")
    assert (status.returncode, status.stderr) == (0, "")
    wait_until(lambda: "database" not in _health(up), _PATIENCE_SECONDS, lambda: str(_health(up)))
