"""Other programs: those of the system, and `emag-pipeline` of a release with the database's part of a deployment."""

import json
import os
import pwd
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deployer import settings_file
from deployer.places import Failure, Places

_SCHEMA_DOES_NOT_FIT = 5
#: What a release says of a database without a schema (emag_pipeline/store/migrate.py).
NEVER_MIGRATED = "the schema was never migrated"


def run(command: Sequence[object], *, remedy: str, env: Mapping[str, str] | None = None, user: str = "") -> str:
    """Run a program to its end; returns what it printed. Raises Failure with its last line when it fails."""
    done = _finished(command, env, user)
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        words = " ".join(str(part) for part in command[:3])
        raise Failure(
            f"`{words}` ended with code {done.returncode}: {said[-1].rstrip('.') if said else 'it printed nothing'}",
            remedy,
        )
    return done.stdout


def identity(user: str) -> dict[str, Any]:
    """Arguments of subprocess that change the user; none where it is already the one."""
    if not user or os.geteuid() != 0 or user == "root":
        return {}
    entry = pwd.getpwnam(user)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def findings(places: Places, release: Path) -> list[dict[str, Any]]:
    """What a release's doctor finds."""
    done = _asked(places, release, "doctor", "--json")
    try:
        return list(json.loads(done.stdout)["findings"])
    except (ValueError, KeyError) as error:
        last = (done.stderr.strip().splitlines() or ["it printed no findings"])[-1]
        raise Failure(f"`emag-pipeline doctor` did not work: {last}", "Correct that and deploy again") from error


def fits(places: Places, release: Path) -> bool:
    """Whether a release can work with the schema as it is: old code refuses a newer one."""
    return _asked(places, release, "status", "--json").returncode != _SCHEMA_DOES_NOT_FIT


def has_schema(places: Places, release: Path) -> bool:
    """Whether there is anything to back up."""
    done = _asked(places, release, "status", "--json")
    return not (done.returncode == _SCHEMA_DOES_NOT_FIT and NEVER_MIGRATED in done.stderr)


def back_up(places: Places, release: Path) -> Path:
    """Dump the schema; returns the file."""
    file = places.backups / f"before-{release.name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.dump"
    _as_owner(places, release, "backup", file, remedy="Free disk space, or see `emag-pipeline backup --help`")
    return file


def migrate(places: Places, release: Path) -> str:
    """Bring our schema and Dagster's tables up to date; returns what `emag-pipeline migrate` said."""
    remedy = "A migration is one transaction: nothing was changed. For the owner's rights see docs/how-to/roles.md"
    said = _as_owner(places, release, "migrate", remedy=remedy)
    remedy = "Correct DAGSTER_PG_URL or the rights of its user"
    command = [release / "venv/bin/dagster", "instance", "migrate"]
    run(command, env=settings_file.environment(places), user=places.user, remedy=remedy)
    return said.strip()


def _as_owner(places: Places, release: Path, *arguments: object, remedy: str) -> str:
    """A command of a release that may change the schema, with the owner's settings where there are any."""
    env = settings_file.environment(places, as_owner=True)
    return run([release / "venv/bin/emag-pipeline", *arguments], remedy=remedy, env=env, user=places.user)


def _asked(places: Places, release: Path, *arguments: object) -> "subprocess.CompletedProcess[str]":
    """A command of a release, as the services' user with their settings, however it ends."""
    return _finished([release / "venv/bin/emag-pipeline", *arguments], settings_file.environment(places), places.user)


def _finished(
    command: Sequence[object], env: Mapping[str, str] | None, user: str
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(part) for part in command], env=env, cwd="/", capture_output=True, text=True, check=False, **identity(user)
    )
