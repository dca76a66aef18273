"""The two databases of the settings, as they stand: nothing is started, made or migrated."""

from collections.abc import Iterator
from contextlib import contextmanager

from emag_pipeline import embedded
from emag_pipeline.db import migrate
from emag_pipeline.db.engine import Database
from emag_pipeline.errors import DatabaseUnavailable
from emag_pipeline.settings import Settings


@contextmanager
def attached(settings: Settings) -> Iterator[Database]:
    """The pipeline's database, checked to have the schema that this code needs.

    Raises DatabaseUnavailable when none is configured and the embedded one does not run, SchemaMismatch when the
    schema is not this code's.
    """
    database = as_it_stands(settings)
    try:
        migrate.check(database)
        yield database
    finally:
        database.close()


def as_it_stands(settings: Settings, *, most_seconds: float = float("inf")) -> Database:
    """The pipeline's database, which may be away or of another version; close it.

    No call of it lasts longer than `most_seconds`.
    Raises DatabaseUnavailable when none is configured and the embedded one does not run.
    """
    return Database(pipeline_url(settings), settings.db_schema, most_seconds=most_seconds)


def pipeline_url(settings: Settings) -> str:
    """Where the pipeline's tables are, with the password. Raises as `as_it_stands`."""
    configured = settings.database_url
    return configured.get_secret_value() if configured else _server(settings, "DATABASE_SYNC_URL").address("emag")


def dagster_url(settings: Settings) -> str:
    """Where Dagster keeps its runs, with the password. Raises as `as_it_stands`."""
    configured = settings.dagster_pg_url
    return configured.get_secret_value() if configured else _server(settings, "DAGSTER_PG_URL").address("emag_dagster")


def _server(settings: Settings, variable: str) -> embedded.EmbeddedServer:
    found = embedded.running(settings.home)
    if found is None:
        raise DatabaseUnavailable(
            "the embedded PostgreSQL does not run",
            where=f"EMAG_HOME {settings.home}",
            remedy=f"Start it with `emag-pipeline up`, or set {variable} to another server",
        )
    return found
