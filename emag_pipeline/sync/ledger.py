"""The ledger records what each sync did and how it ended, one row per sync. It changes only by these transitions:

    (none) ── open ──▶ running ── complete ──▶ completed
                        ▲   └──── end ──▶ failed · timeout · cancelled ── approve, discard (once refused; at any time)
                        └────── resume ─────────┘
    while running: planning ── plan ──▶ scanning ⇄ confirming ── audit ──▶ auditing ── accept ──▶ publishing

The lease is a token in the running row; there is at most one such row per account (`sync.lease` takes it). Writers
check it in the transaction that writes. Three kinds of locks on that row make this safe:

- staging and counters UPDATE the row with the token in the WHERE clause: no match means the lease is lost;
- the publish holds the row FOR KEY SHARE, which does not block heartbeats (plain updates);
- ending or taking over a lease locks the row FOR UPDATE. The lease's owner waits for the other locks and then sees
  their result; others (`lease.take_lease`, `liveness.locked`) do not wait: a row that is being written is alive.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import simplejson

from emag_pipeline.errors import LeaseLost
from emag_pipeline.store import OperationalError
from emag_pipeline.store.engine import Database
from emag_pipeline.store.rows import rows_of
from emag_pipeline.store.sql import statements
from emag_pipeline.store.transaction import Transaction
from emag_pipeline.wording import minute

_SQL = statements("sync/ledger.sql")


class SyncStatus(StrEnum):
    """The status of a sync; the values of the ledger's column."""

    RUNNING = "running"
    #: published
    COMPLETED = "completed"
    FAILED = "failed"
    #: its deadline passed (EMAG_SYNC_TIMEOUT_HOURS)
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"

    @property
    def has_ended_unpublished(self) -> bool:
        """It ended without a publish, so it may be resumed."""
        return self.has_failed or self is SyncStatus.CANCELLED

    @property
    def has_failed(self) -> bool:
        """It ended without a publish, and was not cancelled."""
        return self in (SyncStatus.FAILED, SyncStatus.TIMEOUT)


class SyncPhase(StrEnum):
    """The phase of a running sync, or the last phase of an ended one."""

    PLANNING = "planning"
    SCANNING = "scanning"
    #: reading missing offers by id
    CONFIRMING = "confirming"
    AUDITING = "auditing"
    PUBLISHING = "publishing"


@dataclass(frozen=True, slots=True)
class Approval:
    """A person's approval of a scan that the audit refused (`emag-pipeline approve`); `at` is UTC."""

    sync_id: UUID
    by: str
    at: datetime

    @classmethod
    def of(cls, sync_id: UUID | None, by: str | None, at: datetime | None) -> "Approval | None":
        """From the ledger's columns; None without a sync or an approval."""
        return None if sync_id is None or at is None else cls(sync_id, by or "somebody", at)

    @property
    def words(self) -> str:
        """E.g. `approved by ana at 2026-03-01 04:00 UTC (sync …)`."""
        return f"approved by {self.by} at {minute(self.at)} (sync {self.sync_id})"


@dataclass(frozen=True, slots=True)
class Sync:
    """A row of the ledger; docs/data-dictionary.md documents the columns. Times are UTC."""

    sync_id: UUID
    #: orders the syncs of all accounts, even if the clock was set back
    sync_number: int
    account: str
    status: SyncStatus
    phase: SyncPhase
    attempt: int
    round: int
    dagster_run_id: str | None
    lease_token: UUID
    started_at: datetime
    attempt_started_at: datetime
    progressed_at: datetime
    completed_at: datetime | None
    deadline_at: datetime
    #: the deadline has not passed, by the database's clock
    is_in_time: bool
    pages_expected: int | None
    pages_done: int
    windows_staged: int
    offers_expected: int | None
    total_offers_processed: int
    offers_created: int
    offers_updated: int
    offers_unchanged: int
    offers_deleted: int
    offers_rejected: int
    worked_seconds: float
    #: the numbers of `figures.ScanFigures`; None before the end of the scan
    proof: Mapping[str, Any] | None
    error_class: str | None
    error_message: str | None
    error_remedy: str | None
    approved_at: datetime | None
    approved_by: str | None
    discarded_at: datetime | None

    @property
    def approval(self) -> Approval | None:
        """The approval of a person, if the audit refused the scan."""
        return Approval.of(self.sync_id, self.approved_by, self.approved_at)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write for one account, while the ledger's row carries the token."""

    account: str
    sync_id: UUID
    token: UUID
    attempt: int
    #: this attempt continues with the durable pages of an earlier one
    resumed: bool
    #: the approval of a person, if the audit refused the scan
    approval: Approval | None = None

    @property
    def approved(self) -> bool:
        """Whether a person approved the refused scan."""
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
            remedy="No action needed: durable pages are kept, and the other run continues",
        )


class WrongTransition(Exception):
    """A transition that the sync's status or phase does not allow: a bug in the caller."""


class StillWriting(Exception):
    """The ledger's row is locked by the sync's publish or another of its writes, so the sync is alive."""


# Reading.


def read(database: Database, sync_id: UUID) -> Sync:
    """One sync."""
    with database.transaction() as tx:
        return read_in(tx, sync_id)


def read_in(tx: Transaction, sync_id: UUID) -> Sync:
    """One sync, read in this transaction."""
    [sync] = _syncs(tx, "WHERE sync_id = :sync", sync=sync_id)
    return sync


def newest(tx: Transaction, account: str, limit: int = 1) -> list[Sync]:
    """The account's latest syncs, newest first."""
    return _syncs(
        tx, "WHERE account_type = :account ORDER BY sync_number DESC LIMIT :limit", account=account, limit=limit
    )


def last_count(database: Database, account: str) -> int | None:
    """The marketplace's count of offers at the account's last sync that read it; None before any."""
    with database.transaction(timeout_seconds=5) as tx:
        count: int | None = tx.run(_SQL["last_count"], account=account).scalar_one_or_none()
    return count


def newest_refused(tx: Transaction, sync_id: UUID) -> Sync | None:
    """The sync, locked, if it is its account's newest, was refused by the audit and is still staged."""
    for sync in _syncs(tx, _SQL["newest_refused"], sync=sync_id):
        if sync.windows_staged == durable_windows(tx, sync_id, sync.account):
            return sync
    return None


def locked(tx: Transaction, sync_id: UUID) -> Sync | None:
    """The sync, locked against being ended, resumed or approved; None if there is none. Raises StillWriting."""
    with at_once():
        return next(iter(_syncs(tx, "WHERE sync_id = :sync FOR UPDATE NOWAIT", sync=sync_id)), None)


@contextmanager
def at_once() -> Iterator[None]:
    """For NOWAIT locks: raises StillWriting if a row is locked by another transaction."""
    try:
        yield
    except OperationalError as error:
        if getattr(error.orig, "pgcode", None) != "55P03":  # lock_not_available
            raise
        raise StillWriting from error


def durable_windows(tx: Transaction, sync_id: UUID, account: str) -> int:
    """The number of staged windows of a sync. Staging is unlogged, so a crash of the server empties it."""
    return int(tx.run(_SQL["durable_windows"], account=account, sync=sync_id).scalar_one())


def pages_left(tx: Transaction, sync_id: UUID, account: str) -> int:
    """The number of pages that the next attempt can continue with: 0 if a crash of the server has lost some."""
    return int(tx.run(_SQL["pages_left"], account=account, sync=sync_id).scalar() or 0)


def held_by(database: Database, account: str, run_id: str) -> Lease:
    """The lease that this Dagster run took in an earlier step. Raises LeaseLost if it no longer holds one."""
    which = "WHERE account_type = :account AND dagster_run_id = :run AND status = 'running'"
    with database.transaction() as tx:
        for sync in _syncs(tx, which, account=account, run=run_id):
            return Lease(account, sync.sync_id, sync.lease_token, sync.attempt, True, sync.approval)
    raise LeaseLost(
        "this run holds no lease",
        where=f"{account}, Dagster run {run_id}",
        why="its scan has ended, was refused, or was taken over",
        remedy="Start a new run of the whole job; it resumes the staged pages",
    )


def was_refused(database: Database, lease: Lease) -> bool:
    """Whether the audit of this attempt has refused the scan."""
    with database.transaction(timeout_seconds=30) as tx:
        return bool(tx.run(_SQL["was_refused"], sync=lease.sync_id, token=lease.token).scalar_one())


def _syncs(tx: Transaction, which: str, **parameters: Any) -> list[Sync]:
    return rows_of(tx.run(f"{_SQL['sync']}\n{which}", **parameters), Sync)


# Transitions under the lease. Each raises LeaseLost if the lease is lost, WrongTransition in a wrong phase.


def hold(tx: Transaction, lease: Lease) -> None:
    """Check the lease and prevent a takeover until this transaction ends; heartbeats are not blocked."""
    if tx.run(_SQL["hold"], sync=lease.sync_id, token=lease.token).one_or_none() is None:
        raise lease.lost()


def beat(database: Database, lease: Lease, obstacle: str = "") -> None:
    """Record that the process is alive, and what it is waiting for."""
    with database.transaction(timeout_seconds=30) as tx:
        _change(tx, lease, "beat", obstacle=obstacle)


def plan(tx: Transaction, lease: Lease, *, pages: int, offers: int, seconds: float) -> datetime:
    """Begin the scan: record what is expected and reset progress. The sync has at least `seconds` from now.

    Returns its deadline.
    """
    _change(tx, lease, "plan", pages=pages, offers=offers, seconds=seconds)
    return read_in(tx, lease.sync_id).deadline_at


def add_windows(
    tx: Transaction, lease: Lease, windows: int, *, rejects: int, done: int, expected: int, rows: int, reading: int
) -> None:
    """Add staged windows and their rejects; `done` of the `expected` pages and `rows` are staged in total."""
    _change(
        tx, lease, "add_windows", windows=windows, rejects=rejects, done=done, expected=expected, rows=rows,
        reading=reading,
    )  # fmt: skip


def set_windows(tx: Transaction, lease: Lease, windows: int) -> None:
    """Set the number of staged windows, after a crash of the server has lost some."""
    _change(tx, lease, "set_windows", windows=windows)


def confirm(tx: Transaction, lease: Lease) -> None:
    """All pages are read: begin to read missing offers by id."""
    _change(tx, lease, "confirm")


def add_rejects(tx: Transaction, lease: Lease, rejects: int) -> None:
    """Add rows quarantined by reads by id, possibly none."""
    _change(tx, lease, "add_rejects", rejects=rejects)


def end_scan(tx: Transaction, lease: Lease, found: Mapping[str, Any]) -> None:
    """Record the scan's findings that are not in staging (`figures.OF_THE_SCAN`)."""
    _change(tx, lease, "end_scan", proof=simplejson.dumps(found))


def audit(tx: Transaction, lease: Lease) -> None:
    """The scan has ended; begin the audit."""
    _change(tx, lease, "audit")


def accept(tx: Transaction, lease: Lease, proof: Mapping[str, Any]) -> None:
    """The audit accepted the scan."""
    _change(tx, lease, "accept", proof=simplejson.dumps(proof))


def refuse(tx: Transaction, lease: Lease, proof: Mapping[str, Any]) -> None:
    """Record the numbers of a refused scan for the person who decides; `end` follows."""
    _change(tx, lease, "refuse", proof=simplejson.dumps(proof))


def complete(
    tx: Transaction,
    lease: Lease,
    *,
    number: int,
    at: datetime,
    created: int,
    updated: int,
    unchanged: int,
    deleted: int,
) -> None:
    """The scan is published by this transaction."""
    counts = {"created": created, "updated": updated, "unchanged": unchanged, "deleted": deleted}
    _change(tx, lease, "complete", account=lease.account, number=number, at=at, **counts)


def end(database: Database, lease: Lease, status: SyncStatus, *, error_class: str, message: str, remedy: str) -> bool:
    """End the sync with the reason and release the lease. Returns False if the lease was already lost."""
    with database.transaction(timeout_seconds=30) as tx:
        owned = tx.run(_SQL["hold_to_end"], sync=lease.sync_id, token=lease.token).one_or_none()
        if owned is None:
            return False
        end_locked(tx, lease.sync_id, status, error_class=error_class, message=message, remedy=remedy)
        return True


def _change(tx: Transaction, lease: Lease, transition: str, **parameters: Any) -> None:
    held = {"sync": lease.sync_id, "token": lease.token}
    if tx.run(_SQL[transition], **held, **parameters).rowcount == 1:
        return
    phase = tx.run(_SQL["phase"], **held).scalar_one_or_none()
    raise lease.lost() if phase is None else WrongTransition(f"{lease.where}: {transition} in the phase {phase}")


# Transitions from outside. The caller holds the row FOR UPDATE.


def end_locked(
    tx: Transaction, sync_id: UUID, status: SyncStatus, *, error_class: str, message: str, remedy: str
) -> None:
    """End a running sync unpublished: the lease is free, its token becomes invalid."""
    if not SyncStatus(status).has_ended_unpublished:
        raise WrongTransition(f"sync {sync_id}: no sync ends as {status} here")
    tx.run(_SQL["end"], sync=sync_id, status=status, error_class=error_class, message=message, remedy=remedy)


def approve(tx: Transaction, sync_id: UUID, by: str) -> None:
    """Let the next attempt resume and publish a refused sync. Raises WrongTransition for any other."""
    if tx.run(_SQL["approve"], sync=sync_id, by=by).rowcount != 1:
        raise WrongTransition(f"sync {sync_id}: it was not refused, or was discarded since")


def discard(tx: Transaction, sync_id: UUID, by: str) -> None:
    """Prevent a sync that ended unpublished from being resumed or approved; no change if already discarded."""
    tx.run(_SQL["discard"], sync=sync_id, by=by)
