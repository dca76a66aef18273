"""Other programs: each call is said, and its output shown only when it fails."""

import json
import os
import pwd
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from deployer import settings_file
from deployer.failure import Failure
from deployer.places import Places


def run(command: Sequence[object], *, remedy: str, env: Mapping[str, str] | None = None, user: str = "") -> str:
    """Run a program to its end; returns what it printed. Raises Failure with its last line when it fails."""
    done = _finished(command, env, user)
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        words = " ".join(str(part) for part in command[:3])
        raise Failure(
            f"`{words}` ended with {done.returncode}: {said[-1].rstrip('.') if said else 'without a word'}", remedy
        )
    return done.stdout


def ours(places: Places, release: Path, *arguments: object, remedy: str, as_owner: bool = False) -> str:
    """A command of a release's `emag-pipeline`, as the services' user with their settings (or the owner's)."""
    env = settings_file.environment(places, as_owner=as_owner)
    return run([release / "venv/bin/emag-pipeline", *arguments], remedy=remedy, env=env, user=places.user)


def end_of(places: Places, release: Path, *arguments: object) -> tuple[int, str]:
    """How such a command ends, and its errors."""
    env = settings_file.environment(places)
    done = _finished([release / "venv/bin/emag-pipeline", *arguments], env, places.user)
    return done.returncode, done.stderr


def findings(places: Places, release: Path) -> list[dict[str, Any]]:
    """What a release's doctor finds."""
    env = settings_file.environment(places)
    done = _finished([release / "venv/bin/emag-pipeline", "doctor", "--json"], env, places.user)
    try:
        return list(json.loads(done.stdout)["findings"])
    except (ValueError, KeyError) as error:
        last = (done.stderr.strip().splitlines() or ["it printed no findings"])[-1]
        raise Failure(f"`emag-pipeline doctor` did not work: {last}", "Correct that and deploy again") from error


def identity(user: str) -> dict[str, Any]:
    """Arguments of subprocess that change the user; none where it is already the one."""
    if not user or os.geteuid() != 0 or user == "root":
        return {}
    entry = pwd.getpwnam(user)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _finished(
    command: Sequence[object], env: Mapping[str, str] | None, user: str
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(part) for part in command], env=env, cwd="/", capture_output=True, text=True, check=False, **identity(user)
    )
