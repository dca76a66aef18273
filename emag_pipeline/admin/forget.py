"""Removing all data of an account: its offers, history, marts, ledger, calls, quarantine, incidents and files.

Only a backup can bring it back. Rows are removed in small transactions, those of the ledger and of the account
itself last: a removal that failed can be run again and continues. Staged rows go at once, with the account's room.
Files that a person wrote elsewhere (`export`, `report -o`, `backup`, `probe`) are not known here and stay.
"""

from collections.abc import Iterator
from pathlib import Path

from emag_pipeline.errors import AnotherSyncRunning, SettingsError, of_os_error
from emag_pipeline.logs import logger
from emag_pipeline.settings import Settings
from emag_pipeline.store import catalog
from emag_pipeline.store.engine import Database
from emag_pipeline.store.sql import filled, statements
from emag_pipeline.sync import staging_room
from emag_pipeline.sync.accounts import host_of, is_same, left_accounts

log = logger(__name__)

_SQL = statements("admin/forget.sql")

_BATCH = 10_000
_TIMEOUT_SECONDS = 300.0
#: Without its record of what it shows, a mart whose rows are removed is computed from scratch.
_FIRST = ("emag_mart_refreshes",)
_LAST = ("emag_offer_syncs", "emag_accounts")

#: The condition for an account's rows, by the first of these columns that a table has.
_CONDITIONS = {
    "account_type": "t.account_type = :account",
    "sync_id": "t.sync_id IN (SELECT sync_id FROM emag_offer_syncs WHERE account_type = :account)",
    # an account, or something of it: `published_equals_scan of main`, `refresh_marts of main`
    "subject": "(t.subject = :account OR t.subject ~ ('[a-z_]+ of ' || :account || '( on |$)'))",
    "labels": "t.labels ->> 'account_type' = :account",
}


def count(database: Database, account: str) -> dict[str, int]:
    """How many rows of the account each table holds; tables without any are left out. Raises as the database does."""
    found = {}
    for table, condition in _tables(database):
        with database.transaction(timeout_seconds=_TIMEOUT_SECONDS) as tx:
            sql = f"SELECT count(*) FROM {table} t WHERE {condition}"
            found[table] = int(tx.run(sql, account=account).scalar_one())
    return {table: rows for table, rows in found.items() if rows}


def require_known(database: Database, settings: Settings, account: str) -> None:
    """Raise SettingsError, with the known accounts, unless the account is configured or something is kept of it.

    Nothing is kept of an account that was forgotten either: its name is removed as well.
    """
    configured = [one.name for one in settings.accounts]
    if account in configured or files_of(settings, account) or count(database, account):
        return
    known = [*configured, *(f"{name} (no longer configured)" for name in left_accounts(database, configured))]
    raise SettingsError(
        f"there is no account {account!r}",
        why="it is not configured, and nothing is kept of it",
        remedy=f"Known accounts: {', '.join(known)}",
    )


def remove(database: Database, account: str) -> dict[str, int]:
    """Remove the account's rows. Returns how many, by table.

    Raises AnotherSyncRunning while a sync of the account runs, and the errors of the database.
    """
    _require_rest(database, account)
    removed = {table: rows for table, rows in count(database, account).items() if table in staging_room.TABLES}
    if not staging_room.remove(database, account):
        log.warning("room_not_removed", account=account)
    for table, condition in _tables(database):
        if table not in staging_room.TABLES:  # in a partitioned table, a ctid means nothing without its partition
            removed[table] = _remove(database, table, condition, account)
    return {table: rows for table, rows in removed.items() if rows}


def _require_rest(database: Database, account: str) -> None:
    with database.transaction(timeout_seconds=_TIMEOUT_SECONDS) as tx:
        running = tx.run(_SQL["running_sync"], account=account).scalar()
    if running is not None:
        raise AnotherSyncRunning(
            "a sync is running",
            where=f"{account}, sync {running}",
            remedy="Wait until it ends, or end it with `emag-pipeline recover --max-age-hours 0`",
        )


def _remove(database: Database, table: str, condition: str, account: str) -> int:
    remove = filled(_SQL["remove"], {"table": table, "condition": condition})
    removed = 0
    while True:
        with database.transaction(timeout_seconds=_TIMEOUT_SECONDS) as tx:
            batch = tx.run(remove, account=account, batch=_BATCH).rowcount
        removed += batch
        if batch < _BATCH:
            return removed


def _tables(database: Database) -> Iterator[tuple[str, str]]:
    """Each table with rows of accounts, and the condition for them; from the catalog, so that none is missed.

    Only our own tables: other software may share the schema and have columns of the same names.
    """
    with database.transaction(timeout_seconds=_TIMEOUT_SECONDS) as tx:
        tables = {table: catalog.writable_columns(tx, table) for table in catalog.own_tables(tx)}
    for table in sorted(tables, key=lambda name: (name not in _FIRST, name in _LAST and _LAST.index(name) + 1, name)):
        column = next((column for column in _CONDITIONS if column in tables[table]), None)
        if column is not None:
            yield table, _CONDITIONS[column]


def files_of(settings: Settings, account: str) -> list[Path]:
    """Files that the pipeline wrote for this account alone: its report and the logs of its runs by `sync`."""
    logs = sorted((settings.home / "logs").glob(f"sync-{account}.log*"))
    report = settings.home / "reports" / f"{account}.html"
    return [*([report] if report.exists() else []), *logs]


def remove_files(settings: Settings, account: str) -> list[Path]:
    """Remove them. Returns what was removed; raises PermanentError for a file that cannot be removed."""
    removed = files_of(settings, account)
    for file in removed:
        try:
            file.unlink(missing_ok=True)
        except OSError as error:
            what, remedy = "the file cannot be removed", "Correct its permissions and run the command again"
            raise of_os_error(error, what, where=str(file), remedy=remedy) from error
    return removed


def what_stays(settings: Settings) -> list[str]:
    """What may still mention the account or its offers, and until when; one sentence each."""
    return [
        f"logs of all accounts in {settings.home / 'logs'}: until `emag-pipeline up` was started four more times "
        "or a log has grown by 40 MiB",
        "Dagster's runs of the account and their logs: for 30 days, or until `emag-pipeline prune --older-than 1d`; "
        "the newest run of each asset as long as Dagster's database exists",
        "backups, exports, reports and probe files written elsewhere: until they are deleted",
    ]


def refusal(database: Database, settings: Settings, account: str) -> SettingsError | None:
    """Why the account may not be removed, with what to do; None when it may. Raises the errors of the database.

    A configured account would be read again by the next sync, unless what is kept came from another marketplace.
    """
    configured = next((one for one in settings.accounts if one.name == account), None)
    if configured is None:
        return None
    host = host_of(database, account)
    if host is not None and not is_same(host, configured.host):
        return None
    return SettingsError(
        f"the account {account} is configured",
        why="the next sync would read it again",
        remedy=_way_out(settings, account),
    )


def _way_out(settings: Settings, account: str) -> str:
    if not settings.uses_sandbox:
        return "Remove it from the settings first (EMAG_ACCOUNTS, its credentials)"
    others = [one.name for one in settings.accounts if one.name != account]
    left_out = f"set EMAG_ACCOUNTS={','.join(others)}" if others else "name another account in EMAG_ACCOUNTS"
    return (
        "Set the credentials of your own account: data from the sandbox may then be removed. To drop "
        f"{account} from the sandbox, {left_out} first"
    )
