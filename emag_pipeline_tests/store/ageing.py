"""Days that pass for a database: its past is moved back, since the server's clock cannot be moved forward."""

from datetime import timedelta

from emag_pipeline.store.engine import Database

_TIMES = """
    SELECT c.table_name, c.column_name
    FROM information_schema.columns c
    JOIN pg_class t ON t.relname = c.table_name AND t.relnamespace = CAST(c.table_schema AS regnamespace)
    WHERE c.table_schema = :schema AND c.data_type = 'timestamp with time zone'
      AND t.relkind IN ('r', 'p') AND NOT t.relispartition  -- partitions change with the table that they are of
    ORDER BY 1, 2
"""


def let_pass(database: Database, past: timedelta) -> None:
    """Afterwards everything that the pipeline's tables tell lies longer ago by this much."""
    with database.transaction() as tx:
        columns: dict[str, list[str]] = {}
        for table, column in tx.run(_TIMES, schema=database.schema):
            columns.setdefault(table, []).append(column)
        for table, names in columns.items():
            changes = ", ".join(f"{name} = {name} - :past" for name in names)
            tx.run(f"UPDATE {table} SET {changes}", past=past)


def published_ago(database: Database, past: timedelta) -> None:
    """Every publish was so long ago, of pages that were read just before it."""
    with database.transaction() as tx:
        tx.run(
            """UPDATE emag_offer_syncs SET completed_at = now() - :past, oldest_page_at = now() - :past
               WHERE status = 'completed'""",
            past=past,
        )
