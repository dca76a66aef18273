"""Bring the schema to the version that this code was written for.

The whole upgrade is one transaction under a transaction-level advisory lock: concurrent starts wait for each
other (through PgBouncer too), and a migration that fails leaves the schema as it was.
"""

from pathlib import Path

import psycopg2
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from emag_pipeline.db.engine import Database
from emag_pipeline.db.failures import translate
from emag_pipeline.errors import SchemaMismatch

#: Any number will do, as long as every version of this project uses the same.
_LOCK = 0x656D6167


def upgrade(database: Database, to: str = "head") -> tuple[str | None, str]:
    """Create the schema if it is missing and run the missing migrations, up to the revision `to`.

    Returns the revisions before and after. Raises SchemaMismatch when the database is newer than the code.
    """
    config, _ = _config(database.schema)
    try:
        with database.engine.begin() as connection:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
            if not connection.dialect.has_schema(connection, database.schema):
                connection.exec_driver_sql(f'CREATE SCHEMA "{database.schema}"')
            before = _revision(connection, database.schema)
            _refuse_newer(before, database.schema)
            config.attributes["connection"] = connection
            command.upgrade(config, to)
            after = _revision(connection, database.schema)
            assert after is not None, "a migration leaves its number behind"  # noqa: S101
    except (DBAPIError, psycopg2.Error) as error:
        raise translate(error) from error
    return before, after


def check(database: Database) -> None:
    """Raise SchemaMismatch unless the schema is exactly the one that this code was written for."""
    _, head = _config(database.schema)
    try:
        with database.engine.connect() as connection:
            found = _revision(connection, database.schema)
    except (DBAPIError, psycopg2.Error) as error:
        raise translate(error) from error
    _refuse_newer(found, database.schema)
    if found != head:
        raise SchemaMismatch(
            f"the schema is at {found or 'no version'}, this code needs {head}",
            where=f"schema {database.schema}",
            remedy="Run `emag-pipeline migrate`",
        )


def _config(schema: str) -> tuple[Config, str]:
    config = Config()
    directory = Path(__file__).parent / "migrations"
    config.set_main_option("script_location", str(directory))
    config.attributes["schema"] = schema
    head = ScriptDirectory.from_config(config).get_current_head()
    assert head is not None, "the package holds no migration"  # noqa: S101
    return config, head


def _revision(connection: Connection, schema: str) -> str | None:
    options = {"version_table": "emag_alembic_version", "version_table_schema": schema}
    return MigrationContext.configure(connection, opts=options).get_current_revision()


def _refuse_newer(found: str | None, schema: str) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(_config(schema)[0]).walk_revisions()}
    if found is not None and found not in known:
        raise SchemaMismatch(
            f"the schema is at {found}, which this code does not know",
            where=f"schema {schema}",
            why="the database was migrated by a newer version",
            remedy="Install that version or a later one; nothing was changed",
        )
