"""How the accounts stand, for people and programs: last publish, running sync, last error."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from emag_pipeline.store import Row
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.ledger import Approval, approval_of, pages_left


@dataclass(frozen=True, slots=True)
class LastError:
    """Why the newest sync that ended did not publish. `is_discarded`: its pages are gone, the next one reads anew."""

    sync_id: UUID
    error_class: str
    message: str
    remedy: str
    #: when it ended
    at: datetime
    #: what the next run goes on with, or a person may approve or discard
    pages_staged: int
    is_discarded: bool


@dataclass(frozen=True, slots=True)
class SyncProgress:
    """How far a sync is, by its ledger row. Times are UTC; `silent_seconds` is since its last heartbeat."""

    sync_id: UUID
    account: str
    status: str
    phase: str
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
    #: since this attempt began; of all attempts so far, without the time between them
    elapsed_seconds: float
    worked_seconds: float
    silent_seconds: float
    #: since the oldest page was read that it goes on with or has published; None where it began without one
    oldest_page_seconds: float | None
    is_approved: bool
    error_class: str | None
    error_message: str | None
    error_remedy: str | None
    #: how many pages the next attempt goes on with: none that a crash of the server has taken
    pages_left: int = 0
    #: a person threw its staged pages away
    is_discarded: bool = False
    #: what keeps a running one waiting: the newest call that failed and when it is tried again
    obstacle: str | None = None
    #: how long it may take in all
    allowed_seconds: float = 0.0
    #: when a person accepted what the audit refused, and who
    approved_at: datetime | None = None
    approved_by: str | None = None
    #: when it ended; None while it runs
    completed_at: datetime | None = None
    #: offers that pages did not show and that were asked for by their id, while that is done; None where nobody may see
    asked_by_id: int | None = None


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """One account as an operator asks after it. `age_seconds`: since the oldest page of the last publish was read;
    `published_seconds_ago`: since that publish; `scan_seconds`: what it took. All are None before the first one.

    `quarantined` are the rows that the newest sync put into quarantine, also those of offers that were never published;
    `flagged` the published offers that keep their last good state because their newest reading is in quarantine.
    """

    account: str
    state: str
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
    running: SyncProgress | None
    #: the audit refused the newest sync and a person approved it: the next run publishes it
    awaits_publish: bool
    last_error: LastError | None
    #: that a person accepted what the audit refused: of the last publish, or of the refused sync that awaits its own
    approval: Approval | None = None


#: The state of an account without a sync.
NEVER_SYNCED = "never synced"

_PROGRESS = """
    SELECT sync_id, account_type AS account, status, phase, attempt, round, dagster_run_id, started_at,
           pages_expected, pages_done, windows_staged, offers_expected, total_offers_processed AS offers_done,
           offers_created, offers_updated, offers_unchanged, offers_deleted, offers_rejected,
           extract(epoch FROM coalesce(completed_at, clock_timestamp()) - attempt_started_at)::float8
               AS elapsed_seconds,
           -- the publish has added its attempt, a resume those before it
           (worked_seconds + CASE WHEN status = 'completed' THEN 0 ELSE greatest(
               0, extract(epoch FROM coalesce(completed_at, clock_timestamp()) - attempt_started_at)) END)::float8
               AS worked_seconds,
           extract(epoch FROM clock_timestamp() - heartbeat_at)::float8 AS silent_seconds,
           extract(epoch FROM clock_timestamp() - oldest_page_at)::float8 AS oldest_page_seconds,
           approved_at IS NOT NULL AND discarded_at IS NULL
               AND (completed_at IS NULL OR approved_at > completed_at) AS is_approved,
           approved_at, approved_by, completed_at,
           error_class, error_message, error_remedy, discarded_at IS NOT NULL AS is_discarded, obstacle,
           extract(epoch FROM deadline_at - started_at)::float8 AS allowed_seconds
    FROM emag_offer_syncs
"""

_ASKED = "SELECT count(*) FROM emag_scan_confirmations WHERE account_type = :account AND sync_id = :sync"

_ACCOUNTS = """
    SELECT a.account,
           published.completed_at AS last_publish_at, published.oldest_page_at,
           extract(epoch FROM clock_timestamp() - published.oldest_page_at)::float8 AS age_seconds,
           extract(epoch FROM clock_timestamp() - published.completed_at)::float8 AS published_seconds_ago,
           published.worked_seconds AS scan_seconds, published.sync_id, published.approved_at, published.approved_by,
           coalesce(f.offers, 0) AS offers, coalesce(f.saleable, 0) AS saleable,
           coalesce(f.deleted, 0) AS deleted, coalesce(f.quarantined, 0) AS flagged,
           (SELECT count(*) FROM emag_offer_rejects r
            WHERE r.sync_id = newest.sync_id) AS quarantined
    FROM unnest(CAST(:accounts AS text[])) WITH ORDINALITY AS a(account, place)
    LEFT JOIN LATERAL (
        SELECT sync_id FROM emag_offer_syncs s
        WHERE s.account_type = a.account ORDER BY sync_number DESC LIMIT 1
    ) newest ON true
    LEFT JOIN LATERAL (
        SELECT sync_id, completed_at, oldest_page_at, worked_seconds, approved_at, approved_by
        FROM emag_offer_syncs s
        WHERE s.account_type = a.account AND s.status = 'completed' ORDER BY sync_number DESC LIMIT 1
    ) published ON true
    LEFT JOIN emag_account_figures f ON f.account_type = a.account
    ORDER BY a.place
"""


def sync_progress(
    database: Database, account: str, run_id: str | None = None, *, sees_staging: bool = True
) -> SyncProgress | None:
    """The account's newest sync, or the one that a Dagster run worked on.

    Whoever asks as a reader cannot see staging: nothing is known then of what the next attempt goes on with.
    """
    with database.transaction(timeout_seconds=30) as tx:
        row = tx.run(
            _PROGRESS
            + """ WHERE account_type = :account AND (CAST(:run AS text) IS NULL OR dagster_run_id = :run)
                  ORDER BY sync_number DESC LIMIT 1""",
            account=account,
            run=run_id,
        ).one_or_none()
        if row is None:
            return None
        goes_on = sees_staging and row.status != "completed"
        left = pages_left(tx, row, account) if goes_on else 0
        is_confirming = goes_on and (row.status, row.phase) == ("running", "confirming")
        asked = tx.run(_ASKED, account=account, sync=row.sync_id).scalar_one() if is_confirming else None
    told = {name: value for name, value in row._mapping.items() if name in SyncProgress.__slots__}
    return SyncProgress(**told, pages_left=left, asked_by_id=asked)


def account_statuses(database: Database, accounts: Sequence[str], *, sees_staging: bool = True) -> list[AccountStatus]:
    """The state of each account, in the order asked for; an account that never ran is `never synced`.

    `sees_staging` as for `sync_progress`.
    """
    with database.transaction(timeout_seconds=60) as tx:
        rows = tx.run(_ACCOUNTS, accounts=list(accounts)).all()
    return [_status(row, sync_progress(database, row.account, sees_staging=sees_staging)) for row in rows]


def _status(row: Row[Any], newest: SyncProgress | None) -> AccountStatus:
    running = newest if newest is not None and newest.status == "running" else None
    failed = newest is not None and newest.status in ("failed", "timeout", "cancelled")
    awaits_publish = failed and newest is not None and newest.is_approved
    return AccountStatus(
        account=row.account,
        state=NEVER_SYNCED if newest is None else newest.status,
        last_publish_at=row.last_publish_at,
        oldest_page_at=row.oldest_page_at,
        age_seconds=row.age_seconds,
        published_seconds_ago=row.published_seconds_ago,
        scan_seconds=row.scan_seconds,
        offers=row.offers,
        saleable=row.saleable,
        deleted=row.deleted,
        quarantined=row.quarantined,
        flagged=row.flagged,
        running=running,
        awaits_publish=awaits_publish,
        last_error=_last_error(newest) if failed and newest is not None else None,
        approval=approval_of(newest if awaits_publish else row),
    )


def _last_error(sync: SyncProgress) -> LastError:
    message, remedy = sync.error_message or "", sync.error_remedy or ""
    if sync.is_discarded:
        remedy = "Its staged pages were discarded: the next run reads the catalogue anew"
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
