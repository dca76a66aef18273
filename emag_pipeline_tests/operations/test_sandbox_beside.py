import socket
from pathlib import Path

from emag_pipeline.operations import ports
from emag_pipeline.operations.sandbox_beside import sandbox_beside
from emag_pipeline.sandbox import SandboxServer
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


def test_a_running_sandbox_is_used(tmp_path: Path) -> None:
    with SandboxServer() as running:
        given = {"EMAG_HOME": str(tmp_path), "EMAG_SANDBOX_PORT": str(running.port)}
        with sandbox_beside(load_settings(given, env_file=None), {}) as started:
            assert not started
        assert ports.answers(running.port)
