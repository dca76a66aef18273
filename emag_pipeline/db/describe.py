"""What a table holds, in the database's own words: the comments of the migrations, for the UI's column lists."""

from dataclasses import dataclass

from emag_pipeline.db.engine import Database


@dataclass(frozen=True, slots=True)
class Column:
    """One column as PostgreSQL describes it; `comment` is empty where there is none."""

    name: str
    type: str
    nullable: bool
    comment: str


def columns(database: Database, table: str) -> list[Column]:
    """The columns of one of the project's tables or views, in their order."""
    with database.transaction(timeout_seconds=30) as tx:
        rows = tx.run(
            """SELECT a.attname, format_type(a.atttypid, a.atttypmod) AS type, NOT a.attnotnull AS nullable,
                      coalesce(col_description(a.attrelid, a.attnum), '') AS comment
               FROM pg_attribute a
               WHERE a.attrelid = to_regclass(quote_ident(:schema) || '.' || quote_ident(:table))
                 AND a.attnum > 0 AND NOT a.attisdropped
               ORDER BY a.attnum""",
            schema=database.schema,
            table=table,
        )
        return [Column(row.attname, row.type, row.nullable, row.comment) for row in rows]
