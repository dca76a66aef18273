"""The ledger: what each sync did and how it ended, one row per sync. It changes by the transitions below only.

    (none) ── open ──▶ running ── complete ──▶ completed
                        ▲   └──── end ──▶ failed · timeout · cancelled ── approve, discard (once refused; at any time)
                        └────── resume ─────────┘
    while running: planning ── plan ──▶ scanning ⇄ confirming ── audit ──▶ auditing ── accept ──▶ publishing

The lease is a token in the running row; there is at most one such row per account (`sync.lease` takes it). Writers
prove it in the transaction that writes. Three locks on that row keep this exact:

- staging and counters UPDATE the row with the token in the WHERE clause: no match means the lease is lost;
- the publish holds the row FOR KEY SHARE, which lets heartbeats (plain updates) pass;
- whoever ends or takes over a lease holds it FOR UPDATE: its owner waits for both and sees what they left, others
  (`lease.take_lease`, `liveness.locked`) do not wait: a row that is being written is alive.
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

_SQL = statements("sync/ledger.sql")


class SyncStatus(StrEnum):
    """How a sync is, or how it ended. The values are those of the ledger's column."""

    RUNNING = "running"
    #: published
    COMPLETED = "completed"
    FAILED = "failed"
    #: its time was over (EMAG_SYNC_TIMEOUT_HOURS)
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"

    @property
    def has_ended_unpublished(self) -> bool:
        """It ended, and readers see nothing of it. It may be resumed."""
        return self.has_failed or self is SyncStatus.CANCELLED

    @property
    def has_failed(self) -> bool:
        """It ended unpublished, and not because somebody wanted it to."""
        return self in (SyncStatus.FAILED, SyncStatus.TIMEOUT)


class SyncPhase(StrEnum):
    """What a running sync does, or what it did when it ended."""

    PLANNING = "planning"
    SCANNING = "scanning"
    #: asking for missing offers by their id
    CONFIRMING = "confirming"
    AUDITING = "auditing"
    PUBLISHING = "publishing"


@dataclass(frozen=True, slots=True)
class Approval:
    """That a person accepted a scan which the audit refused (`emag-pipeline approve`); `at` is UTC."""

    sync_id: UUID
    by: str
    at: datetime

    @classmethod
    def of(cls, sync_id: UUID | None, by: str | None, at: datetime | None) -> "Approval | None":
        """By the ledger's columns; None where nobody has approved the sync, or where there is none."""
        return None if sync_id is None or at is None else cls(sync_id, by or "somebody", at)

    @property
    def words(self) -> str:
        """E.g. `approved by ana at 2026-03-01 04:00 UTC (sync …)`."""
        return f"approved by {self.by} at {self.at:%Y-%m-%d %H:%M} UTC (sync {self.sync_id})"


@dataclass(frozen=True, slots=True)
class Sync:
    """A row of the ledger; what the columns mean is documented in docs/data-dictionary.md. Times are UTC."""

    sync_id: UUID
    #: orders the syncs of all accounts, also where the clock was set back
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
    #: the deadline is ahead, by the database's clock
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
    #: the numbers of `figures.ScanFigures`; None where it did not come that far
    proof: Mapping[str, Any] | None
    error_class: str | None
    error_message: str | None
    error_remedy: str | None
    approved_at: datetime | None
    approved_by: str | None
    discarded_at: datetime | None

    @property
    def approval(self) -> Approval | None:
        """That a person accepted what the audit refused."""
        return Approval.of(self.sync_id, self.approved_by, self.approved_at)


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
            remedy="No action needed: what was durable stays, the other run goes on",
        )


class WrongTransition(Exception):
    """A transition that the sync's status or phase does not allow: a defect of the caller."""


class StillWriting(Exception):
    """The ledger's row cannot be had at once: its publish, or another write of the sync, holds it. It lives."""


# Reading.


def read(database: Database, sync_id: UUID) -> Sync:
    """One sync."""
    with database.transaction() as tx:
        return read_in(tx, sync_id)


def read_in(tx: Transaction, sync_id: UUID) -> Sync:
    """One sync, as the transaction sees it."""
    [sync] = _syncs(tx, "WHERE sync_id = :sync", sync=sync_id)
    return sync


def newest(tx: Transaction, account: str, limit: int = 1) -> list[Sync]:
    """The account's newest syncs, the newest first."""
    return _syncs(
        tx, "WHERE account_type = :account ORDER BY sync_number DESC LIMIT :limit", account=account, limit=limit
    )


def last_count(database: Database, account: str) -> int | None:
    """How many offers the marketplace counted at the account's last reading that counted them; None before any."""
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
    """The sync, kept from whoever would end, resume or approve it; None if there is none. Raises StillWriting."""
    with at_once():
        return next(iter(_syncs(tx, "WHERE sync_id = :sync FOR UPDATE NOWAIT", sync=sync_id)), None)


@contextmanager
def at_once() -> Iterator[None]:
    """Lock rows NOWAIT within. Raises StillWriting where somebody holds one."""
    try:
        yield
    except OperationalError as error:
        if getattr(error.orig, "pgcode", None) != "55P03":  # lock_not_available
            raise
        raise StillWriting from error


def durable_windows(tx: Transaction, sync_id: UUID, account: str) -> int:
    """How many windows of an account's sync are in staging: it is unlogged, so a crash of the server empties it."""
    return int(tx.run(_SQL["durable_windows"], account=account, sync=sync_id).scalar_one())


def pages_left(tx: Transaction, sync_id: UUID, account: str) -> int:
    """How many pages the next attempt of a sync goes on with: none where a crash of the server has taken of them."""
    return int(tx.run(_SQL["pages_left"], account=account, sync=sync_id).scalar() or 0)


def held_by(database: Database, account: str, run_id: str) -> Lease:
    """The lease that this Dagster run took in an earlier step. Raises LeaseLost when it is gone."""
    which = "WHERE account_type = :account AND dagster_run_id = :run AND status = 'running'"
    with database.transaction() as tx:
        for sync in _syncs(tx, which, account=account, run=run_id):
            return Lease(account, sync.sync_id, sync.lease_token, sync.attempt, True, sync.approval)
    raise LeaseLost(
        "this run holds no lease",
        where=f"{account}, Dagster run {run_id}",
        why="its scan has ended, was refused, or was taken over",
        remedy="Start a new run of the whole job; it resumes what is staged",
    )


def was_refused(database: Database, lease: Lease) -> bool:
    """Whether the audit of this very attempt has refused the scan."""
    with database.transaction(timeout_seconds=30) as tx:
        return bool(tx.run(_SQL["was_refused"], sync=lease.sync_id, token=lease.token).scalar_one())


def _syncs(tx: Transaction, which: str, **parameters: Any) -> list[Sync]:
    return rows_of(tx.run(f"{_SQL['sync']}\n{which}", **parameters), Sync)


# Under the lease. Each raises LeaseLost when the row is no longer ours, WrongTransition in a phase that is not its.


def hold(tx: Transaction, lease: Lease) -> None:
    """Prove the lease and keep it from being taken over until this transaction ends; heartbeats still pass."""
    if tx.run(_SQL["hold"], sync=lease.sync_id, token=lease.token).one_or_none() is None:
        raise lease.lost()


def beat(database: Database, lease: Lease, obstacle: str = "") -> None:
    """Say that the process lives, and what keeps it waiting."""
    with database.transaction(timeout_seconds=30) as tx:
        _change(tx, lease, "beat", obstacle=obstacle)


def plan(tx: Transaction, lease: Lease, *, pages: int, offers: int, seconds: float) -> datetime:
    """Begin to scan: what is expected, nothing done yet. The sync has so many seconds from now, or more.

    Returns until when it may go on.
    """
    _change(tx, lease, "plan", pages=pages, offers=offers, seconds=seconds)
    return read_in(tx, lease.sync_id).deadline_at


def add_windows(
    tx: Transaction, lease: Lease, windows: int, *, rejects: int, done: int, expected: int, rows: int, reading: int
) -> None:
    """Windows are staged, with rejects among their rows; then `done` of the `expected` pages, and `rows`, are there."""
    _change(
        tx, lease, "add_windows", windows=windows, rejects=rejects, done=done, expected=expected, rows=rows,
        reading=reading,
    )  # fmt: skip


def set_windows(tx: Transaction, lease: Lease, windows: int) -> None:
    """So many windows are left: a crash of the server has taken the others."""
    _change(tx, lease, "set_windows", windows=windows)


def confirm(tx: Transaction, lease: Lease) -> None:
    """All pages are read: missing offers are asked for by their id."""
    _change(tx, lease, "confirm")


def add_rejects(tx: Transaction, lease: Lease, rejects: int) -> None:
    """Reads by id have put so many rows into quarantine, or none."""
    _change(tx, lease, "add_rejects", rejects=rejects)


def end_scan(tx: Transaction, lease: Lease, found: Mapping[str, Any]) -> None:
    """Keep what the scan has found beside what it has staged (`figures.OF_THE_SCAN`)."""
    _change(tx, lease, "end_scan", proof=simplejson.dumps(found))


def audit(tx: Transaction, lease: Lease) -> None:
    """The scan is over and being judged."""
    _change(tx, lease, "audit")


def accept(tx: Transaction, lease: Lease, proof: Mapping[str, Any]) -> None:
    """The audit lets the publish pass."""
    _change(tx, lease, "accept", proof=simplejson.dumps(proof))


def refuse(tx: Transaction, lease: Lease, proof: Mapping[str, Any]) -> None:
    """Keep the numbers of a refused scan for the person who decides; `end` follows."""
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
    """The scan is published with this transaction."""
    counts = {"created": created, "updated": updated, "unchanged": unchanged, "deleted": deleted}
    _change(tx, lease, "complete", account=lease.account, number=number, at=at, **counts)


def end(database: Database, lease: Lease, status: SyncStatus, *, error_class: str, message: str, remedy: str) -> bool:
    """Free the lease with the reason. Returns whether the row was still ours to end."""
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


# From outside. The caller holds the row FOR UPDATE.


def end_locked(
    tx: Transaction, sync_id: UUID, status: SyncStatus, *, error_class: str, message: str, remedy: str
) -> None:
    """End a running sync unpublished: the lease is free, its token is worth nothing now."""
    if not SyncStatus(status).has_ended_unpublished:
        raise WrongTransition(f"sync {sync_id}: no sync ends as {status} here")
    tx.run(_SQL["end"], sync=sync_id, status=status, error_class=error_class, message=message, remedy=remedy)


def approve(tx: Transaction, sync_id: UUID, by: str) -> None:
    """Let the next attempt resume and publish a refused sync. Raises WrongTransition for any other."""
    if tx.run(_SQL["approve"], sync=sync_id, by=by).rowcount != 1:
        raise WrongTransition(f"sync {sync_id}: it was not refused, or was discarded since")


def discard(tx: Transaction, sync_id: UUID, by: str) -> None:
    """Let nobody resume or approve a sync that ended unpublished; no change where it was discarded before."""
    tx.run(_SQL["discard"], sync=sync_id, by=by)
