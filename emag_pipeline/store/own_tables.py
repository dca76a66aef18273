"""The pipeline's own tables as the database knows them, whatever version their schema has."""

from emag_pipeline.store.transaction import Transaction

VERSION_TABLE = "emag_alembic_version"


def every(tx: Transaction) -> list[str]:
    """All tables, by name, without the one that holds the schema's version. Tables of others have other names.

    Partitions are no tables of their own here: they are named by none of the others' rules.
    """
    return _tables(tx, "NOT c.relispartition")


def partitions(tx: Transaction) -> list[str]:
    """The accounts' own parts of divided tables."""
    return _tables(tx, "c.relispartition")


def logged(tx: Transaction) -> list[str]:
    """Those of them that a backup holds: staging is divided, or in older versions not, and unlogged."""
    return _tables(tx, "c.relpersistence = 'p' AND c.relkind = 'r' AND NOT c.relispartition")


def columns(tx: Transaction, table: str) -> list[str]:
    """The columns that can be written."""
    return _columns(tx, table, "attgenerated = ''")


def identities(tx: Transaction, table: str) -> list[str]:
    """The columns that a sequence numbers."""
    return _columns(tx, table, "attidentity <> ''")


def _tables(tx: Transaction, condition: str) -> list[str]:
    found = tx.run(
        rf"""SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = :schema AND c.relkind IN ('r', 'p') AND c.relname LIKE 'emag\_%'
               AND c.relname <> :version AND {condition}
             ORDER BY c.relname""",
        schema=tx.schema,
        version=VERSION_TABLE,
    )
    return list(found.scalars())


def _columns(tx: Transaction, table: str, condition: str) -> list[str]:
    found = tx.run(
        f"""SELECT attname FROM pg_attribute
            WHERE attrelid = to_regclass(:table) AND attnum > 0 AND NOT attisdropped AND {condition}
            ORDER BY attnum""",
        table=f'"{tx.schema}".{table}',
    )
    return list(found.scalars())
