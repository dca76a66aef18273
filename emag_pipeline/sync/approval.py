"""A person's decision about an unpublished scan: approve what the audit refused, or discard it.

The next run publishes an approved scan without reading it again; after a discarded one it starts from scratch.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from emag_pipeline.errors import AnotherSyncRunning, RefusedError, SettingsError
from emag_pipeline.settings import Settings
from emag_pipeline.store.engine import Database
from emag_pipeline.store.sql import statements
from emag_pipeline.store.transaction import Transaction
from emag_pipeline.sync import ledger, staging_room
from emag_pipeline.sync.audit import judge
from emag_pipeline.sync.figures import ScanFigures
from emag_pipeline.sync.ledger import Approval, StillWriting, Sync, SyncStatus

_RUNS = "it is running: end it first with `emag-pipeline recover`, or wait until it ends"
_SQL = statements("sync/ledger.sql")


@dataclass(frozen=True, slots=True)
class Discarded:
    """The account of a scan, and the numbers of its staged pages and offers."""

    account: str
    pages: int
    offers: int


def discard(database: Database, sync_id: UUID, by: str, *, dry_run: bool = False) -> Discarded:
    """Remove the staged data of a sync that ended unpublished, and record who did it; with `dry_run` only count it.

    The sync can be neither resumed nor approved afterwards. Its ledger row and its quarantined rows stay. Raises
    AnotherSyncRunning for a running sync, SettingsError for a published one and for an unknown id.
    """
    with database.transaction() as tx:
        sync = _ended(tx, sync_id)
        found = tx.run(_SQL["staged"], account=sync.account, sync=sync_id).one()
        if not dry_run:
            ledger.discard(tx, sync_id, by)
    if not dry_run:  # no process can resume it any more
        staging_room.empty(database, sync.account, [sync_id])
    return Discarded(sync.account, found.pages, found.offers)


def _ended(tx: Transaction, sync_id: UUID) -> Sync:
    """The sync, locked so that no process can resume it meanwhile."""
    what = f"sync {sync_id} is not discarded"
    try:
        sync = ledger.locked(tx, sync_id)
    except StillWriting as error:  # its publish is under way
        raise AnotherSyncRunning(what, why=_RUNS) from error
    if sync is None:
        raise SettingsError(
            f"there is no sync {sync_id}", remedy="Run `emag-pipeline status --json` to list the accounts' newest syncs"
        )
    if sync.status is SyncStatus.RUNNING:
        raise AnotherSyncRunning(what, where=sync.account, why=_RUNS)
    if sync.status is SyncStatus.COMPLETED:
        raise SettingsError(what, where=sync.account, why="it is published, and published offers are not discarded")
    return sync


def approve(database: Database, settings: Settings, sync_id: UUID, by: str, *, even_if_empty: bool = False) -> str:
    """Record the approval of a refused sync and who gave it. Returns the account.

    Raises RefusedError if it cannot be approved: it was not refused, is not the account's newest sync, is no longer
    staged, or is incomplete, which cannot be approved. Also for a scan without any offer to publish, unless
    `even_if_empty`.
    """
    with database.transaction() as tx:
        sync = ledger.newest_refused(tx, sync_id)
        if sync is None:
            raise RefusedError(
                f"sync {sync_id} cannot be approved",
                why="it is not an account's newest sync, or it was not refused, or its staged pages are gone",
                remedy="Run `emag-pipeline status` to see which sync waits for approval, or start a new run",
            )
        # missing offers are read by id before the publish
        figures = replace(ScanFigures(**(sync.proof or {})), missing=0)
        _require_complete(sync, figures, settings, Approval(sync_id, by, datetime.now(UTC)))
        if figures.is_empty and not even_if_empty:
            raise _would_be_empty(sync, figures)
        ledger.approve(tx, sync_id, by)
    return sync.account


def _require_complete(sync: Sync, figures: ScanFigures, settings: Settings, approval: Approval) -> None:
    failed = [verdict for verdict in judge(figures, settings, approval=approval) if not verdict.passed]
    if failed:
        raise RefusedError(
            "the scan cannot be approved",
            where=f"{sync.account}, sync {sync.sync_id}",
            why="; ".join(verdict.sentence for verdict in failed),
            remedy="Start a new run: it reads the catalogue from scratch",
        )


def _would_be_empty(sync: Sync, figures: ScanFigures) -> RefusedError:
    why = "it contains no offer that could be published"
    if figures.published_before and not figures.rejected:
        why = f"it contains no offer, and the account would lose all {figures.published_before:,} published ones"
    return RefusedError(
        "the scan was not approved",
        where=f"{sync.account}, sync {sync.sync_id}",
        why=why,
        remedy="Check the account in the marketplace first; if this is right, run "
        f"`emag-pipeline approve {sync.sync_id} --even-if-empty`",
    )
