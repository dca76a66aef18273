import socket
from pathlib import Path

import pytest

from emag_pipeline.local import ports
from emag_pipeline.local.programs import sandbox_beside
from emag_pipeline.sandbox import SandboxControl, SandboxServer
from emag_pipeline.settings import load_settings


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def test_a_command_gets_a_sandbox_for_its_time(tmp_path: Path) -> None:
    port = _free_port()
    settings = load_settings({"EMAG_HOME": str(tmp_path), "EMAG_SANDBOX_PORT": str(port)}, env_file=None)
    with sandbox_beside(settings, {}) as started:
        assert started
        assert ports.answers(port)
    assert not ports.answers(port)


@pytest.mark.parametrize("place", ["top", "data", "both"])
def test_it_looks_for_parameters_where_the_settings_say(tmp_path: Path, place: str) -> None:
    port = _free_port()
    given = {"EMAG_HOME": str(tmp_path), "EMAG_SANDBOX_PORT": str(port), "EMAG_SANDBOX_PARAMETERS": place}
    with sandbox_beside(load_settings(given, env_file=None), {}):
        assert SandboxControl(f"http://127.0.0.1:{port}").settings()["parameters"] == place


def test_a_running_sandbox_is_used(tmp_path: Path) -> None:
    with SandboxServer() as running:
        given = {"EMAG_HOME": str(tmp_path), "EMAG_SANDBOX_PORT": str(running.port)}
        with sandbox_beside(load_settings(given, env_file=None), {}) as started:
            assert not started
        assert ports.answers(running.port)
