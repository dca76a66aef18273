"""Restore a backup into the configured schema; see `admin.restoring` for what it guarantees."""

import time
from dataclasses import dataclass
from pathlib import Path

from emag_pipeline.admin import archive, restoring
from emag_pipeline.local.surroundings import Say, databases, migrated, opened
from emag_pipeline.settings import Settings
from emag_pipeline.wording import counted


@dataclass(frozen=True, slots=True)
class Restored:
    """A finished restore. `revision` is the backup's, `now_at` the schema's after it."""

    rows: int
    seconds: float
    revision: str
    now_at: str


def restore(settings: Settings, file: Path, *, replace: bool, say: Say) -> Restored:
    """Put a backup into the schema DB_SCHEMA, whatever the schema was called that it was taken from.

    `say` hears of each table that holds rows. All or nothing; raises what `archive.opened` and
    `admin.restoring.restore` raise.
    """
    began = time.monotonic()
    backup = archive.opened(file)
    counts: list[int] = []

    def report(table: str, rows: int) -> None:
        if rows:
            counts.append(rows)
            say(f"{table}: {counted(rows, 'row')}")

    with databases(settings) as found:
        say(f"restoring into schema {settings.db_schema} of {found.shown}")
        with opened(found, settings) as database:
            aside = restoring.restore(database, backup, replace=replace, report=report)
            now_at = migrated(database, grants_anew=True, is_embedded=settings.database_url is None).after
    if aside:
        say(
            f"the schema that was there is newer than this program; it was kept as {aside}: drop it when it is needless"
        )
    return Restored(sum(counts), time.monotonic() - began, backup.revision, now_at)
