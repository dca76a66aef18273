"""`emag-pipeline roles`."""

import typer

from emag_pipeline.settings import load_settings
from emag_pipeline.store import roles as of_database


def roles() -> None:
    """Print the SQL that makes the database's roles: an owner, a writer, a group of readers.

    For a superuser, who runs it in the pipeline's database and may run it again at any time:
    `emag-pipeline roles | psql -d emag`. Nothing is connected to here. Afterwards `migrate`, run as emag_owner,
    grants the rights on the tables.
    """
    typer.echo(of_database.script(load_settings().db_schema), nl=False)
