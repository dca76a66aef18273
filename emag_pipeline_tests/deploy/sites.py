"""A machine to deploy to: a prefix with settings, a stand-in for systemd, a wheel of this checkout."""

import os
import pwd
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import psutil

from emag_pipeline_tests.local.ups import free_ports

ROOT = Path(__file__).parents[2]
#: Where this test's Python has its packages.
_VENV = Path(sys.prefix)


def build_wheel(directory: Path) -> Path:
    """A wheel of the checkout."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(directory)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = directory.glob("*.whl")
    return wheel


def another(wheel: Path) -> Path:
    """The same wheel as other bytes: another release."""
    made = wheel.parent / "another" / wheel.name
    made.parent.mkdir()
    made.write_bytes(wheel.read_bytes())
    with zipfile.ZipFile(made, "a") as file:
        file.comment = b"another"
    return made


@dataclass(frozen=True, slots=True)
class Site:
    """The machine. `health` is the exporter's port of /health and /ready."""

    prefix: Path
    systemd: Path
    health: int
    ui: int

    @property
    def current(self) -> Path:
        return self.prefix / "opt/emag-pipeline/current"

    @property
    def settings(self) -> Path:
        return self.prefix / "etc/emag-pipeline/env"

    @property
    def environment(self) -> dict[str, str]:
        """This process's, with the stand-in in the place of systemctl."""
        return {
            **os.environ,
            "PATH": f"{self.systemd / 'bin'}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "EMAG_TEST_PREFIX": str(self.prefix),
            "EMAG_TEST_SYSTEMD": str(self.systemd),
        }

    def deploy(self, *arguments: object) -> "subprocess.CompletedProcess[str]":
        """Run deploy/deploy."""
        user = pwd.getpwuid(os.geteuid()).pw_name
        command = [sys.executable, ROOT / "deploy/deploy", "--prefix", self.prefix, "--user", user, *arguments]
        return subprocess.run(
            [str(part) for part in command], env=self.environment, cwd="/", capture_output=True, text=True, check=False
        )

    def install(self, wheel: Path, *arguments: object) -> "subprocess.CompletedProcess[str]":
        """Install with this test's packages instead of the lock file's."""
        return self.deploy("install", wheel, "--packages-of", _VENV, "--verify-seconds", 60, *arguments)

    def systemctl(self, *arguments: str) -> None:
        """As an administrator would."""
        subprocess.run([self.systemd / "bin/systemctl", *arguments], env=self.environment, check=True)

    def calls(self) -> list[str]:
        """What systemctl was asked for since the last look, without questions."""
        file = self.systemd / "calls"
        asked = file.read_text().splitlines() if file.exists() else []
        file.write_text("")
        return [call for call in asked if not call.startswith(("is-active", "--version"))]

    def processes(self) -> list[psutil.Process]:
        """The living processes of all units."""
        groups = {int(file.read_text()) for file in self.systemd.glob("*.group")}
        found = []
        for process in psutil.process_iter():
            try:
                if os.getpgid(process.pid) in groups and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except (ProcessLookupError, psutil.Error):
                continue
        return found

    def logs(self) -> str:
        """What the units printed."""
        return "\n".join(f"== {file.name}\n{file.read_text()[-3000:]}" for file in self.systemd.glob("*.log"))


def make_site(directory: Path, **settings: object) -> Site:
    """A machine with these settings, where nothing is installed yet."""
    metrics, health, ui, code = free_ports(4)
    site = Site(directory / "machine", directory / "systemd", health, ui)
    command = site.systemd / "bin/systemctl"
    command.parent.mkdir(parents=True)
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m emag_pipeline_tests.deploy.service_manager "$@"\n')
    command.chmod(0o755)
    ports = {"EMAG_SYNC_METRICS_PORT": metrics, "EMAG_SYNC_HEALTH_PORT": health, "EMAG_UI_PORT": ui}
    given = {**settings, **ports, "DAGSTER_GRPC_PORT": code}
    site.settings.parent.mkdir(parents=True)
    site.settings.write_text("".join(f"{name}={value}\n" for name, value in given.items()))
    site.settings.chmod(0o600)
    return site
