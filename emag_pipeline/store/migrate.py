"""Migrates the schema to the version that this code needs.

The whole upgrade is one transaction under a transaction-level advisory lock: concurrent starts wait for each
other (through PgBouncer too), and a migration that fails leaves the schema as it was.

Every command and every step of a run checks the schema's version, and nearly always it matches. Alembic, which takes a
quarter of a CPU-second to load, is therefore imported only if something has to be changed.
"""

import re
from functools import cache
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection

from emag_pipeline.errors import SchemaMismatch
from emag_pipeline.store.engine import Database
from emag_pipeline.store.transaction import Transaction

#: An arbitrary number, the same in every version of this project.
_LOCK = 0x656D6167
_TAKE_TURN = f"SELECT pg_advisory_xact_lock({_LOCK})"
_MIGRATIONS = Path(__file__).parent / "migrations"
_NUMBERED = re.compile(r"r([0-9]{4})_.*\.py")
_HAS_VERSION = sa.text(
    """SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                      WHERE n.nspname = :schema AND c.relname = 'emag_alembic_version')"""
)
#: Limit for a single statement, which may rewrite the largest table.
_STATEMENT_SECONDS = 4 * 3600.0


def upgrade(database: Database, to: str = "head") -> tuple[str | None, str]:
    """Create the schema if it is missing and run the missing migrations, up to the revision `to`.

    Returns the revisions before and after. Raises SchemaMismatch if the database is newer than the code.
    """
    with database.transaction(timeout_seconds=_STATEMENT_SECONDS) as tx:
        return upgrade_within(tx, to)


def lock(tx: Transaction) -> None:
    """Wait for a running migration to end, and prevent others until the end of the transaction."""
    tx.run(_TAKE_TURN)


def upgrade_within(tx: Transaction, to: str = "head") -> tuple[str | None, str]:
    """The same as `upgrade`, within the caller's transaction."""
    return tx.apart(lambda: _upgrade(tx.connection, tx.schema, to))


def _upgrade(connection: Connection, schema: str, to: str) -> tuple[str | None, str]:
    connection.exec_driver_sql(_TAKE_TURN)
    if not connection.dialect.has_schema(connection, schema):
        connection.exec_driver_sql(f'CREATE SCHEMA "{schema}"')
    before = _revision(connection, schema)
    require_known(before, schema)
    if before != (newest() if to == "head" else to):
        _migrate(connection, schema, to)
    after = _revision(connection, schema)
    assert after is not None, "every migration records its revision"  # noqa: S101
    return before, after


def _migrate(connection: Connection, schema: str, to: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["schema"] = schema
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def check(database: Database) -> None:
    """Raise SchemaMismatch unless the schema has exactly the version that this code needs."""
    head = newest()
    with database.transaction(timeout_seconds=30) as tx:
        found = revision(tx)
    require_known(found, database.schema)
    if found != head:
        raise SchemaMismatch(
            f"the schema {f'is at {found}' if found else 'was never migrated'}, this code needs {head}",
            where=f"schema {database.schema}",
            remedy="Run `emag-pipeline migrate`",
        )


def newest() -> str:
    """The version of the schema that this code needs."""
    return _versions()[-1]


@cache
def _versions() -> tuple[str, ...]:
    """The versions of this code's migrations, oldest first: the numbers of their files."""
    names = (file.name for file in (_MIGRATIONS / "versions").iterdir())
    return tuple(sorted(found[1] for name in names if (found := _NUMBERED.fullmatch(name))))


def revision(tx: Transaction) -> str | None:
    """The schema's version; None if it was never migrated or does not exist."""
    return tx.apart(lambda: _revision(tx.connection, tx.schema))


def _revision(connection: Connection, schema: str) -> str | None:
    if not connection.execute(_HAS_VERSION, {"schema": schema}).scalar_one():
        return None
    found = connection.exec_driver_sql(f'SELECT version_num FROM "{schema}".emag_alembic_version').scalar_one_or_none()
    return None if found is None else str(found)


def require_known(found: str | None, schema: str) -> None:
    """Raise SchemaMismatch if the schema's version is newer than this code."""
    if not is_known(found):
        raise SchemaMismatch(
            f"the schema is at {found}, which this code does not know",
            where=f"schema {schema}",
            why="the database was migrated by a newer version",
            remedy="Install that version of emag_pipeline or a later one; nothing was changed",
        )


def is_known(revision: str | None) -> bool:
    """Whether this code has a migration of that version; None, an unmigrated schema, is known too."""
    return revision is None or revision in _versions()
