"""The ledger and its lease: who may write for an account, what each attempt did, how it ended.

The lease is a token in the ledger's running row; there is at most one such row per account. Writers prove it in the
transaction that writes. Three locks on that row keep this exact:

- staging and counters UPDATE the row with the token in the WHERE clause: no match means the lease is lost;
- the publish holds the row FOR KEY SHARE, which lets heartbeats (plain updates) pass;
- whoever ends or takes over a lease holds it FOR UPDATE: its owner waits for both and sees what they left, others
  (`begin`, `liveness.locked`) do not wait: a row that is being written is alive.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from emag_pipeline.errors import AnotherSyncRunning, LeaseLost, is_defect, is_passing, spoils_staging
from emag_pipeline.logs import logger
from emag_pipeline.store import OperationalError, Row, counters
from emag_pipeline.store.engine import Database
from emag_pipeline.store.transaction import Transaction
from emag_pipeline.sync import staging_room
from emag_pipeline.sync.owners import PROCESS, Owner, death
from emag_pipeline.wording import goes_on

# That a person accepted a scan which the audit refused: who, when, and which sync's.


@dataclass(frozen=True, slots=True)
class Approval:
    """What `emag-pipeline approve` wrote into the ledger; `at` is UTC."""

    sync_id: UUID
    by: str
    at: datetime

    @property
    def words(self) -> str:
        """E.g. `approved by ana at 2026-03-01 04:00 UTC (sync …)`."""
        return f"approved by {self.by} at {self.at:%Y-%m-%d %H:%M} UTC (sync {self.sync_id})"


def approval_of(row: Any) -> Approval | None:
    """That of a row of the ledger with sync_id, approved_by and approved_at; None where nobody has approved it."""
    if row.approved_at is None:
        return None
    return Approval(row.sync_id, row.approved_by or "somebody", row.approved_at)


log = logger(__name__)

_COLUMNS = """sync_id, sync_number, account_type, status, phase, attempt, round, dagster_run_id, lease_token,
    started_at, attempt_started_at, heartbeat_at, progressed_at, completed_at, deadline_at, pages_expected, pages_done,
    windows_staged, offers_expected, total_offers_processed, offers_created, offers_updated, offers_unchanged,
    offers_deleted, offers_rejected, oldest_page_at, worked_seconds, proof, error_class, error_message,
    error_remedy, approved_at, approved_by, discarded_at"""

_AFTER_THE_SCAN = ("auditing", "publishing")
#: Reads by id are answered with pages: nothing is wrong with what pages have shown.
_FILTER_IGNORED = ("confirming", "ParametersIgnored")
_SAME_INSTANT = "a sync that began in the same instant"


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write for one account, as long as the ledger's row still says so."""

    account: str
    sync_id: UUID
    token: UUID
    attempt: int
    #: this attempt goes on with pages that an earlier one made durable
    resumed: bool
    #: that a person accepted what the audit refused
    approval: Approval | None = None

    @property
    def approved(self) -> bool:
        """Whether a person accepted what the audit refused."""
        return self.approval is not None

    @property
    def where(self) -> str:
        """How messages name this sync."""
        return f"{self.account}, sync {self.sync_id}"

    def lost(self) -> LeaseLost:
        """The error of a writer whose row no longer carries its token."""
        return LeaseLost(
            "another run took over, or this one was ended from outside",
            where=self.where,
            remedy="Nothing is to be done: what was durable stays, the other run goes on",
        )


def begin(
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

    `run_has_ended` says of a Dagster run id whether that run is known to be over; it is asked about runs of the
    instance `dagster_instance_id` only, since another one's copies of them prove nothing. `anew`: open a new sync,
    unless the interrupted one is of this very run. Raises AnotherSyncRunning when a living sync holds the lease, or
    one that cannot be told from a living one.
    """
    owner = Owner.here(run_id, dagster_instance_id)
    staging_room.make(database, account)
    with database.transaction() as tx:
        _end_dead_owner(tx, account, owner, heartbeat_timeout_seconds, run_has_ended)
        last = _last_sync(tx, account)
        is_wanted = last is not None and (not anew or last.dagster_run_id == run_id)
        if last is not None and is_wanted and _can_resume(tx, last):
            return _resume(tx, last, owner)
        lease = _open(tx, account, owner, timeout_hours)
        counters.add_offers_processed(tx, account, 0 if last is None else last.total_offers_processed)
        return lease


def _end_dead_owner(
    tx: Transaction, account: str, asking: Owner, timeout: float, run_has_ended: Callable[[str], bool]
) -> None:
    try:
        owner = tx.run(
            f"""SELECT sync_id, dagster_run_id, dagster_instance_id, {PROCESS}, pages_done, windows_staged,
                      extract(epoch FROM clock_timestamp() - heartbeat_at) AS silent_seconds
               FROM emag_offer_syncs
               WHERE account_type = :account AND status = 'running' FOR UPDATE NOWAIT""",
            account=account,
        ).one_or_none()
    except OperationalError as error:
        if getattr(error.orig, "pgcode", None) != "55P03":  # lock_not_available: its publish is under way
            raise
        raise _taken(account, "a sync that is publishing") from error
    if owner is None:
        return
    why = death(owner, asking, timeout, run_has_ended)
    if why is None:
        raise _taken(account, f"sync {owner.sync_id} (Dagster run {owner.dagster_run_id})")
    message = f"{account}, sync {owner.sync_id}: dead: {why}"
    remedy = f"Nothing is to be done: the next attempt {goes_on(pages_left(tx, owner, account))}"
    end_locked(tx, owner.sync_id, "failed", error_class="OwnerDied", message=message, remedy=remedy)
    log.warning("dead_sync_taken_over", account=account, sync_id=str(owner.sync_id), why=why)


def _taken(account: str, owner: str) -> AnotherSyncRunning:
    return AnotherSyncRunning(
        "another sync is running",
        where=account,
        why=f"the lease belongs to {owner}",
        remedy="Wait for it, or look at `emag-pipeline status`",
    )


def _last_sync(tx: Transaction, account: str) -> Row[Any] | None:
    return tx.run(
        f"""SELECT {_COLUMNS}, deadline_at > now() AS in_time FROM emag_offer_syncs
            WHERE account_type = :account ORDER BY sync_number DESC LIMIT 1""",
        account=account,
    ).one_or_none()


def _can_resume(tx: Transaction, last: Row[Any]) -> bool:
    """An interrupted sync goes on within its time, if its staging survived; a refused one if approved.

    One whose windows prove nothing is over: a new sync reads anew. So is one whose audit or publish failed otherwise
    than by a passing fault, and one that a defect has ended right after it was taken up: the same would happen again.
    """
    error_class = last.error_class or ""
    if last.status not in ("failed", "timeout", "cancelled"):
        return False
    if spoils_staging(error_class) and (last.phase, error_class) != _FILTER_IGNORED:
        return False
    if is_defect(error_class) and last.attempt > 1 and last.progressed_at <= last.attempt_started_at:
        return False
    if last.discarded_at is not None:
        return False
    refused = error_class == "RefusedError"
    if last.phase in _AFTER_THE_SCAN and not refused and not is_passing(error_class):
        return False
    # an empty catalogue has no pages: only an approved scan of one is worth going on with
    approved = last.approved_at is not None
    wanted = approved if refused else bool(last.in_time) and (approved or last.windows_staged > 0)
    return wanted and last.windows_staged == durable_windows(tx, last.sync_id, last.account_type)


def durable_windows(tx: Transaction, sync_id: UUID, account: str) -> int:
    """How many windows of an account's sync stand in staging: it is unlogged, so a crash of the server empties it."""
    return int(
        tx.run(
            "SELECT count(*) FROM emag_scan_pages WHERE account_type = :account AND sync_id = :sync",
            account=account,
            sync=sync_id,
        ).scalar_one()
    )


def pages_left(tx: Transaction, sync: Row[Any], account: str) -> int:
    """How many pages the next attempt of a sync goes on with: none where a crash of the server has taken of them.

    `sync` has `sync_id`, `pages_done` and `windows_staged` of the ledger.
    """
    if not sync.windows_staged or durable_windows(tx, sync.sync_id, account) != sync.windows_staged:
        return 0
    return int(sync.pages_done)


def _resume(tx: Transaction, last: Row[Any], owner: Owner) -> Lease:
    token = uuid4()
    owned = ", ".join(f"{name} = :{name}" for name in owner.columns)
    attempt = tx.run(
        f"""UPDATE emag_offer_syncs
           SET status = 'running', phase = 'scanning', attempt = attempt + 1, {owned},
               worked_seconds = worked_seconds + greatest(0, extract(epoch FROM heartbeat_at - attempt_started_at)),
               oldest_page_at = (SELECT min(fetched_at) FROM emag_scan_pages p
                                 WHERE p.account_type = :account AND p.sync_id = :sync),
               lease_token = :token, attempt_started_at = now(), heartbeat_at = now(), progressed_at = now(),
               completed_at = NULL, error_class = NULL, error_message = NULL, error_remedy = NULL,
               deadline_at = CASE WHEN approved_at IS NULL THEN deadline_at
                                  ELSE greatest(deadline_at, now() + (deadline_at - started_at)) END
           WHERE sync_id = :sync AND status <> 'running' AND discarded_at IS NULL RETURNING attempt""",
        account=last.account_type,
        sync=last.sync_id,
        token=token,
        **owner.columns,
    ).scalar_one_or_none()
    if attempt is None:
        raise _taken(last.account_type, _SAME_INSTANT)
    return Lease(last.account_type, last.sync_id, token, attempt, resumed=True, approval=approval_of(last))


def _open(tx: Transaction, account: str, owner: Owner, timeout_hours: float) -> Lease:
    lease = Lease(account, uuid4(), uuid4(), attempt=1, resumed=False)
    opened = tx.run(
        f"""INSERT INTO emag_offer_syncs
               (sync_id, account_type, status, phase, lease_token, deadline_at, {", ".join(owner.columns)})
           VALUES (:sync, :account, 'running', 'planning', :token, now() + :hours * interval '1 hour',
                   {", ".join(f":{name}" for name in owner.columns)})
           ON CONFLICT DO NOTHING""",
        sync=lease.sync_id,
        account=account,
        token=lease.token,
        hours=timeout_hours,
        **owner.columns,
    )
    if opened.rowcount != 1:  # the partial unique index let one pass
        raise _taken(account, _SAME_INSTANT)
    return lease


def held_by(database: Database, account: str, run_id: str) -> Lease:
    """The lease that this Dagster run took in an earlier step. Raises LeaseLost when it is gone."""
    with database.transaction() as tx:
        row = tx.run(
            """SELECT sync_id, lease_token, attempt, approved_at, approved_by FROM emag_offer_syncs
               WHERE account_type = :account AND dagster_run_id = :run AND status = 'running'""",
            account=account,
            run=run_id,
        ).one_or_none()
    if row is None:
        raise LeaseLost(
            "this run holds no lease",
            where=f"{account}, Dagster run {run_id}",
            why="its scan has ended, was refused, or was taken over",
            remedy="Start a new run of the whole job; it resumes what is staged",
        )
    return Lease(account, row.sync_id, row.lease_token, row.attempt, True, approval_of(row))


def read(database: Database, sync_id: UUID) -> Row[Any]:
    """One sync's ledger row."""
    with database.transaction() as tx:
        return read_in(tx, sync_id)


def read_in(tx: Transaction, sync_id: UUID) -> Row[Any]:
    """One sync's ledger row, as the transaction sees it."""
    return tx.run(f"SELECT {_COLUMNS} FROM emag_offer_syncs WHERE sync_id = :sync", sync=sync_id).one()


def last_count(database: Database, account: str) -> int | None:
    """How many offers the marketplace counted at the account's last reading that counted them; None before any."""
    with database.transaction(timeout_seconds=5) as tx:
        count: int | None = tx.run(
            """SELECT offers_expected FROM emag_offer_syncs
               WHERE account_type = :account AND offers_expected IS NOT NULL ORDER BY sync_number DESC LIMIT 1""",
            account=account,
        ).scalar_one_or_none()
    return count


def newest_refused(tx: Transaction, sync_id: UUID) -> Row[Any] | None:
    """The sync, locked, if it is its account's newest, was refused by the audit and is still staged."""
    sync = tx.run(
        f"""SELECT {_COLUMNS} FROM emag_offer_syncs s
            WHERE sync_id = :sync AND status = 'failed' AND error_class = 'RefusedError' AND discarded_at IS NULL
              AND phase = 'auditing'
              AND sync_number = (SELECT max(sync_number) FROM emag_offer_syncs n
                                WHERE n.account_type = s.account_type)
            FOR UPDATE""",
        sync=sync_id,
    ).one_or_none()
    is_staged = sync is not None and sync.windows_staged == durable_windows(tx, sync_id, sync.account_type)
    return sync if is_staged else None


def note_approval(tx: Transaction, sync_id: UUID, by: str) -> None:
    """Let the next attempt resume a refused sync."""
    tx.run(
        # after the refusal, also where the clock was set back since
        """UPDATE emag_offer_syncs
           SET approved_at = greatest(now(), completed_at + interval '1 microsecond'), approved_by = :by
           WHERE sync_id = :sync""",
        sync=sync_id,
        by=by,
    )


def hold(tx: Transaction, lease: Lease) -> None:
    """Prove the lease and keep it from being taken over until this transaction ends; heartbeats still pass."""
    row = tx.run(
        """SELECT 1 FROM emag_offer_syncs
           WHERE sync_id = :sync AND lease_token = :token AND status = 'running' FOR KEY SHARE""",
        sync=lease.sync_id,
        token=lease.token,
    ).one_or_none()
    if row is None:
        raise lease.lost()


def change(tx: Transaction, lease: Lease, assignments: str, /, **parameters: Any) -> None:
    """Update the lease's own row, which also counts as progress. Raises LeaseLost when it is not ours."""
    changed = tx.run(
        f"""UPDATE emag_offer_syncs
            SET heartbeat_at = clock_timestamp(), progressed_at = clock_timestamp(), {assignments}
            WHERE sync_id = :sync AND lease_token = :token AND status = 'running'""",
        sync=lease.sync_id,
        token=lease.token,
        **parameters,
    )
    if changed.rowcount != 1:
        raise lease.lost()


def beat(database: Database, lease: Lease, obstacle: str = "") -> None:
    """Say that the process lives, and what keeps it waiting. Raises LeaseLost when the row is no longer ours."""
    with database.transaction(timeout_seconds=30) as tx:
        changed = tx.run(
            """UPDATE emag_offer_syncs SET heartbeat_at = clock_timestamp(), obstacle = nullif(:obstacle, '')
               WHERE sync_id = :sync AND lease_token = :token AND status = 'running'""",
            obstacle=obstacle,
            sync=lease.sync_id,
            token=lease.token,
        )
        if changed.rowcount != 1:
            raise lease.lost()


def was_refused(database: Database, lease: Lease) -> bool:
    """Whether the audit of this very attempt has refused the scan."""
    with database.transaction(timeout_seconds=30) as tx:
        return bool(
            tx.run(
                """SELECT EXISTS (SELECT FROM emag_offer_syncs
                                  WHERE sync_id = :sync AND lease_token = :token AND status = 'failed'
                                    AND error_class = 'RefusedError')""",
                sync=lease.sync_id,
                token=lease.token,
            ).scalar_one()
        )


def end(database: Database, lease: Lease, status: str, *, error_class: str, message: str, remedy: str) -> bool:
    """Free the lease with the reason. Returns whether the row was still ours to end."""
    with database.transaction(timeout_seconds=30) as tx:
        owned = tx.run(
            """SELECT 1 FROM emag_offer_syncs
               WHERE sync_id = :sync AND lease_token = :token AND status = 'running' FOR UPDATE""",
            sync=lease.sync_id,
            token=lease.token,
        ).one_or_none()
        if owned is None:
            return False
        end_locked(tx, lease.sync_id, status, error_class=error_class, message=message, remedy=remedy)
        return True


def end_locked(tx: Transaction, sync_id: UUID, status: str, *, error_class: str, message: str, remedy: str) -> None:
    """End a sync whose row this transaction holds FOR UPDATE: the lease is free, its token is worth nothing now."""
    tx.run(
        """UPDATE emag_offer_syncs
           SET status = :status, completed_at = clock_timestamp(), obstacle = NULL, error_class = :error_class,
               error_message = :message, error_remedy = :remedy
           WHERE sync_id = :sync AND status = 'running'""",
        sync=sync_id,
        status=status,
        error_class=error_class,
        message=message,
        remedy=remedy,
    )
