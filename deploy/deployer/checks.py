"""What is wrong with the machine, the settings and the database: everything at once, before anything is touched."""

import os
import pwd
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from deployer import programs, settings_file
from deployer.places import Failure, Places

_FREE_BYTES = 3 * 2**30
#: What must be right before; anything else that the doctor finds may be the reason for this release.
_NEEDED = {"settings", "database", "clock", "disk"}

Complaint = tuple[str, str]


def machine(places: Places) -> list[Complaint]:
    """What is wrong with this machine and the settings, each with its remedy."""
    return [*_python(places), *_user(places), *_tools(), *_disk(places), *_settings(places)]


def pipeline(places: Places, release: Path) -> list[Complaint]:
    """What is broken in settings, database, clocks and disk, as the doctor of a built release says, or could not be
    examined; except an old schema.
    """
    return [
        (str(one["what"]), str(one["remedy"]))
        for one in programs.findings(places, release)
        if one["verdict"] in ("broken", "not examined")
        and one["subject"] in _NEEDED
        and "emag-pipeline migrate" not in one["remedy"]
    ]


def require(complaints: list[Complaint]) -> None:
    """Raise Failure with the last of the complaints after saying the others."""
    for what, remedy in complaints:
        sys.stderr.write(f"deploy: {what}. {remedy}.\n")
    if complaints:
        raise Failure(f"{len(complaints)} checks failed, nothing was changed", "Correct that and deploy again")


def _python(places: Places) -> Iterator[Complaint]:
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        yield f"this is Python {sys.version.split()[0]}", "Run deploy with Python 3.11, 3.12 or 3.13"
    hidden = ("/home/", "/root/")
    if places.prefix == Path("/") and str(Path(sys.base_prefix).resolve() / "x").startswith(hidden):
        yield f"this Python is in {sys.base_prefix}, which the services' sandbox hides", "Use the system's Python"


def _user(places: Places) -> Iterator[Complaint]:
    try:
        pwd.getpwnam(places.user)
    except KeyError:
        remedy = f"Run: useradd --system --home-dir {places.home} --shell /usr/sbin/nologin {places.user}"
        yield f"there is no user {places.user} for the services", remedy
    if places.prefix == Path("/") and os.geteuid() != 0:
        yield "deploy does not run as root", "Run it with sudo"


def _tools() -> Iterator[Complaint]:
    if shutil.which("systemctl") is None:
        yield "systemctl is not installed", "Use deploy/compose.yaml where there is no systemd"


def _disk(places: Places) -> Iterator[Complaint]:
    for path in (places.releases, places.home, places.backups):
        existing = next(one for one in (path, *path.parents) if one.exists())
        if shutil.disk_usage(existing).free < _FREE_BYTES:
            yield f"less than 3 GiB are free for {path}", "Free disk space"


def _settings(places: Places) -> Iterator[Complaint]:
    path = places.settings
    if not path.is_file():
        yield f"{path} is missing", f"Copy deploy/env.example to {path}, mode 0600, and fill it in"
        return
    yield from settings_file.complaints(path)
    if places.owner_settings.is_file():
        yield from settings_file.complaints(places.owner_settings)
    given = settings_file.read(path)
    if not given.get("DATABASE_SYNC_URL"):
        yield f"{path} has no DATABASE_SYNC_URL", "Set it: services do not use the embedded PostgreSQL"
    if not given.get("DAGSTER_PG_URL", "").startswith("postgresql+psycopg2://"):
        yield f"{path} has no DAGSTER_PG_URL that names its driver", "Set it to postgresql+psycopg2://…"
