"""What the planner knows of the tables, brought up to date by whoever has just changed much.

Autovacuum comes when a share of the *whole* table has changed, and perhaps not at all. A new account beside a large one
is a small share: until then the planner takes it for a single row, and joins its offers by looking through all of them
for each. So statistics are renewed after the commit, table by table, each in a transaction of its own. A table that
is being vacuumed or analysed is not waited for, and not even tried: the server would log a warning. It is tried again a
little later, and what is left then is said in one line. A plain ANALYZE without the right to do so is no error but a
warning, so the right is asked for: the tables' owner has it, and lends it by the function emag_analyze.

Of staging only the account's own partitions are analysed. Once they were emptied, what the planner knows of them is of
an earlier sync: it would take the running one for a single row, and look through all its rows for each. So a publish
sees to that itself, within its transaction, and so does whoever counts for the audit.
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

#: As autovacuum has it, but of one account's rows.
_MUCH = 0.1
_TIMEOUT_SECONDS = 120.0
#: After these pauses a table that was not free is tried again; what vacuums it may take minutes.
_PAUSES_SECONDS = (1.0, 4.0)

PUBLISHED = ("emag_product_offers", "emag_products", "emag_offer_states", "emag_publishes", "emag_row_digests")
#: Staging is found by its keys, and its texts are read by nobody: these columns are all that the planner needs of it.
_STAGED = {
    "emag_scan_offers": ("account_type", "sync_id", "page", "emag_offer_id"),
    "emag_scan_pages": ("account_type", "sync_id"),
    "emag_scan_confirmations": ("account_type", "sync_id", "emag_offer_id"),
}
_REJECTS = {"emag_offer_rejects": ("sync_id", "page", "emag_offer_id")}

_SQL = statements("sync/statistics.sql")


@dataclass(frozen=True, slots=True)
class _Rights:
    """Whether this user may analyse a table, or have its owner do so (`emag_analyze`)."""

    may_analyze: bool
    may_ask_the_owner: bool


def is_much(changed: int, rows: int) -> bool:
    """Whether so many changed rows of an account that has so many make the statistics wrong."""
    return changed > _MUCH * rows


def renew(database: Database, tables: Sequence[str], columns: Sequence[str] = ()) -> None:
    """Analyse tables, or these columns of them. Never raises an error of the pipeline: what was changed stays so.

    What could not be analysed is in the log, with the reason. Takes up to five seconds longer where a table is locked.
    """
    _renew(database, dict.fromkeys(tables, tuple(columns)))


def renew_staged(database: Database, account: str) -> None:
    """Analyse what is staged of an account, after pages have been read."""
    own = {staging_room.name(table, account): columns for table, columns in _STAGED.items()}
    _renew(database, {**own, **_REJECTS})


def expect_account(tx: Transaction, account: str) -> None:
    """Let what joins an account's published offers work in memory, within the transaction."""
    tx.expect(int(tx.run(_SQL["offers"], account=account).scalar_one()))


def require_staged(tx: Transaction, account: str, sync_id: UUID) -> None:
    """Let the planner know the sync's offers, if nobody has done so; within the transaction that joins them."""
    table = staging_room.name("emag_scan_offers", account)
    if not tx.run(_SQL["knows"], schema=tx.schema, table=table, sync=sync_id).scalar_one():
        _analyse(tx, table, _STAGED["emag_scan_offers"])


def require_changes(tx: Transaction, account: str) -> None:
    """Let the planner know the account's changes: whose they are, and how many."""
    _analyse(tx, staging_room.name(staging_room.CHANGES, account), ())


def _renew(database: Database, columns_of: Mapping[str, Sequence[str]]) -> None:
    left = list(columns_of)
    for pause_seconds in (0.0, *_PAUSES_SECONDS):
        time.sleep(pause_seconds)
        left = [table for table in left if not _is_renewed(database, table, columns_of[table])]
        if not left:
            return
    why = "another process vacuums or analyses it, or changes its definition; autovacuum comes to it later"
    log.warning("statistics_not_renewed", table=", ".join(left), error=why)


def _is_renewed(database: Database, table: str, columns: Sequence[str]) -> bool:
    """Whether it was done, or is said to have failed; not where the table is not free."""
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
