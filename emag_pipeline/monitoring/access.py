"""How monitoring comes to the databases: as they stand, nothing is started or changed."""

from collections.abc import Iterator
from contextlib import contextmanager

from emag_pipeline import embedded
from emag_pipeline.db import migrate
from emag_pipeline.db.engine import Database
from emag_pipeline.errors import DatabaseUnavailable
from emag_pipeline.settings import Settings


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """The pipeline's database.

    Raises DatabaseUnavailable when none is configured and the embedded one does not run, SchemaMismatch when the
    schema is not this code's.
    """
    database = Database(_url(settings), settings.db_schema)
    try:
        migrate.check(database)
        yield database
    finally:
        database.close()


def _url(settings: Settings) -> str:
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    server = embedded.running(settings.home)
    if server is None:
        raise DatabaseUnavailable(
            "the embedded PostgreSQL does not run",
            where=f"EMAG_HOME {settings.home}",
            remedy="Start it with `emag-pipeline up`, or set DATABASE_SYNC_URL to another server",
        )
    return server.url("emag")
