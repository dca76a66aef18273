"""`emag-pipeline migrate`."""

import typer

from emag_pipeline.local.surroundings import databases, migrated, opened
from emag_pipeline.settings import load_settings


def migrate() -> None:
    """Bring the database's schema to the version of this program.

    Creates the schema (DB_SCHEMA) if it is missing; several at once are safe; a database that is newer than the
    program is refused. `up` does the same at each start. Where the roles of `emag-pipeline roles` exist, run it as
    emag_owner: it grants writer and readers their rights.
    """
    settings = load_settings()
    with databases(settings) as found, opened(found, settings) as database:
        done = migrated(database, grants_anew=True, is_embedded=settings.database_url is None)
    how = "already at" if done.before == done.after else f"migrated from {done.before or 'nothing'} to"
    rights = "; rights granted" if done.are_rights_granted else ""
    typer.echo(f"schema {settings.db_schema} of {found.shown}: {how} {done.after}{rights}")
