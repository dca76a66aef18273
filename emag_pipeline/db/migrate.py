"""Bring the schema to the version that this code was written for.

The whole upgrade is one transaction under a transaction-level advisory lock: concurrent starts wait for each
other (through PgBouncer too), and a migration that fails leaves the schema as it was.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from emag_pipeline.db.engine import Database, Transaction
from emag_pipeline.errors import SchemaMismatch

#: Any number will do, as long as every version of this project uses the same.
_LOCK = 0x656D6167
_TAKE_TURN = f"SELECT pg_advisory_xact_lock({_LOCK})"
#: For a single statement, which may rewrite the largest table.
_STATEMENT_SECONDS = 4 * 3600.0


def upgrade(database: Database, to: str = "head") -> tuple[str | None, str]:
    """Create the schema if it is missing and run the missing migrations, up to the revision `to`.

    Returns the revisions before and after. Raises SchemaMismatch when the database is newer than the code.
    """
    with database.transaction(timeout_seconds=_STATEMENT_SECONDS) as tx:
        return upgrade_within(tx, to)


def lock(tx: Transaction) -> None:
    """Wait until no migration is under way; none begins before the end of the transaction."""
    tx.run(_TAKE_TURN)


def upgrade_within(tx: Transaction, to: str = "head") -> tuple[str | None, str]:
    """The same within the caller's transaction."""
    return tx.apart(lambda: _upgrade(tx.connection, tx.schema, to))


def _upgrade(connection: Connection, schema: str, to: str) -> tuple[str | None, str]:
    config, _ = _config(schema)
    connection.exec_driver_sql(_TAKE_TURN)
    if not connection.dialect.has_schema(connection, schema):
        connection.exec_driver_sql(f'CREATE SCHEMA "{schema}"')
    before = _revision(connection, schema)
    require_known(before, schema)
    config.attributes["connection"] = connection
    command.upgrade(config, to)
    after = _revision(connection, schema)
    assert after is not None, "a migration leaves its number behind"  # noqa: S101
    return before, after


def check(database: Database) -> None:
    """Raise SchemaMismatch unless the schema is exactly the one that this code was written for."""
    _, head = _config(database.schema)
    with database.transaction(timeout_seconds=30) as tx:
        found = revision(tx)
    require_known(found, database.schema)
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


def revision(tx: Transaction) -> str | None:
    """The schema's version; None when it was never migrated or does not exist."""
    return tx.apart(lambda: _revision(tx.connection, tx.schema))


def _revision(connection: Connection, schema: str) -> str | None:
    options = {"version_table": "emag_alembic_version", "version_table_schema": schema}
    return MigrationContext.configure(connection, opts=options).get_current_revision()


def require_known(found: str | None, schema: str) -> None:
    """Raise SchemaMismatch when this code is older than the version that it found."""
    if not is_known(found):
        raise SchemaMismatch(
            f"the schema is at {found}, which this code does not know",
            where=f"schema {schema}",
            why="the database was migrated by a newer version",
            remedy="Install that version or a later one; nothing was changed",
        )


def is_known(revision: str | None) -> bool:
    """Whether this code's migrations lead to that version; no version at all is where they begin."""
    scripts = ScriptDirectory.from_config(_config("any")[0]).walk_revisions()
    return revision is None or revision in {script.revision for script in scripts}
