"""Least privilege: an owner for migrations, a writer for the pipeline, a group of readers (docs/how-to/roles.md).

Their names are fixed, so that a migration finds them: emag_owner, emag_writer, emag_reader.
"""

from pathlib import Path

from emag_pipeline.db.engine import Database
from emag_pipeline.db.sql import statements

_SCRIPT = Path(__file__).parent / "sql" / "roles.sql"


def script(schema: str) -> str:
    """What a superuser runs in psql to make the roles, the schema and Dagster's database; idempotent."""
    return _SCRIPT.read_text(encoding="utf-8").replace("{schema}", f'"{schema}"')


def grant(database: Database) -> bool:
    """Grant writer and readers what they may do with the tables of a migrated schema; idempotent.

    False, and nothing is changed, when the roles do not exist or this user does not own the tables.
    """
    found = dict(statements("rights.sql"))
    with database.transaction() as tx:
        if not tx.run(found.pop("is_owner_with_roles")).scalar_one():
            return False
        for statement in found.values():
            tx.run(statement)
    return True
