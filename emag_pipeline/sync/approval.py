"""A person accepts what the audit refused: the next run publishes the very scan that they looked at."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from emag_pipeline.errors import AnotherSyncRunning, RefusedError, SettingsError
from emag_pipeline.settings import Settings
from emag_pipeline.store import OperationalError, Row
from emag_pipeline.store.engine import Database
from emag_pipeline.store.transaction import Transaction
from emag_pipeline.sync import ledger, staging_room
from emag_pipeline.sync.audit import judge
from emag_pipeline.sync.figures import ScanFigures
from emag_pipeline.sync.ledger import Approval

# A person throws a staged scan away: the next run reads the catalogue anew.

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
        staging_room.empty(database, sync.account_type, [sync_id])
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


def approve(database: Database, settings: Settings, sync_id: UUID, by: str, *, even_if_empty: bool = False) -> str:
    """Record the approval of a refused sync, with who gave it. Returns the account.

    Raises RefusedError when there is nothing that could be approved: not a refused sync, not the account's newest, no
    longer staged, or not complete - completeness is not a matter of judgement. Likewise for a scan without any offer
    to publish, unless `even_if_empty`.
    """
    with database.transaction() as tx:
        sync = ledger.newest_refused(tx, sync_id)
        if sync is None:
            raise RefusedError(
                f"sync {sync_id} cannot be approved",
                why="it is not an account's newest sync, or it was not refused, or its staged pages are gone",
                remedy="Look at `emag-pipeline status` for the sync that waits, or start a new run",
            )
        # what is missing is asked for by its id before the publish
        figures = replace(ScanFigures(**sync.proof), missing=0)
        _require_complete(sync, figures, settings, Approval(sync_id, by, datetime.now(UTC)))
        if figures.is_empty and not even_if_empty:
            raise _would_be_empty(sync, figures)
        ledger.note_approval(tx, sync_id, by)
    return str(sync.account_type)


def _require_complete(sync: Any, figures: ScanFigures, settings: Settings, approval: Approval) -> None:
    failed = [verdict for verdict in judge(figures, settings, approval=approval) if not verdict.passed]
    if failed:
        raise RefusedError(
            "the scan cannot be approved",
            where=f"{sync.account_type}, sync {sync.sync_id}",
            why="; ".join(verdict.sentence for verdict in failed),
            remedy="Start a new run: it reads the catalogue anew",
        )


def _would_be_empty(sync: Any, figures: ScanFigures) -> RefusedError:
    why = "it holds no offer that could be published"
    if figures.published_before and not figures.rejected:
        why = f"it holds no offer, and the account would lose all {figures.published_before:,} published ones"
    return RefusedError(
        "the scan was not approved",
        where=f"{sync.account_type}, sync {sync.sync_id}",
        why=why,
        remedy="Look at the account in the marketplace first; if this is right, run "
        f"`emag-pipeline approve {sync.sync_id} --even-if-empty`",
    )
