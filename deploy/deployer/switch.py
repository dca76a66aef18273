"""Which release is in use: the symlink, Dagster's configuration, the operator's command."""

import os
import shutil
from pathlib import Path

from deployer import programs, services
from deployer.places import Places

_COMMAND = """#!/bin/sh
# emag-pipeline as the services run it: their user, their settings.
exec {current}/venv/bin/python {current}/deploy/deploy --prefix {prefix} --user {user} run -- "$@"
"""


def prepare(places: Places, release: Path) -> None:
    """Make the directories that the services' user writes to, with Dagster's configuration if there is none."""
    dagster = places.home / "dagster"
    for directory in (places.home, dagster, dagster / "run-logs", dagster / "artifacts", places.backups):
        directory.mkdir(parents=True, exist_ok=True)
        directory.chmod(0o700)
        _give(directory, places.user)
    if not (dagster / "dagster.yaml").exists():
        _configure(places, release)


def to(places: Places, release: Path) -> None:
    """Use a release. Nothing of ours may run: its programs and settings change under it."""
    services.install_units(places, release)
    _configure(places, release)
    beside = places.current.with_name("current.new")
    beside.unlink(missing_ok=True)
    beside.symlink_to(release)
    beside.replace(places.current)
    places.command.parent.mkdir(parents=True, exist_ok=True)
    text = _COMMAND.format(current=places.current, prefix=places.prefix, user=places.user)
    places.command.write_text(text, encoding="utf-8")
    places.command.chmod(0o755)


def _configure(places: Places, release: Path) -> None:
    configuration = places.home / "dagster/dagster.yaml"
    shutil.copyfile(release / "dagster.yaml", configuration)
    _give(configuration, places.user)


def _give(path: Path, user: str) -> None:
    who = programs.identity(user)
    if who:
        os.chown(path, who["user"], who["group"])
