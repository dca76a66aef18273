"""Where everything is. `--prefix` moves it all, for trials and tests."""

from dataclasses import dataclass
from pathlib import Path

#: In the order in which they start; they stop the other way round, so that no new sync begins meanwhile.
UNITS = (
    "emag-pipeline-code-location.service",
    "emag-pipeline-daemon.service",
    "emag-pipeline-webserver.service",
    "emag-pipeline-exporter.service",
)
TARGET = "emag-pipeline.target"
#: The checkout, or the release, that this script belongs to.
SOURCE = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Places:
    """The directories and files of an installation; `user` runs the services."""

    prefix: Path
    user: str

    @property
    def releases(self) -> Path:
        """A directory a release."""
        return self.prefix / "opt/emag-pipeline/releases"

    @property
    def current(self) -> Path:
        """The symlink to the release in use."""
        return self.prefix / "opt/emag-pipeline/current"

    @property
    def settings(self) -> Path:
        """The services' environment."""
        return self.prefix / "etc/emag-pipeline/env"

    @property
    def owner_settings(self) -> Path:
        """What migrations, backups and restores have instead: a DATABASE_SYNC_URL of the schema's owner. Optional."""
        return self.prefix / "etc/emag-pipeline/owner.env"

    @property
    def home(self) -> Path:
        """EMAG_HOME."""
        return self.prefix / "var/lib/emag-pipeline"

    @property
    def backups(self) -> Path:
        """One file for each deployment that found a schema."""
        return self.prefix / "var/backups/emag-pipeline"

    @property
    def units(self) -> Path:
        """Where systemd looks for units of the administrator."""
        return self.prefix / "etc/systemd/system"

    @property
    def command(self) -> Path:
        """`emag-pipeline` for the operator: as the services' user, with their settings."""
        return self.prefix / "usr/local/bin/emag-pipeline"

    def release_in_use(self) -> Path | None:
        """Where `current` points to."""
        return self.current.resolve() if self.current.exists() else None

    def others(self) -> list[Path]:
        """The complete releases that are not in use, the newest first."""
        found = [one.parent for one in self.releases.glob("*/complete") if one.parent != self.release_in_use()]
        return sorted(found, key=lambda release: (release / "complete").stat().st_mtime, reverse=True)
