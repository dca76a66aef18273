"""The database's part of a deployment: backup, migration, and which release fits the schema that is there."""

from datetime import UTC, datetime
from pathlib import Path

from deployer import programs, settings_file
from deployer.places import Places

_SCHEMA_DOES_NOT_FIT = 5


def fits(places: Places, release: Path) -> bool:
    """Whether a release can work with the schema as it is: old code refuses a newer one."""
    return programs.end_of(places, release, "status", "--json")[0] != _SCHEMA_DOES_NOT_FIT


def has_schema(places: Places, release: Path) -> bool:
    """Whether there is anything to back up."""
    code, said = programs.end_of(places, release, "status", "--json")
    return not (code == _SCHEMA_DOES_NOT_FIT and "the schema is at no version" in said)


def back_up(places: Places, release: Path) -> Path:
    """Dump the schema; returns the file."""
    file = places.backups / f"before-{release.name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.dump"
    remedy = "Free disk space, or see `emag-pipeline backup --help`"
    programs.ours(places, release, "backup", file, as_owner=True, remedy=remedy)
    return file


def migrate(places: Places, release: Path) -> str:
    """Bring our schema and Dagster's tables up to date; returns what `emag-pipeline migrate` said."""
    remedy = "A migration is one transaction: nothing was changed. For the owner's rights see docs/how-to/roles.md"
    said = programs.ours(places, release, "migrate", as_owner=True, remedy=remedy)
    command = [release / "venv/bin/dagster", "instance", "migrate"]
    env = settings_file.environment(places)
    programs.run(command, env=env, user=places.user, remedy="Correct DAGSTER_PG_URL or the rights of its user")
    return said.strip()
