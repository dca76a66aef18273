"""A release: a directory with a virtual environment, named after its content, never changed afterwards.

Which one is in use is said by a symlink, Dagster's configuration, the units, and the operator's command.
"""

import hashlib
import os
import shutil
import sys
from pathlib import Path

from deployer import programs, services
from deployer.places import SOURCE, Failure, Places

#: What a release contains in addition to its virtual environment; from the checkout, so it matches the wheel.
_FILES = ("requirements.lock", "dagster.yaml")
_DIRECTORIES = ("deploy", "docs")
_COMMAND = """#!/bin/sh
# emag-pipeline as the services run it: their user, their settings.
exec {current}/venv/bin/python {current}/deploy/deploy --prefix {prefix} --user {user} run -- "$@"
"""


def path_of(places: Places, wheel: Path) -> Path:
    """Where the release of a wheel, with this checkout's lock file and units, is or will be."""
    content = hashlib.sha256(wheel.read_bytes())
    for file in _content():
        content.update(file.read_bytes())
    version = wheel.name.split("-")[1]
    return places.releases / f"{version}-{content.hexdigest()[:12]}"


def build(release: Path, wheel: Path, packages_of: Path | None) -> None:
    """Make the release unless it is complete; an incomplete one is rebuilt.

    The packages are those of the lock file, checked against its hashes; or, to try things out, those of another
    virtual environment.
    """
    if (release / "complete").exists():
        return
    shutil.rmtree(release, ignore_errors=True)
    release.mkdir(parents=True)
    python = release / "venv/bin/python"
    if packages_of is None:
        programs.run([sys.executable, "-m", "venv", release / "venv"], remedy="Install python3-venv")
        pip = [python, "-m", "pip", "install", "--quiet"]
        lock = ["--require-hashes", "-r", SOURCE / "requirements.lock"]
        programs.run([*pip, *lock], remedy="Check that this machine reaches the package index")
    else:
        programs.run([sys.executable, "-m", "venv", "--without-pip", release / "venv"], remedy="Install python3-venv")
        pip = [packages_of / "bin/python", "-m", "pip", "--python", python, "install", "--quiet"]
        _borrow(python, packages_of)
    programs.run([*pip, "--no-deps", "--no-index", wheel], remedy="Build the wheel again")
    for name in _FILES:
        shutil.copy(SOURCE / name, release / name)
    for name in _DIRECTORIES:
        shutil.copytree(SOURCE / name, release / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(SOURCE / "deploy/workspace.yaml", release / "workspace.yaml")
    (release / "complete").touch()


def prepare(places: Places, release: Path) -> None:
    """Make the directories that the services' user writes to, with Dagster's configuration if there is none."""
    dagster = places.home / "dagster"
    for directory in (places.home, dagster, dagster / "run-logs", dagster / "artifacts", places.backups):
        directory.mkdir(parents=True, exist_ok=True)
        directory.chmod(0o700)
        _give(directory, places.user)
    if not (dagster / "dagster.yaml").exists():
        _configure(places, release)


def use(places: Places, release: Path) -> None:
    """Make it the release in use. Nothing of ours may run: its programs and settings change under it."""
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


def remove_old(places: Places, keep: int) -> list[str]:
    """Remove all but the newest of the releases that are not in use; returns the names of those removed."""
    gone = places.others()[keep:]
    for release in gone:
        shutil.rmtree(release)
    return [release.name for release in gone]


def found(places: Places, name: str) -> Path:
    """The complete release of a name. Raises Failure naming those that there are."""
    release = places.releases / name
    if not name or "/" in name or not (release / "complete").exists():
        known = ", ".join(one.name for one in places.others()) or "none"
        raise Failure(f"there is no release {name!r} to go back to", f"There is: {known}")
    return release


def _content() -> list[Path]:
    inside = [file for file in sorted((SOURCE / "deploy").rglob("*")) if file.is_file() and file.suffix != ".pyc"]
    return [SOURCE / name for name in _FILES] + inside


def _configure(places: Places, release: Path) -> None:
    configuration = places.home / "dagster/dagster.yaml"
    shutil.copyfile(release / "dagster.yaml", configuration)
    _give(configuration, places.user)


def _give(path: Path, user: str) -> None:
    who = programs.identity(user)
    if who:
        os.chown(path, who["user"], who["group"])


def _borrow(python: Path, packages_of: Path) -> None:
    """Let the release's Python find another virtual environment's packages after its own."""
    (theirs,) = (packages_of / "lib").glob("python3.*/site-packages")
    (ours,) = (python.parents[1] / "lib").glob("python3.*/site-packages")
    (ours / "borrowed.pth").write_text(f"{theirs}\n", encoding="utf-8")
    for program in ("dagster", "dagster-daemon", "dagster-webserver"):
        text = (packages_of / "bin" / program).read_text(encoding="utf-8").splitlines()
        made = python.parent / program
        made.write_text("\n".join([f"#!{python}", *text[1:], ""]), encoding="utf-8")
        made.chmod(0o755)
