"""A person throws a staged scan away: the next run reads the catalogue anew."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.exc import OperationalError

from emag_pipeline.db import room
from emag_pipeline.db.engine import Database
from emag_pipeline.db.transaction import Transaction
from emag_pipeline.errors import AnotherSyncRunning, SettingsError

_REFUSES = {
    "running": "it is running: end it first with `emag-pipeline recover`, or wait for its end",
    "completed": "it is published, and published offers are not discarded",
}


@dataclass(frozen=True, slots=True)
class Discarded:
    """Whose scan it is, and what was staged of it: pages, and the offers on them."""

    account: str
    pages: int
    offers: int


def discard(database: Database, sync_id: UUID, by: str, *, dry_run: bool = False) -> Discarded:
    """Remove what is staged of a sync that ended unpublished, and note who did it; unless `dry_run`, which only looks.

    It is never resumed nor approved afterwards. Its ledger row and its quarantine stay. Raises AnotherSyncRunning for a
    running sync, SettingsError for one that is published and for an id that there is not.
    """
    with database.transaction() as tx:
        sync = _ended(tx, sync_id)
        found = tx.run(
            """SELECT (SELECT count(*) FROM emag_scan_pages
                       WHERE account_type = :account AND sync_id = :sync) AS pages,
                      (SELECT count(*) FROM emag_scan_offers
                       WHERE account_type = :account AND sync_id = :sync) AS offers""",
            account=sync.account_type,
            sync=sync_id,
        ).one()
        if not dry_run:
            tx.run(
                """UPDATE emag_offer_syncs SET discarded_at = now(), discarded_by = :by
                   WHERE sync_id = :sync AND discarded_at IS NULL""",
                sync=sync_id,
                by=by,
            )
    if not dry_run:  # from here on nobody takes it up
        room.empty(database, sync.account_type, [sync_id])
    return Discarded(sync.account_type, found.pages, found.offers)


def _ended(tx: Transaction, sync_id: UUID) -> Row[Any]:
    """The sync's row, locked: nobody resumes it meanwhile."""
    try:
        sync = tx.run(
            "SELECT account_type, status FROM emag_offer_syncs WHERE sync_id = :sync FOR UPDATE NOWAIT",
            sync=sync_id,
        ).one_or_none()
    except OperationalError as error:
        if getattr(error.orig, "pgcode", None) != "55P03":  # lock_not_available: its publish is under way
            raise
        raise AnotherSyncRunning(f"sync {sync_id} is not discarded", why=_REFUSES["running"]) from error
    if sync is None:
        raise SettingsError(
            f"there is no sync {sync_id}", remedy="See `emag-pipeline status --json` for the accounts' newest syncs"
        )
    if sync.status == "running":
        raise AnotherSyncRunning(f"sync {sync_id} is not discarded", where=sync.account_type, why=_REFUSES["running"])
    if sync.status == "completed":
        raise SettingsError(f"sync {sync_id} is not discarded", where=sync.account_type, why=_REFUSES["completed"])
    return sync
