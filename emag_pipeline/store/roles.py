"""Least privilege: an owner for migrations, a writer for the pipeline, a group of readers (docs/how-to/roles.md).

Their names are fixed, so that a migration finds them: emag_owner, emag_writer, emag_reader.
"""

import re
from functools import cache
from pathlib import Path

from emag_pipeline.store import migrate
from emag_pipeline.store.engine import Database
from emag_pipeline.store.sql import statements
from emag_pipeline.store.transaction import Transaction

# What the data team may read, derived from the grants in store/rights.sql.

_OURS = ("emag_alembic_version", "emag_offer_states")
_TABLE = re.compile(r"\{schema\}\.(\w+)")
_SOME_COLUMNS = re.compile(r"SELECT \(([^)]*)\)")


@cache
def readable() -> dict[str, frozenset[str] | None]:
    """The tables and views that emag_reader may read, each with the granted columns, or None for all columns."""
    found: dict[str, frozenset[str] | None] = {}
    for name, statement in statements("store/rights.sql").items():
        if name.startswith("reader"):
            some = _SOME_COLUMNS.search(statement)
            columns = frozenset(re.findall(r"\w+", some[1])) if some else None
            found |= dict.fromkeys(_TABLE.findall(statement), columns)
    return found


def exportable() -> dict[str, frozenset[str] | None]:
    """The readable tables and views meant for people: without the schema's version and emag_offer_states."""
    return {table: columns for table, columns in readable().items() if table not in _OURS}


READER = "emag_reader"
_SCRIPT = Path(__file__).parent / "roles.sql"


def script(schema: str) -> str:
    """The psql script with which a superuser creates the roles, the schema and Dagster's database; idempotent."""
    return _SCRIPT.read_text(encoding="utf-8").replace("{schema}", f'"{schema}"')


def grant(database: Database) -> bool:
    """Grant the writer and the readers their privileges on the tables of a migrated schema; idempotent.

    Returns False and changes nothing if neither role exists or this user does not own the tables.
    """
    with database.transaction() as tx:
        return _grant(tx)


def make_reader(database: Database) -> bool:
    """Ensure that READER exists on the embedded server, can log in, and has its privileges and no others.

    Returns whether anything was changed. Raises the database's errors, e.g. if the user is not a superuser.
    """
    with database.transaction() as tx:
        migrate.lock(tx)  # two concurrent first starts would both create the role
        if tx.run(statements("store/reader.sql")["is_there"]).scalar_one():
            return False
        tx.run(statements("store/reader.sql")["make"])
        return _grant(tx)


def _grant(tx: Transaction) -> bool:
    found = dict(statements("store/rights.sql"))
    there = tx.run(found.pop("roles")).one()
    granted = [name for name in ("writer", "reader") if there.is_owner and there._mapping[name]]
    for name, statement in found.items():
        if name.startswith(tuple(granted)):
            tx.run(statement)
    return bool(granted)
