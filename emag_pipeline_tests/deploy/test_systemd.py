"""The units as systemd itself judges them, and the facts on which an operator relies."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from emag_pipeline_tests.deploy.sites import ROOT

_SOURCE = ROOT / "deploy/systemd"
_SERVICES = sorted(path.name for path in _SOURCE.glob("*.service"))
_DROP_IN = "emag-pipeline-.service.d"
#: systemd before 254 warns of the settings in it
_NEW = "20-backoff.conf"

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze judges the units")


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units beside their drop-ins, with programs that exist on every machine."""
    shutil.copytree(_SOURCE, tmp_path / "units", ignore=shutil.ignore_patterns(_NEW))
    for unit in (tmp_path / "units").glob("*.service"):
        unit.write_text(re.sub(r"/opt/emag-pipeline/current/venv/bin/[a-z-]+", "/bin/true", unit.read_text()))
    return tmp_path / "units"


def _settings(name: str) -> dict[str, str]:
    """The last value of each setting of a unit and of the drop-in that all services share."""
    text = (_SOURCE / _DROP_IN / "10-service.conf").read_text() + (_SOURCE / name).read_text()
    return dict(line.split("=", 1) for line in text.splitlines() if re.match(r"[A-Z]\w+=", line))


@needs_systemd
@pytest.mark.parametrize("name", [*_SERVICES, "emag-pipeline.target"])
def test_systemd_finds_nothing_to_complain_about(units: Path, name: str) -> None:
    done = subprocess.run(["systemd-analyze", "verify", str(units / name)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@needs_systemd
@pytest.mark.parametrize("name", _SERVICES)
def test_the_exposure_is_under_3(units: Path, name: str) -> None:
    command = ["systemd-analyze", "security", "--offline=yes", str(units / name)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    (exposure,) = re.findall(r"Overall exposure level for \S+: ([\d.]+)", said)
    assert float(exposure) < 3.0


@pytest.mark.parametrize("name", _SERVICES)
def test_each_service_comes_back_and_has_limits_and_belongs_to_the_target(name: str) -> None:
    found = _settings(name)
    assert (found["Restart"], found["StartLimitIntervalSec"]) == ("always", "0")
    assert float(found["RestartSec"]) > 0
    assert {"MemoryMax", "MemoryHigh", "TasksMax", "TimeoutStopSec"} <= found.keys()
    assert found["WantedBy"] == "emag-pipeline.target"
    assert "emag-pipeline.target" in found["PartOf"].split()


def test_what_dies_again_and_again_is_started_less_often_where_systemd_knows_how() -> None:
    text = (_SOURCE / _DROP_IN / _NEW).read_text()
    assert re.findall(r"^(\w+)=", text, re.MULTILINE) == ["RestartSteps", "RestartMaxDelaySec"]


def test_secrets_come_from_a_file_that_only_root_reads_and_stand_in_no_unit() -> None:
    text = "".join(path.read_text() for path in _SOURCE.rglob("*") if path.is_file())
    assert "EnvironmentFile=/etc/emag-pipeline/env" in text
    assert not re.search(r"PASSWORD|postgresql://|postgresql\+", text)


def test_the_webserver_and_the_code_location_are_told_to_listen_on_this_machine_only() -> None:
    text = (_SOURCE / _DROP_IN / "10-service.conf").read_text()
    assert "DAGSTER_WEBSERVER_HOST=127.0.0.1" in text
    assert "DAGSTER_GRPC_HOST=127.0.0.1" in text


def test_a_stop_tells_every_sync_at_once_and_gives_it_a_minute() -> None:
    found = _settings("emag-pipeline-code-location.service")
    assert (found["KillMode"], found["TimeoutStopSec"], found["OOMPolicy"]) == ("control-group", "60", "continue")


def test_the_daemon_stops_before_the_code_location_and_starts_after_it() -> None:
    found = _settings("emag-pipeline-daemon.service")
    assert found["After"] == "emag-pipeline-code-location.service"
    assert "emag-pipeline-code-location.service" in found["PartOf"].split()
