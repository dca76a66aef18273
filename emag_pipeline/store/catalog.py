"""The schema as the database's catalog describes it: tables, columns, functions and their comments.

Used for the UI's column lists, docs/data-dictionary.md, backup and restore.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from emag_pipeline.store.engine import Database
from emag_pipeline.store.sql import statements
from emag_pipeline.store.transaction import Transaction

_SQL = statements("store/catalog.sql")


@dataclass(frozen=True, slots=True)
class Column:
    """One column as PostgreSQL describes it; `comment` is empty if there is none."""

    name: str
    type: str
    nullable: bool
    comment: str


@dataclass(frozen=True, slots=True)
class Table:
    """One table or view; `key` names the columns of its primary key, `comment` is empty if there is none."""

    name: str
    is_view: bool
    comment: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Function:
    """One SQL function: arguments and result as PostgreSQL writes them."""

    name: str
    arguments: str
    result: str
    comment: str


def columns(database: Database, table: str) -> list[Column]:
    """The columns of one of the project's tables or views, in order."""
    with database.transaction(timeout_seconds=30) as tx:
        return _columns(tx, table)


def tables(database: Database) -> list[Table]:
    """The project's tables and views, by name."""
    with database.transaction(timeout_seconds=30) as tx:
        found = tx.run(_SQL["tables"], schema=database.schema).all()
        return [
            Table(row.relname, row.is_view, row.comment, tuple(row.key), tuple(_columns(tx, row.relname)))
            for row in found
        ]


def functions(database: Database) -> list[Function]:
    """The project's functions, by name."""
    with database.transaction(timeout_seconds=30) as tx:
        found = tx.run(_SQL["functions"], schema=database.schema)
        return [Function(row.proname, row.arguments, row.result, row.comment) for row in found]


def _columns(tx: Transaction, table: str) -> list[Column]:
    rows = tx.run(_SQL["columns"], schema=tx.schema, table=table)
    return [Column(row.attname, row.type, row.nullable, row.comment) for row in rows]


# The pipeline's own tables as the database knows them, at any version of the schema.

VERSION_TABLE = "emag_alembic_version"


def own_tables(tx: Transaction) -> list[str]:
    """All tables, by name, except the one with the schema's version and partitions.

    They are recognised by the prefix of their names.
    """
    return [row.relname for row in _own(tx) if not row.is_partition]


def own_partitions(tx: Transaction) -> list[str]:
    """The partitions, one per account and partitioned table."""
    return [row.relname for row in _own(tx) if row.is_partition]


def logged_tables(tx: Transaction) -> list[str]:
    """The tables that a backup contains. Staging is not one: it is partitioned or, in older versions, unlogged."""
    return [row.relname for row in _own(tx) if row.is_logged and not row.is_partition]


def writable_columns(tx: Transaction, table: str) -> list[str]:
    """The columns that can be written."""
    return [row.attname for row in tx.run(_SQL["columns"], schema=tx.schema, table=table) if row.is_writable]


def identity_columns(tx: Transaction, table: str) -> list[str]:
    """The identity columns."""
    return [row.attname for row in tx.run(_SQL["columns"], schema=tx.schema, table=table) if row.is_identity]


def _own(tx: Transaction) -> Sequence[Row[Any]]:
    return tx.run(_SQL["own_tables"], schema=tx.schema, version=VERSION_TABLE).all()
