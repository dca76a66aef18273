"""Renews the planner's statistics after large changes.

Autovacuum analyses a table when a share of the *whole* table has changed, or never. A new account next to a large one
is a small share: until then the planner expects a single row and joins its offers with nested loops over all of them.
So statistics are renewed after the commit, table by table, each in its own transaction. A table that is being vacuumed
or analysed is skipped without an attempt, since the server would log a warning; it is retried a little later, and what
remains is logged in one line. ANALYZE without the privilege is only a warning, so the privilege is checked first: the
tables' owner has it, and grants it through the function emag_analyze.

Of staging only the account's own partitions are analysed. After they were emptied, the statistics are those of an
earlier sync: the planner would expect a single row of the running one and choose nested loops. So the publish and the
audit's counts renew them within their own transactions.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from emag_pipeline.errors import PipelineError
from emag_pipeline.logs import logger
from emag_pipeline.store.columns import listed
from emag_pipeline.store.engine import Database
from emag_pipeline.store.rows import rows_of
from emag_pipeline.store.sql import statements
from emag_pipeline.store.transaction import Transaction
from emag_pipeline.sync import staging_room

log = logger(__name__)

#: Autovacuum's default share, but of one account's rows.
_MUCH = 0.1
_TIMEOUT_SECONDS = 120.0
#: Pauses before retries of a table that was locked; a VACUUM may take minutes.
_PAUSES_SECONDS = (1.0, 4.0)

PUBLISHED = ("emag_product_offers", "emag_products", "emag_offer_states", "emag_publishes", "emag_row_digests")
#: Staging is only searched by its keys, so the planner needs statistics on these columns only.
_STAGED = {
    "emag_scan_offers": ("account_type", "sync_id", "page", "emag_offer_id"),
    "emag_scan_pages": ("account_type", "sync_id"),
    "emag_scan_confirmations": ("account_type", "sync_id", "emag_offer_id"),
}
_REJECTS = {"emag_offer_rejects": ("sync_id", "page", "emag_offer_id")}

_SQL = statements("sync/statistics.sql")


@dataclass(frozen=True, slots=True)
class _Rights:
    """Whether this user may analyse a table directly, or through `emag_analyze`."""

    may_analyze: bool
    may_ask_the_owner: bool


def is_much(changed: int, rows: int) -> bool:
    """Whether `changed` of an account's `rows` are enough to renew the statistics."""
    return changed > _MUCH * rows


def renew(database: Database, tables: Sequence[str], columns: Sequence[str] = ()) -> None:
    """Analyse tables, or these columns of them. Never raises a PipelineError: the changes are committed already.

    Failures are logged with the reason. Takes up to five seconds longer if a table is locked.
    """
    _renew(database, dict.fromkeys(tables, tuple(columns)))


def renew_staged(database: Database, account: str) -> None:
    """Analyse an account's staging, after pages have been read."""
    own = {staging_room.name(table, account): columns for table, columns in _STAGED.items()}
    _renew(database, {**own, **_REJECTS})


def expect_account(tx: Transaction, account: str) -> None:
    """Raise work_mem for joins of an account's published offers, within the transaction."""
    tx.expect(int(tx.run(_SQL["offers"], account=account).scalar_one()))


def require_staged(tx: Transaction, account: str, sync_id: UUID) -> None:
    """Analyse the sync's staged offers unless that was done; within the transaction that joins them."""
    table = staging_room.name("emag_scan_offers", account)
    if not tx.run(_SQL["knows"], schema=tx.schema, table=table, sync=sync_id).scalar_one():
        _analyse(tx, table, _STAGED["emag_scan_offers"])


def require_changes(tx: Transaction, account: str) -> None:
    """Analyse the account's changes."""
    _analyse(tx, staging_room.name(staging_room.CHANGES, account), ())


def _renew(database: Database, columns_of: Mapping[str, Sequence[str]]) -> None:
    left = list(columns_of)
    for pause_seconds in (0.0, *_PAUSES_SECONDS):
        time.sleep(pause_seconds)
        left = [table for table in left if not _is_renewed(database, table, columns_of[table])]
        if not left:
            return
    why = "another process vacuums or analyses it, or changes its definition; autovacuum will analyse it later"
    log.warning("statistics_not_renewed", table=", ".join(left), error=why)


def _is_renewed(database: Database, table: str, columns: Sequence[str]) -> bool:
    """Whether it was done, or failed and was logged; False if the table is locked."""
    try:
        with database.transaction(timeout_seconds=_TIMEOUT_SECONDS) as tx:
            return _analyse(tx, table, columns)
    except PipelineError as error:
        log.warning("statistics_not_renewed", table=table, error=error.message)
        return True


def _analyse(tx: Transaction, table: str, columns: Sequence[str]) -> bool:
    if not tx.run(_SQL["is_free"], table=_name(tx, table)).scalar_one():
        return False
    rights = _rights(tx, table)
    if rights.may_analyze:
        of_columns = f" ({listed(columns)})" if columns else ""
        tx.run(f"ANALYZE (SKIP_LOCKED) {table}{of_columns}")
    elif rights.may_ask_the_owner:
        tx.run("SELECT emag_analyze(:table, CAST(:columns AS text[]))", table=table, columns=list(columns))
    else:
        remedy = "run `emag-pipeline migrate` as the tables' owner, see docs/how-to/roles.md"
        log.warning("statistics_not_renewed", table=table, error=f"this user may not analyse it: {remedy}")
        return True
    return bool(tx.run(_SQL["is_done"], table=_name(tx, table)).scalar_one())


def _rights(tx: Transaction, table: str) -> _Rights:
    function = _name(tx, "emag_analyze(text, text[])")
    [rights] = rows_of(tx.run(_SQL["rights"], table=_name(tx, table), function=function), _Rights)
    return rights


def _name(tx: Transaction, of: str) -> str:
    return f'"{tx.schema}".{of}'
