"""Restore a backup in one transaction: readers see the former state until it commits, and keep it if it fails.

The tables are created by our own migrations, at the backup's version, and then upgraded; only rows are taken from the
backup. So any schema name works, privileges and views on existing tables are kept, an older backup is migrated, and no
statement of the file is executed. A schema of another version than the backup's is filled through a scratch schema.
Why not `pg_restore` into a fresh schema: docs/decisions/0015-restore-takes-rows.md.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from emag_pipeline.admin.backup import Archive, TableRows, open_backup
from emag_pipeline.errors import AnotherSyncRunning, PermanentError
from emag_pipeline.local.surroundings import Say, databases, migrated, opened
from emag_pipeline.settings import Settings
from emag_pipeline.store import OperationalError, catalog, migrate
from emag_pipeline.store.engine import Database
from emag_pipeline.store.error_mapping import WRONG_DATA
from emag_pipeline.store.sql import filled, statements
from emag_pipeline.store.transaction import Transaction
from emag_pipeline.sync import statistics
from emag_pipeline.wording import counted

_SQL = statements("admin/restore.sql")

#: For one statement: a table of millions of rows takes long.
_STATEMENT_SECONDS = 6 * 3600.0
#: To get the locks of all tables at once.
_LOCK_SECONDS = 60.0
#: To wait for a single table that somebody holds. Autovacuum gives way to a waiter only after deadlock_timeout (1 s).
_WAIT = "SELECT set_config('lock_timeout', '2500ms', true)"
_LOCK_NOT_AVAILABLE = "55P03"
_RELATION = re.compile(r'relation "([^"]+)"')


@dataclass(frozen=True, slots=True)
class Restored:
    """A finished restore. `revision` is the backup's, `now_at` the schema's after it."""

    rows: int
    seconds: float
    revision: str
    now_at: str


def restore(settings: Settings, file: Path, *, replace: bool, say: Say) -> Restored:
    """Restore a backup into the schema DB_SCHEMA, whatever the schema was called that it was taken from.

    `say` receives a line for each table that holds rows. All or nothing; raises what `open_backup` and `fill` raise.
    """
    began = time.monotonic()
    backup = open_backup(file)
    counts: list[int] = []

    def report(table: str, rows: int) -> None:
        if rows:
            counts.append(rows)
            say(f"{table}: {counted(rows, 'row')}")

    with databases(settings) as found:
        say(f"restoring into schema {settings.db_schema} of {found.shown}")
        with opened(found, settings) as database:
            aside = fill(database, backup, replace=replace, report=report)
            now_at = migrated(database, always_grants=True, is_embedded=settings.database_url is None).after
    if aside:
        say(
            f"the schema that was there is newer than this program and was kept as {aside}: "
            "drop it when it is no longer needed"
        )
    return Restored(sum(counts), time.monotonic() - began, backup.revision, now_at)


def fill(database: Database, backup: Archive, *, replace: bool, report: Callable[[str, int], None]) -> str | None:
    """Fill the schema from a backup; `report` receives each table and its number of rows.

    Creates the schema if it is missing. One that is newer than this code cannot be filled; with `replace` it is renamed
    and kept, and its new name returned: that is the way back to an older release. Raises SchemaMismatch when backup or
    target is newer than the code, AnotherSyncRunning while a sync holds a lease, PermanentError when the target holds
    data (without `replace`) or the backup is damaged. Whatever is raised, nothing was changed.
    """
    migrate.require_known(backup.revision, "of the backup")
    with database.transaction(timeout_seconds=_STATEMENT_SECONDS) as tx:
        tx.run(_SQL["limits"])
        migrate.lock(tx)  # before the tables, as a migration takes them
        target = migrate.revision(tx)
        if target is not None:
            _require_replaceable(tx, target, replace)
        aside = None if target is None or migrate.is_known(target) else _set_aside(tx, target)
        if aside or target in (None, backup.revision):
            _load(tx, backup, report)
        else:
            _load_by_scratch(tx, backup, report)
        tx.run(_SQL["end_running_syncs"])
        filled = catalog.logged_tables(tx)
    statistics.renew(database, filled)
    return aside


# Whether the target may be overwritten.


def _require_replaceable(tx: Transaction, target: str, replace: bool) -> None:
    _require_no_sync(tx)  # or the lock would wait for its publish, only to refuse afterwards
    _lock(tx)
    _require_no_sync(tx)
    if not replace:
        migrate.require_known(target, tx.schema)
        _require_empty(tx)


def _lock(tx: Transaction) -> None:
    """Lock all tables at once or none, before anything is checked: readers continue, writers wait.

    Writers lock the tables in various orders, so waiting for one table while holding others could end in a deadlock,
    with a publish as its victim. A table that is held is therefore waited for alone, and released again.
    """
    until = time.monotonic() + _LOCK_SECONDS
    tables = [*catalog.own_tables(tx), *catalog.own_partitions(tx)]
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
    accounts = ", ".join(tx.run(_SQL["running_syncs"]).scalars())
    if accounts:
        raise AnotherSyncRunning(
            "a sync is running, nothing was restored",
            where=accounts,
            remedy="Wait for it or stop it with `emag-pipeline stop --all`, then run the command again",
        )


def _require_empty(tx: Transaction) -> None:
    held = tx.run(_SQL["held"]).one()
    if any(held):
        raise PermanentError(
            "the target is not empty, nothing was restored",
            where=f"schema {tx.schema}",
            why=f"it holds {held.offers:,} offers, {held.syncs:,} syncs and {held.history:,} rows of history",
            remedy="Add --replace to overwrite them with the backup, or set DB_SCHEMA to an empty schema",
        )


def _require_free(tx: Transaction, name: str) -> None:
    if tx.apart(lambda: tx.connection.dialect.has_schema(tx.connection, name)):
        raise PermanentError(
            "a schema that the restore would create already exists, nothing was restored",
            where=f"schema {name}",
            remedy="Check what it holds, then rename or drop it",
        )


def _set_aside(tx: Transaction, target: str) -> str:
    """Rename the schema. Its tables are kept, with everything that depends on them."""
    name = re.sub(r"[^a-z0-9_]", "_", f"{tx.schema[:40]}_{target[:20]}")
    _require_free(tx, name)
    tx.run(f'ALTER SCHEMA {{schema}} RENAME TO "{name}"')
    return name


# Filling it.


def _load(tx: Transaction, backup: Archive, report: Callable[[str, int], None]) -> None:
    """Fill the transaction's schema, which has the backup's version or is missing, and upgrade it."""
    migrate.upgrade_within(tx, backup.revision)
    known = catalog.own_tables(tx)
    for table in known:
        tx.run(f"DELETE FROM {{schema}}.{table}")
    missing = set(catalog.logged_tables(tx))
    for rows in backup.tables():
        if rows.table in known:
            report(rows.table, _copy(tx, rows))
            missing.discard(rows.table)
    if missing:
        raise _damaged(", ".join(sorted(missing)), "its rows are not in the backup")
    migrate.upgrade_within(tx)
    _follow_ids(tx)


def _copy(tx: Transaction, rows: TableRows) -> int:
    try:
        return tx.copy_in(f"COPY {{schema}}.{rows.table} ({rows.columns}) FROM STDIN", rows)
    except WRONG_DATA as error:
        raise _damaged(rows.table, str(error).splitlines()[0]) from error


def _damaged(table: str, why: str) -> PermanentError:
    return PermanentError(
        "the backup is damaged, nothing was restored", where=table, why=why, remedy="Use another backup file"
    )


def _load_by_scratch(tx: Transaction, backup: Archive, report: Callable[[str, int], None]) -> None:
    scratch = tx.within(f"{tx.schema[:50]}_restore")
    _require_free(tx, scratch.schema)
    _load(scratch, backup, report)
    migrate.upgrade_within(tx)
    for table in catalog.own_tables(tx):
        columns = ", ".join(f'"{name}"' for name in catalog.writable_columns(tx, table))
        tx.run(f"DELETE FROM {{schema}}.{table}")
        words = {"table": table, "columns": columns, "scratch": f'"{scratch.schema}"'}
        tx.run(filled(_SQL["take_from_scratch"], words))
    scratch.run("DROP SCHEMA {schema} CASCADE")
    _follow_ids(tx)


def _follow_ids(tx: Transaction) -> None:
    for table in catalog.own_tables(tx):
        for column in catalog.identity_columns(tx, table):
            sql = filled(_SQL["follow_ids"], {"table": table, "column": column})
            tx.run(sql, table=f'"{tx.schema}".{table}', column=column)
