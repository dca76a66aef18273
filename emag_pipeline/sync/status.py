"""The status of the accounts, for people and programs: last publish, running sync, last error."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from emag_pipeline.store.engine import Database
from emag_pipeline.store.rows import row_of, rows_of
from emag_pipeline.store.sql import statements
from emag_pipeline.sync.ledger import Approval, SyncPhase, SyncStatus, pages_left

_SQL = statements("sync/status.sql")
#: The state of an account without a sync.
NEVER_SYNCED = "never synced"


@dataclass(frozen=True, slots=True)
class LastError:
    """Why the newest sync ended unpublished. `is_discarded`: its pages are gone, the next one starts from scratch."""

    sync_id: UUID
    error_class: str
    message: str
    remedy: str
    #: when it ended
    at: datetime
    #: staged pages that the next run continues with, or that a person may approve or discard
    pages_staged: int
    is_discarded: bool


@dataclass(frozen=True, slots=True)
class SyncProgress:
    """The progress of a sync, from its ledger row. Times are UTC; `silent_seconds` is since its last heartbeat."""

    sync_id: UUID
    account: str
    status: SyncStatus
    phase: SyncPhase
    attempt: int
    round: int
    dagster_run_id: str | None
    started_at: datetime
    pages_expected: int | None
    pages_done: int
    offers_expected: int | None
    offers_done: int
    offers_created: int
    offers_updated: int
    offers_unchanged: int
    offers_deleted: int
    offers_rejected: int
    #: since this attempt began; and the sum over all attempts, without the time between them
    elapsed_seconds: float
    worked_seconds: float
    silent_seconds: float
    #: age of the oldest page that it resumed with or has published; None if it resumed without pages
    oldest_page_seconds: float | None
    is_approved: bool
    error_class: str | None
    error_message: str | None
    error_remedy: str | None
    #: number of pages that the next attempt can continue with: 0 if a crash of the server has lost some
    pages_left: int = 0
    #: a person discarded its staged pages
    is_discarded: bool = False
    #: what a running one is waiting for, e.g. the retry of a failed call
    obstacle: str | None = None
    #: its total time limit
    allowed_seconds: float = 0.0
    #: when a person approved the refused scan, and who
    approved_at: datetime | None = None
    approved_by: str | None = None
    #: when it ended; None while it runs
    completed_at: datetime | None = None
    #: number of missing offers read by id so far; only while that is in progress and if the user may read staging
    asked_by_id: int | None = None

    @property
    def approval(self) -> Approval | None:
        """The approval of a person, if the audit refused the scan."""
        return Approval.of(self.sync_id, self.approved_by, self.approved_at)


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """The status of an account. `age_seconds`: since the oldest page of the last publish was read;
    `published_seconds_ago`: since that publish; `scan_seconds`: its duration. All are None before the first one.

    `quarantined` are the rows that the newest sync quarantined, including those of offers that were never published;
    `flagged` the published offers that keep their last good state because their newest row is in quarantine.
    """

    account: str
    last_publish_at: datetime | None
    oldest_page_at: datetime | None
    age_seconds: float | None
    published_seconds_ago: float | None
    scan_seconds: float | None
    offers: int
    saleable: int
    deleted: int
    quarantined: int
    flagged: int
    #: the status of the newest sync
    state: str = NEVER_SYNCED
    running: SyncProgress | None = None
    #: the audit refused the newest sync and a person approved it: the next run publishes it
    awaits_publish: bool = False
    last_error: LastError | None = None
    #: the approval behind the last publish, or of the refused sync that awaits its publish
    approval: Approval | None = None

    @classmethod
    def published(
        cls, *, sync_id: UUID | None, approved_by: str | None, approved_at: datetime | None, **columns: Any
    ) -> "AccountStatus":
        """The published state of an account, from the ledger's columns."""
        return cls(approval=Approval.of(sync_id, approved_by, approved_at), **columns)


def sync_progress(
    database: Database, account: str, run_id: str | None = None, *, sees_staging: bool = True
) -> SyncProgress | None:
    """The account's newest sync, or the one that a Dagster run worked on.

    The role of readers cannot read staging (`sees_staging`): `pages_left` is 0 then.
    """
    which = """WHERE account_type = :account AND (CAST(:run AS text) IS NULL OR dagster_run_id = :run)
               ORDER BY sync_number DESC LIMIT 1"""
    with database.transaction(timeout_seconds=30) as tx:
        sync = row_of(tx.run(f"{_SQL['progress']}\n{which}", account=account, run=run_id), SyncProgress)
        if sync is None or not sees_staging or sync.status is SyncStatus.COMPLETED:
            return sync
        is_confirming = sync.status is SyncStatus.RUNNING and sync.phase is SyncPhase.CONFIRMING
        asked = tx.run(_SQL["asked_by_id"], account=account, sync=sync.sync_id).scalar_one() if is_confirming else None
        return replace(sync, pages_left=pages_left(tx, sync.sync_id, account), asked_by_id=asked)


def account_statuses(database: Database, accounts: Sequence[str], *, sees_staging: bool = True) -> list[AccountStatus]:
    """The status of each account, in the given order; an account that never ran is `never synced`.

    `sees_staging` as for `sync_progress`.
    """
    with database.transaction(timeout_seconds=60) as tx:
        published = rows_of(tx.run(_SQL["published"], accounts=list(accounts)), AccountStatus.published)
    return [_with(one, sync_progress(database, one.account, sees_staging=sees_staging)) for one in published]


def _with(status: AccountStatus, newest: SyncProgress | None) -> AccountStatus:
    """The published state of an account with its newest sync added."""
    if newest is None:
        return status
    if not newest.status.has_ended_unpublished:
        return replace(status, state=newest.status, running=newest if newest.status is SyncStatus.RUNNING else None)
    return replace(
        status,
        state=newest.status,
        awaits_publish=newest.is_approved,
        last_error=_last_error(newest),
        approval=newest.approval if newest.is_approved else status.approval,
    )


def _last_error(sync: SyncProgress) -> LastError:
    message, remedy = sync.error_message or "", sync.error_remedy or ""
    if sync.is_discarded:
        remedy = "Its staged pages were discarded: the next run reads the catalogue from scratch"
    pages = 0 if sync.is_discarded else sync.pages_left
    return LastError(
        sync.sync_id,
        sync.error_class or "",
        message,
        remedy,
        sync.completed_at or sync.started_at,
        pages,
        sync.is_discarded,
    )
