"""The container files, without a container engine: what they name exists, fits together, and holds no secret."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import yaml

from emag_pipeline import embedded
from emag_pipeline.drills.scratch_server import ScratchServer
from emag_pipeline.settings import Settings, load_settings
from emag_pipeline_tests.deploy.sites import ROOT
from emag_pipeline_tests.embedded import homes

_DEPLOY = ROOT / "deploy"
_COMPOSE: dict[str, Any] = yaml.safe_load((_DEPLOY / "compose.yaml").read_text())
_SERVICES: dict[str, Any] = _COMPOSE["services"]
_OURS = sorted(name for name, service in _SERVICES.items() if service["image"].startswith("emag-pipeline:"))
_DOCKERFILE = (_DEPLOY / "Dockerfile").read_text()
_EXAMPLES = ["env.example", "compose/settings.env.example", "compose/owner.env.example"]
#: Read by Dagster's programs and by the units, not by the settings.
_OF_THE_PROGRAMS = {"DAGSTER_WEBSERVER_HOST", "DAGSTER_GRPC_PORT"}


def _variables(name: str, *, commented: bool = False) -> dict[str, str]:
    pattern = r"^(?:# )?([A-Z_]+)=(.*)$" if commented else r"^([A-Z_]+)=(.*)$"
    return dict(re.findall(pattern, (_DEPLOY / name).read_text(), re.MULTILINE))


def _mounts() -> list[tuple[str, str]]:
    return [(name, mount) for name, service in _SERVICES.items() for mount in service.get("volumes", [])]


def test_everything_that_is_mounted_exists() -> None:
    assert _mounts()
    for name, mount in _mounts():
        source = mount.split(":")[0]
        if source.startswith("."):
            assert (_DEPLOY / source).exists(), f"{name}: {source}"
        else:
            assert source in _COMPOSE["volumes"], f"{name}: {source}"


def test_services_and_secrets_that_are_named_exist() -> None:
    assert any("depends_on" in service and "secrets" in service for service in _SERVICES.values())
    for service in _SERVICES.values():
        assert set(service.get("depends_on", [])) <= _SERVICES.keys()
        assert set(service.get("secrets", [])) <= _COMPOSE["secrets"].keys()


@pytest.mark.parametrize("name", _OURS)
def test_each_command_is_one_of_the_image_and_takes_its_options(name: str) -> None:
    command = _SERVICES[name]["command"]
    assert command
    options = [word for word in command if word.startswith("--")]
    words = command[: command.index(options[0])] if options else command
    program = Path(sys.executable).parent / words[0]
    said = subprocess.run([program, *words[1:], "--help"], capture_output=True, text=True, check=True).stdout
    assert [option for option in options if option not in said] == []


@pytest.mark.parametrize("name", _OURS)
def test_each_service_of_ours_is_told_to_stop_as_a_group_and_has_few_rights(name: str) -> None:
    service = _SERVICES[name]
    assert service["init"] is True
    assert service["environment"]["TINI_KILL_PROCESS_GROUP"] == "1"
    assert (service["cap_drop"], service["security_opt"]) == (["ALL"], ["no-new-privileges:true"])
    assert "healthcheck" in service or name == "exporter"


def test_ports_are_published_on_this_machine_only() -> None:
    published = [port for service in _SERVICES.values() for port in service.get("ports", [])]
    assert published
    assert [port for port in published if not port.startswith("127.0.0.1:")] == []


def test_all_agree_on_the_ports() -> None:
    defaults = load_settings({}, env_file=None)
    assert _SERVICES["code-location"]["healthcheck"]["test"][-1] == "4266"
    assert "--port 4266" in " ".join(_SERVICES["code-location"]["command"])
    assert "DAGSTER_GRPC_PORT=4266" in _DOCKERFILE
    assert f":{defaults.ui_port}/" in _SERVICES["webserver"]["healthcheck"]["test"][-1]
    assert f":{defaults.health_port}/ready" in _DOCKERFILE
    assert f"exporter:{defaults.metrics_port}" in (_DEPLOY / "compose/prometheus.yml").read_text()


def test_the_image_runs_as_a_plain_user_from_locked_packages_and_asks_whether_it_is_ready() -> None:
    assert re.findall(r"^USER (.+)$", _DOCKERFILE, re.MULTILINE) == ["emag"]
    assert "--require-hashes -r /build/requirements.lock" in _DOCKERFILE
    assert re.search(r"^HEALTHCHECK .*\\\n.*/ready", _DOCKERFILE, re.MULTILINE)
    assert not re.search(r"(?i)password|secret=|_URL=", _DOCKERFILE)


def test_what_the_image_copies_exists_and_nothing_else_reaches_the_builder() -> None:
    copied = re.findall(r"^COPY (?:--chown=\S+ )?(?!--from)(\S+)", _DOCKERFILE, re.MULTILINE)
    allowed = (_DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    assert "*" in allowed
    assert copied
    assert {f"!{name}" for name in copied} == {line for line in allowed if line.startswith("!")}
    assert [name for name in copied if not name.startswith("dist/") and not (ROOT / name).is_file()] == []


def test_prometheus_takes_its_configuration(tmp_path: Path) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool (Debian: prometheus) checks the configuration")
    for file in ("compose/prometheus.yml", "prometheus/rules.yml"):
        shutil.copy(_DEPLOY / file, tmp_path)
    subprocess.run(["promtool", "check", "config", tmp_path / "prometheus.yml"], check=True, capture_output=True)


@pytest.mark.parametrize("name", _EXAMPLES)
def test_each_example_names_known_variables_and_is_accepted_once_it_is_filled_in(name: str) -> None:
    given = _variables(name) | {"EMAG_API_PASSWORD": "x", "EMAG_API_USERNAME": "seller@example.com"}
    settings = load_settings(given, env_file=None)
    assert settings.database_url is not None
    known = {field.alias for field in Settings.model_fields.values()} | _OF_THE_PROGRAMS | given.keys()
    assert set(_variables(name, commented=True)) <= known


def test_dagsters_url_names_its_driver_in_each_example_of_the_services() -> None:
    for name in _EXAMPLES[:2]:
        assert _variables(name)["DAGSTER_PG_URL"].startswith("postgresql+psycopg2://")


def test_secrets_are_files_outside_the_tree() -> None:
    assert _COMPOSE["secrets"]
    assert _OURS
    for secret in _COMPOSE["secrets"].values():
        assert secret["file"].startswith("${EMAG_SECRETS}/")
    for name in _OURS:
        assert _SERVICES[name]["env_file"]
        assert all("EMAG_SECRETS" in file for file in _SERVICES[name]["env_file"])


def test_the_first_start_of_postgres_makes_roles_that_log_in_with_their_passwords(tmp_path: Path) -> None:
    for role in ("owner", "writer"):
        (tmp_path / f"{role}_password").write_text(f"p'w {role}\n")
    with homes.temporary() as home, ScratchServer.opened(home=home) as scratch:
        server = scratch.running()
        server.ensure_database("emag")
        subprocess.run(
            ["sh", _DEPLOY / "compose/roles.sh"],
            check=True,
            env={
                "PATH": f"{embedded.program('psql').parent}:{os.environ['PATH']}",
                "PGHOST": str(server.socket_directory),
                "POSTGRES_USER": "postgres",
                "POSTGRES_DB": "emag",
                "ROLES_SQL": str(ROOT / "emag_pipeline/store/roles.sql"),
                "SECRETS": str(tmp_path),
            },
        )
        (server.data / "pg_hba.conf").write_text("local all all scram-sha-256\n")
        _reload(server)
        for role, database in (("owner", "emag"), ("writer", "emag"), ("writer", "emag_dagster")):
            psycopg2.connect(
                host=str(server.socket_directory), user=f"emag_{role}", dbname=database, password=f"p'w {role}"
            ).close()


def _reload(server: embedded.EmbeddedServer) -> None:
    """Reread pg_hba.conf: a signal, since the file lets nobody in any more."""
    server.postmaster().send_signal(signal.SIGHUP)
