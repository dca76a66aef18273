"""What the schema holds, in the database's own words: the comments of the migrations.

For the UI's column lists and for docs/data-dictionary.md.
"""

from dataclasses import dataclass

from emag_pipeline.store.engine import Database
from emag_pipeline.store.transaction import Transaction


@dataclass(frozen=True, slots=True)
class Column:
    """One column as PostgreSQL describes it; `comment` is empty where there is none."""

    name: str
    type: str
    nullable: bool
    comment: str


@dataclass(frozen=True, slots=True)
class Table:
    """One table or view; `key` names the columns of its primary key, `comment` is empty where there is none."""

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
    """The columns of one of the project's tables or views, in their order."""
    with database.transaction(timeout_seconds=30) as tx:
        return _columns(tx, table)


def tables(database: Database) -> list[Table]:
    """The project's tables and views, by name."""
    with database.transaction(timeout_seconds=30) as tx:
        found = tx.run(
            r"""SELECT c.relname, c.relkind = 'v' AS is_view, coalesce(obj_description(c.oid), '') AS comment,
                       ARRAY(SELECT a.attname::text FROM pg_index i
                             CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k(attnum, place)
                             JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
                             WHERE i.indrelid = c.oid AND i.indisprimary AND k.place <= i.indnkeyatts
                             ORDER BY k.place) AS key
                FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = :schema AND c.relkind IN ('r', 'p', 'v') AND c.relname LIKE 'emag\_%'
                  AND NOT c.relispartition
                ORDER BY c.relname""",
            schema=database.schema,
        ).all()
        return [
            Table(row.relname, row.is_view, row.comment, tuple(row.key), tuple(_columns(tx, row.relname)))
            for row in found
        ]


def functions(database: Database) -> list[Function]:
    """The project's functions, by name."""
    with database.transaction(timeout_seconds=30) as tx:
        found = tx.run(
            r"""SELECT p.proname, pg_get_function_arguments(p.oid) AS arguments,
                       replace(pg_get_function_result(p.oid), quote_ident(n.nspname) || '.', '') AS result,
                       coalesce(obj_description(p.oid), '') AS comment
                FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
                WHERE n.nspname = :schema AND p.proname LIKE 'emag\_%' ORDER BY p.proname""",
            schema=database.schema,
        )
        return [Function(row.proname, row.arguments, row.result, row.comment) for row in found]


def _columns(tx: Transaction, table: str) -> list[Column]:
    rows = tx.run(
        """SELECT a.attname, format_type(a.atttypid, a.atttypmod) AS type, NOT a.attnotnull AS nullable,
                  coalesce(col_description(a.attrelid, a.attnum), '') AS comment
           FROM pg_attribute a
           WHERE a.attrelid = to_regclass(quote_ident(:schema) || '.' || quote_ident(:table))
             AND a.attnum > 0 AND NOT a.attisdropped
           ORDER BY a.attnum""",
        schema=tx.schema,
        table=table,
    )
    return [Column(row.attname, row.type, row.nullable, row.comment) for row in rows]
