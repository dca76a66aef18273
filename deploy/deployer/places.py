"""Paths of an installation, and the output of a deployment. `--prefix` moves all paths, for trials and tests."""

import sys
from pathlib import Path

#: In start order; they stop in reverse, so that no new sync begins meanwhile.
UNITS = (
    "emag-pipeline-code-location.service",
    "emag-pipeline-daemon.service",
    "emag-pipeline-webserver.service",
    "emag-pipeline-exporter.service",
)
TARGET = "emag-pipeline.target"
#: The checkout, or the release, that this script belongs to.
SOURCE = Path(__file__).resolve().parents[2]


class Failure(Exception):
    """What ends a deployment: one sentence on what is wrong, one on what to do."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what}. {remedy}.")


def say(text: str) -> None:
    """Print a line, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class Places:
    """The directories and files of an installation; `user` runs the services."""

    def __init__(self, prefix: Path, user: str) -> None:
        self.prefix = prefix
        self.user = user
        #: a directory for each release, and the symlink to the one in use
        self.releases = prefix / "opt/emag-pipeline/releases"
        self.current = prefix / "opt/emag-pipeline/current"
        #: the services' environment
        self.settings = prefix / "etc/emag-pipeline/env"
        #: what migrations, backups and restores have in addition: a DATABASE_SYNC_URL of the schema's owner; optional
        self.owner_settings = prefix / "etc/emag-pipeline/owner.env"
        #: EMAG_HOME
        self.home = prefix / "var/lib/emag-pipeline"
        #: a file for each deployment that found a schema
        self.backups = prefix / "var/backups/emag-pipeline"
        #: where systemd looks for the administrator's units
        self.units = prefix / "etc/systemd/system"
        #: `emag-pipeline` for the operator: as the services' user, with their settings
        self.command = prefix / "usr/local/bin/emag-pipeline"

    def release_in_use(self) -> Path | None:
        """Where `current` points to."""
        return self.current.resolve() if self.current.exists() else None

    def others(self) -> list[Path]:
        """The complete releases that are not in use, the newest first."""
        found = [one.parent for one in self.releases.glob("*/complete") if one.parent != self.release_in_use()]
        return sorted(found, key=lambda release: (release / "complete").stat().st_mtime, reverse=True)
