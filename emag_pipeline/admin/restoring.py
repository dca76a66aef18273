"""Restore a backup in one transaction: readers see the old state until its end, and after a failure for ever.

The tables are made by our own migrations, at the version of the backup, and then brought up to date; of the backup only
rows are taken. So it fits any schema name, keeps the rights that were granted on tables which are there, and an older
backup arrives migrated. Tables of another version than the backup's are filled by way of a scratch schema.
"""

import re
import time
from collections.abc import Callable, Iterator
from typing import Protocol

from emag_pipeline.admin.archive import TableRows
from emag_pipeline.errors import AnotherSyncRunning, PermanentError
from emag_pipeline.store import OperationalError, migrate, own_tables
from emag_pipeline.store.engine import Database
from emag_pipeline.store.error_mapping import WRONG_DATA
from emag_pipeline.store.transaction import Transaction
from emag_pipeline.sync import statistics

#: A table of millions of rows takes its time.
_STATEMENT_SECONDS = 6 * 3600.0
_SETTINGS = """
    SELECT set_config('lock_timeout', '60s', true), set_config('idle_in_transaction_session_timeout', '10min', true),
           set_config('client_encoding', 'UTF8', true)
"""

#: For all tables at once.
_LOCK_SECONDS = 60.0
#: For the one that somebody holds, by itself. Autovacuum gives way to who waits longer than deadlock_timeout (1 s).
_WAIT = "SELECT set_config('lock_timeout', '2500ms', true)"
_LOCK_NOT_AVAILABLE = "55P03"
_RELATION = re.compile(r'relation "([^"]+)"')

#: What somebody would miss.
_HELD = """
    SELECT (SELECT count(*) FROM {schema}.emag_product_offers) AS offers,
           (SELECT count(*) FROM {schema}.emag_offer_syncs) AS syncs,
           (SELECT count(*) FROM {schema}.emag_offer_history) AS history
"""


class Dump(Protocol):
    """A backup, as `admin.archive` opens it."""

    @property
    def revision(self) -> str: ...

    def tables(self) -> Iterator[TableRows]:
        """Each table's rows; raises PermanentError when the file is cut off or damaged."""
        ...


def restore(database: Database, dump: Dump, *, replace: bool, report: Callable[[str, int], None]) -> str | None:
    """Fill the schema from a backup; `report` hears each table and its number of rows.

    Makes the schema if it is missing. One that is newer than this code cannot be filled; with `replace` it is renamed
    and kept, and its new name returned: that is the way back to an older release. Raises SchemaMismatch when backup or
    target is newer than the code, AnotherSyncRunning while a sync holds a lease, PermanentError when the target holds
    data (without `replace`) or the backup is damaged. Whatever is raised, nothing was changed.
    """
    migrate.require_known(dump.revision, "of the backup")
    with database.transaction(timeout_seconds=_STATEMENT_SECONDS) as tx:
        tx.run(_SETTINGS)
        migrate.lock(tx)  # before the tables, as a migration takes them
        target = migrate.revision(tx)
        if target is not None:
            _require_replaceable(tx, target, replace)
        aside = None if target is None or migrate.is_known(target) else _set_aside(tx, target)
        if aside or target in (None, dump.revision):
            _load(tx, dump, report)
        else:
            _load_by_scratch(tx, dump, report)
        _end_running_syncs(tx)
        filled = own_tables.logged(tx)
    statistics.renew(database, filled)
    return aside


def _require_replaceable(tx: Transaction, target: str, replace: bool) -> None:
    _require_no_sync(tx)  # or its publish would be waited for, to refuse it afterwards
    _lock(tx)
    _require_no_sync(tx)
    if not replace:
        migrate.require_known(target, tx.schema)
        _require_empty(tx)


def _set_aside(tx: Transaction, target: str) -> str:
    """Give the schema another name. Its tables live on, with whatever others built upon them."""
    name = re.sub(r"[^a-z0-9_]", "_", f"{tx.schema[:40]}_{target[:20]}")
    _require_free(tx, name)
    tx.run(f'ALTER SCHEMA {{schema}} RENAME TO "{name}"')
    return name


def _lock(tx: Transaction) -> None:
    """Let readers pass, and nobody else, before anything is looked at: all tables, or none.

    Whoever writes takes the tables in an order of its own. To wait for one of them while others are held would end as a
    deadlock, with a publish as its victim perhaps. So the one that is held is waited for alone, and let go again.
    """
    until = time.monotonic() + _LOCK_SECONDS
    tables = [*own_tables.every(tx), *own_tables.partitions(tx)]
    all_of_them = ", ".join(f"{{schema}}.{table}" for table in tables)
    tx.run("SAVEPOINT before_locks")
    while (held := _try_lock(tx, f"{all_of_them} IN EXCLUSIVE MODE NOWAIT")) is not None:
        tx.run("ROLLBACK TO SAVEPOINT before_locks")
        if time.monotonic() > until:
            raise held
        found = _RELATION.search(str(held.orig))
        if found is not None and found[1] in tables:
            tx.run(_WAIT)
            _try_lock(tx, f"{{schema}}.{found[1]} IN EXCLUSIVE MODE")
            tx.run("ROLLBACK TO SAVEPOINT before_locks")


def _try_lock(tx: Transaction, what: str) -> OperationalError | None:
    try:
        tx.run(f"LOCK TABLE {what}")
    except OperationalError as error:
        if getattr(error.orig, "pgcode", None) != _LOCK_NOT_AVAILABLE:
            raise
        return error
    return None


def _require_no_sync(tx: Transaction) -> None:
    running = tx.run("SELECT account_type FROM {schema}.emag_offer_syncs WHERE status = 'running' ORDER BY 1").scalars()
    accounts = ", ".join(running)
    if accounts:
        raise AnotherSyncRunning(
            "a sync is running, nothing was restored",
            where=accounts,
            remedy="Wait for it or end it with `emag-pipeline stop --all`, then begin again",
        )


def _require_empty(tx: Transaction) -> None:
    held = tx.run(_HELD).one()
    if any(held):
        raise PermanentError(
            "the target is not empty, nothing was restored",
            where=f"schema {tx.schema}",
            why=f"it holds {held.offers:,} offers, {held.syncs:,} syncs and {held.history:,} rows of history",
            remedy="Give --replace to put the backup in their place, or set DB_SCHEMA to a schema that is empty",
        )


def _require_free(tx: Transaction, name: str) -> None:
    if tx.apart(lambda: tx.connection.dialect.has_schema(tx.connection, name)):
        raise PermanentError(
            "the name of a schema that is needed is taken, nothing was restored",
            where=f"schema {name}",
            remedy="Look what it holds, then rename it or drop it",
        )


def _load(tx: Transaction, dump: Dump, report: Callable[[str, int], None]) -> None:
    """Fill the transaction's schema, which is of the backup's version or missing, and bring it up to date."""
    migrate.upgrade_within(tx, dump.revision)
    known = own_tables.every(tx)
    for table in known:
        tx.run(f"DELETE FROM {{schema}}.{table}")
    missing = set(own_tables.logged(tx))
    for rows in dump.tables():
        if rows.table in known:
            report(rows.table, _fill(tx, rows))
            missing.discard(rows.table)
    if missing:
        raise _damaged(", ".join(sorted(missing)), "its rows are not in the backup")
    migrate.upgrade_within(tx)
    _finish(tx)


def _fill(tx: Transaction, rows: TableRows) -> int:
    try:
        return tx.copy_in(f"COPY {{schema}}.{rows.table} ({rows.columns}) FROM STDIN", rows)
    except WRONG_DATA as error:
        raise _damaged(rows.table, str(error).splitlines()[0]) from error


def _damaged(table: str, why: str) -> PermanentError:
    return PermanentError(
        "the backup is damaged, nothing was restored", where=table, why=why, remedy="Take another backup file"
    )


def _load_by_scratch(tx: Transaction, dump: Dump, report: Callable[[str, int], None]) -> None:
    scratch = tx.within(f"{tx.schema[:50]}_restore")
    _require_free(tx, scratch.schema)
    _load(scratch, dump, report)
    migrate.upgrade_within(tx)
    for table in own_tables.every(tx):
        columns = ", ".join(f'"{name}"' for name in own_tables.columns(tx, table))
        tx.run(f"DELETE FROM {{schema}}.{table}")
        tx.run(
            f"""INSERT INTO {{schema}}.{table} ({columns}) OVERRIDING SYSTEM VALUE
                SELECT {columns} FROM "{scratch.schema}".{table}"""
        )
    scratch.run("DROP SCHEMA {schema} CASCADE")
    _finish(tx)


def _finish(tx: Transaction) -> None:
    """Let new ids follow the restored ones.

    A sequence is only ever raised: it keeps its value if the transaction fails, and must not give out an id twice.
    """
    for table in own_tables.every(tx):
        for column in own_tables.identities(tx, table):
            tx.run(
                f"""SELECT setval(sequence, greatest(
                        (SELECT max({column}) FROM {{schema}}.{table}), pg_sequence_last_value(sequence), 1))
                    FROM (SELECT CAST(pg_get_serial_sequence(:table, :column) AS regclass) AS sequence) s""",
                table=f'"{tx.schema}".{table}',
                column=column,
            )


def _end_running_syncs(tx: Transaction) -> None:
    """A sync that ran when the backup was taken has no process here, and its staging is not in the backup."""
    tx.run(
        """UPDATE {schema}.emag_offer_syncs
           SET status = 'failed', completed_at = clock_timestamp(), error_class = 'OwnerDied',
               error_message = 'a backup was restored that was taken while this sync ran',
               error_remedy = 'Nothing is to be done: the next run begins a new one'
           WHERE status = 'running'"""
    )
