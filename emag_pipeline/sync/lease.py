"""Taking an account's lease: ends the sync of a dead owner, then resumes the last sync or opens a new one."""

from collections.abc import Callable
from uuid import uuid4

from emag_pipeline.errors import (
    AnotherSyncRunning,
    EndFromOutside,
    ParametersIgnored,
    RefusedError,
    is_defect,
    is_passing,
    spoils_staging,
)
from emag_pipeline.logs import logger
from emag_pipeline.store import monitoring_tables
from emag_pipeline.store.engine import Database
from emag_pipeline.store.sql import statements
from emag_pipeline.store.transaction import Transaction
from emag_pipeline.sync import ledger, liveness, staging_room
from emag_pipeline.sync.ledger import Lease, StillWriting, Sync, SyncPhase, SyncStatus
from emag_pipeline.sync.liveness import Owner
from emag_pipeline.wording import goes_on

log = logger(__name__)

_SQL = statements("sync/ledger.sql")
_SAME_INSTANT = "a sync that began in the same instant"


def take_lease(
    database: Database,
    account: str,
    run_id: str,
    *,
    timeout_hours: float,
    heartbeat_timeout_seconds: float,
    run_has_ended: Callable[[str], bool],
    dagster_instance_id: str | None = None,
    anew: bool = False,
) -> Lease:
    """Take the account's lease for this process: resume the interrupted sync, or open a new one.

    `run_has_ended` returns whether a Dagster run is known to have ended; it is called only for runs of the instance
    `dagster_instance_id`, since another instance's records prove nothing. `anew`: open a new sync, unless the
    interrupted one belongs to this run. Raises AnotherSyncRunning if a sync holds the lease that is not proven dead.
    """
    owner = Owner.here(run_id, dagster_instance_id)
    staging_room.make(database, account)
    with database.transaction() as tx:
        _end_dead_owner(tx, account, owner, heartbeat_timeout_seconds, run_has_ended)
        last = next(iter(ledger.newest(tx, account)), None)
        is_wanted = last is not None and (not anew or last.dagster_run_id == run_id)
        if last is not None and is_wanted and _can_resume(tx, last):
            return _resume(tx, last, owner)
        lease = _open(tx, account, owner, timeout_hours)
        monitoring_tables.add_offers_processed(tx, account, 0 if last is None else last.total_offers_processed)
        return lease


def _end_dead_owner(
    tx: Transaction, account: str, asking: Owner, timeout: float, run_has_ended: Callable[[str], bool]
) -> None:
    try:
        found = liveness.locked_of(tx, account)
    except StillWriting as error:
        raise _taken(account, "a sync that is publishing") from error
    if found is None:
        return
    why = liveness.death(found, asking, timeout, run_has_ended)
    if why is None:
        raise _taken(account, f"sync {found.sync_id} (Dagster run {found.dagster_run_id})")
    ledger.end_locked(
        tx,
        found.sync_id,
        SyncStatus.FAILED,
        error_class=EndFromOutside.OWNER_DIED,
        message=f"{found.where}: dead: {why}",
        remedy=f"No action needed: the next attempt {goes_on(found.pages_left)}",
    )
    log.warning("dead_sync_taken_over", account=account, sync_id=str(found.sync_id), why=why)


def _taken(account: str, owner: str) -> AnotherSyncRunning:
    return AnotherSyncRunning(
        "another sync is running",
        where=account,
        why=f"the lease belongs to {owner}",
        remedy="Wait for it to end, or check `emag-pipeline status`",
    )


def _can_resume(tx: Transaction, last: Sync) -> bool:
    """Whether the sync can be resumed: an interrupted one before its deadline if its staging survived, a refused one if
    approved.

    Not if its windows are unusable, if its audit or publish failed other than by a temporary fault, or if a bug ended
    it right after it was resumed, since that would happen again. A new sync then reads from scratch.
    """
    error_class = last.error_class or ""
    if not last.status.has_ended_unpublished or last.discarded_at is not None:
        return False
    # reads by id returned pages instead of the offer; the pages of the scan itself are fine
    is_filter_ignored = last.phase is SyncPhase.CONFIRMING and error_class == ParametersIgnored.error_class
    if spoils_staging(error_class) and not is_filter_ignored:
        return False
    if is_defect(error_class) and last.attempt > 1 and last.progressed_at <= last.attempt_started_at:
        return False
    is_refused = error_class == RefusedError.error_class
    is_after_the_scan = last.phase in (SyncPhase.AUDITING, SyncPhase.PUBLISHING)
    if is_after_the_scan and not is_refused and not is_passing(error_class):
        return False
    # an empty catalogue has no pages: only an approved scan of one can be resumed
    is_approved = last.approved_at is not None
    is_wanted = is_approved if is_refused else last.is_in_time and (is_approved or last.windows_staged > 0)
    return is_wanted and last.windows_staged == ledger.durable_windows(tx, last.sync_id, last.account)


def _resume(tx: Transaction, last: Sync, owner: Owner) -> Lease:
    token = uuid4()
    attempt = tx.run(
        _SQL["resume"], account=last.account, sync=last.sync_id, token=token, **owner.columns
    ).scalar_one_or_none()
    if attempt is None:
        raise _taken(last.account, _SAME_INSTANT)
    return Lease(last.account, last.sync_id, token, attempt, resumed=True, approval=last.approval)


def _open(tx: Transaction, account: str, owner: Owner, timeout_hours: float) -> Lease:
    lease = Lease(account, uuid4(), uuid4(), attempt=1, resumed=False)
    held = {"sync": lease.sync_id, "account": account, "token": lease.token}
    if tx.run(_SQL["open"], **held, hours=timeout_hours, **owner.columns).rowcount != 1:
        raise _taken(account, _SAME_INSTANT)
    return lease
