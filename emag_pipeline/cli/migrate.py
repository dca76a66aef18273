"""`emag-pipeline migrate`."""

import typer

from emag_pipeline.operations.rights import granted
from emag_pipeline.operations.surroundings import databases, migrated
from emag_pipeline.settings import load_settings


def migrate() -> None:
    """Bring the database's schema to the version of this program.

    Creates the schema (DB_SCHEMA) if it is missing; several at once are safe; a database that is newer than the
    program is refused. `up` does the same at each start. Where the roles of `emag-pipeline roles` exist, run it as
    emag_owner: it grants writer and readers their rights.
    """
    settings = load_settings()
    with databases(settings) as found:
        before, after = migrated(found, settings)
        rights = "; rights granted" if granted(found, settings) else ""
    done = "already at" if before == after else f"migrated from {before or 'nothing'} to"
    typer.echo(f"schema {settings.db_schema} of {found.shown}: {done} {after}{rights}")
