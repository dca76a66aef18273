"""Publishes a scan that the audit accepted: the second half of a sync."""

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from math import ceil
from typing import Any

from emag_pipeline.errors import LeaseLost, RefusedError, StagingLost
from emag_pipeline.logs import logger
from emag_pipeline.store.columns import COMMERCIAL, NARROW, TEXTS, WIDE, YOUNG_NARROW, YOUNG_WIDE, hashed, listed
from emag_pipeline.store.engine import Database
from emag_pipeline.store.sql import filled, fragments, statements
from emag_pipeline.store.transaction import Transaction
from emag_pipeline.sync import figures, ledger, remembered, staging, staging_room, statistics
from emag_pipeline.sync import request_log as requests
from emag_pipeline.sync.attempt import attempt, retry_on_db_error
from emag_pipeline.sync.context import SyncContext
from emag_pipeline.sync.ledger import Lease, Sync, SyncPhase
from emag_pipeline.wording import counted

# The publish is one transaction: readers see the old state until it commits, and the new one after it (guarantee G1).

_SQL = "sync/publish.sql"
_ADOPT = ("adopt_history", "adopt_offers", "adopt_products")
_MERGE = (
    "close_history",
    "open_history",
    "update_offers",
    "create_offers",
    "update_products",
    "create_products",
    "delete_offers",
    "flag_rejected",
)
#: Up to this many changes are looked up quickly even without statistics on them.
_FEW = 100
#: Maximum number of offers per statement, since a statement for a million takes minutes.
_AT_ONCE = 250_000
_OF_BLOCKS = " AND s.ctid >= CAST(:first AS tid) AND s.ctid < CAST(:end AS tid)"
_LAST_BLOCK = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Published:
    """The changes of a publish, in offers, and what readers see since `published_at` (UTC)."""

    created: int
    updated: int
    unchanged: int
    deleted: int
    #: rows in quarantine
    quarantined: int
    #: all existing offers: created, updated, unchanged and flagged ones
    offers: int
    saleable: int
    #: offers that keep their last good state because their newest row is in quarantine
    flagged: int
    #: number of rows whose text digest was recorded
    remembered: int
    published_at: datetime


def publish(database: Database, lease: Lease) -> Published:
    """Merge an accepted scan into the published tables and complete the ledger, in one transaction.

    Raises LeaseLost if the lease is lost, RefusedError if no audit accepted the scan, StagingLost if the accepted rows
    are gone or the published rows they were compared with have changed.
    """
    with database.transaction() as tx:
        ledger.hold(tx, lease)
        sync = _accepted(tx, lease)
        scope = {"sync": lease.sync_id, "account": lease.account}
        scope["stamp"] = _run(tx, "stamp", scope).scalar_one()
        tx.expect(sync.total_offers_processed)
        statistics.require_staged(tx, lease.account, lease.sync_id)
        changes = _find_changes(tx, scope)
        if changes > _FEW:
            statistics.require_changes(tx, lease.account)
        _require_read(tx, lease, scope)
        for name in _MERGE:
            _run_in_parts(tx, name, scope, changes)
        of_rows = scope | {"formula": remembered.digest_formula()}
        noted = _run_in_parts(tx, "remember_rows", of_rows, sync.total_offers_processed)
        summary = _run(tx, "summarise", scope).one()
        totals = _run(tx, "totals", scope).one()
        unchanged = summary.staged - summary.created - summary.updated
        _run(tx, "await_turn", scope)
        number = _run(tx, "number", scope).one()
        ledger.complete(
            tx,
            lease,
            number=number.publish_number,
            at=number.published_at,
            created=summary.created,
            updated=summary.updated,
            unchanged=unchanged,
            deleted=summary.deleted,
        )
    return Published(
        created=summary.created,
        updated=summary.updated,
        unchanged=unchanged,
        deleted=summary.deleted,
        quarantined=sync.offers_rejected,
        offers=totals.offers,
        saleable=totals.saleable,
        flagged=totals.flagged,
        remembered=noted,
        published_at=number.published_at,
    )


def published_by(database: Database, lease: Lease) -> Published | None:
    """What this attempt has published, if its commit succeeded but the confirmation was lost; else None."""
    with database.transaction() as tx:
        row = tx.run(statements(_SQL)["published_by"], sync=lease.sync_id, token=lease.token).one_or_none()
    if row is None:
        return None
    return Published(
        created=row.offers_created,
        updated=row.offers_updated,
        unchanged=row.offers_unchanged,
        deleted=row.offers_deleted,
        quarantined=row.offers_rejected,
        offers=row.offers,
        saleable=row.saleable,
        flagged=row.flagged,
        remembered=0,
        published_at=row.completed_at,
    )


def _accepted(tx: Transaction, lease: Lease) -> Sync:
    sync = ledger.read_in(tx, lease.sync_id)
    if sync.phase is not SyncPhase.PUBLISHING:
        raise RefusedError(
            "nothing was published",
            where=lease.where,
            why=f"no audit has accepted the scan, it is in the phase {sync.phase}",
            remedy="Run the whole job, so that the audit runs between the scan and the publish",
        )
    staging.require_staging(tx, lease, sync.windows_staged)
    figures.require_answers(tx, lease, sync.proof or {})
    return sync


def _find_changes(tx: Transaction, scope: dict[str, Any]) -> int:
    """Fill emag_scan_changes. Returns the number of changes."""
    for name in ("forget_changes", "forget_repeats", "keep_last_good"):
        _run(tx, name, scope)
    changes: int = _run(tx, "find_changes", scope).rowcount
    if _run(tx, "is_to_adopt", scope).scalar_one():
        for name in (*_ADOPT, "forget_changes"):
            _run(tx, name, scope)
        changes = _run(tx, "find_changes", scope).rowcount
    return changes + int(_run(tx, "find_deletions", scope).rowcount)


def _require_read(tx: Transaction, lease: Lease, scope: dict[str, Any]) -> None:
    """Raise StagingLost if an offer has changed that was staged as unchanged, so without its columns."""
    if unread := _run(tx, "count_unread", scope).scalar_one():
        raise StagingLost(
            "the published offers are not those that the scan was compared with",
            where=lease.where,
            why=f"{counted(unread, 'offer')} changed since their page was read, but not by a publish",
            remedy="Nothing was published; the next run reads the catalogue from scratch",
        )


def _run_in_parts(tx: Transaction, name: str, scope: dict[str, Any], offers: int) -> int:
    """Run a statement, in several parts if it affects many offers. Returns the number of its rows."""
    parts = ceil(offers / _AT_ONCE)
    if parts <= 1 or "{part}" not in statements(_SQL)[name]:
        return int(_run(tx, name, scope).rowcount)
    blocks = staging_room.blocks(tx, "emag_scan_offers", scope["account"])
    step = max(1, ceil(blocks / parts))
    ends = [*range(step, step * parts, step), _LAST_BLOCK]
    rows = 0
    for first, end in pairwise([0, *ends]):
        bounds = {"first": f"({first},0)", "end": f"({end},0)"}
        rows += _run(tx, name, scope | bounds, part=_OF_BLOCKS).rowcount
    return rows


def _run(tx: Transaction, name: str, scope: dict[str, Any], *, part: str = "") -> Any:
    sql = filled(statements(_SQL)[name], {**_WORDS, "part": part})
    return tx.run(staging_room.own(sql, scope["account"]), **scope)


_OLD_NARROW = tuple(column for column in NARROW if column not in YOUNG_NARROW)
_OLD_WIDE = tuple(column for column in WIDE if column not in YOUNG_WIDE)
_WORDS = {
    "gone": fragments("sync/confirm.sql")["gone"],
    "narrow": listed(NARROW),
    "s_narrow": listed(NARROW, "s"),
    "narrow_hash": hashed(NARROW, "s"),
    "texts_hash": hashed(TEXTS, "s"),
    "wide": listed(WIDE),
    "s_wide": listed(WIDE, "s"),
    "commercial": listed(COMMERCIAL),
    "kept_or_read": ", ".join(
        f"CASE WHEN '{column}' = ANY (s.unreadable) THEN o.{column} ELSE s.{column} END" for column in COMMERCIAL
    ),
    "young_narrow": listed(YOUNG_NARROW),
    "s_young_narrow": listed(YOUNG_NARROW, "s"),
    "o_old_narrow": listed(_OLD_NARROW, "o"),
    "s_old_narrow": listed(_OLD_NARROW, "s"),
    "young_wide": listed(YOUNG_WIDE),
    "s_young_wide": listed(YOUNG_WIDE, "s"),
    "p_old_wide": listed(_OLD_WIDE, "p"),
    "s_old_wide": listed(_OLD_WIDE, "s"),
}


log = logger(__name__)


@dataclass(frozen=True, slots=True)
class SyncSummary:
    """A completed sync: its ledger row, its publish, and the number of calls over all attempts."""

    sync: Sync
    published: Published
    requests: int

    @property
    def seconds(self) -> float:
        """From the start of the sync's last attempt to the publish."""
        return (self.published.published_at - self.sync.attempt_started_at).total_seconds()


def publish_scan(context: SyncContext) -> SyncSummary:
    """Merge the accepted scan into the published tables, in one transaction, and complete the sync.

    A publish that met a deadlock or a lost connection is retried: it left either nothing or everything. Raises
    LeaseLost without a scan, RefusedError if no audit accepted it.
    """
    lease = ledger.held_by(context.database, context.account.name, context.run_id)
    with attempt(context, lease):
        published = retry_on_db_error(lambda: _publish(context.database, lease))
        log.info(
            "offers_published",
            offers=published.offers,
            created=published.created,
            updated=published.updated,
            unchanged=published.unchanged,
            deleted=published.deleted,
            flagged=published.flagged,
            quarantined=published.quarantined,
        )
    if statistics.is_much(published.created + published.updated + published.deleted, published.offers):
        statistics.renew(context.database, statistics.PUBLISHED)
    elif statistics.is_much(published.remembered, published.offers):
        statistics.renew(context.database, ["emag_row_digests"], ["account_type", "emag_offer_id"])
    # the publish is committed: a connection lost from here on is not a failure of the publish
    return retry_on_db_error(lambda: _summary(context.database, lease, published))


def _summary(database: Database, lease: Lease, published: Published) -> SyncSummary:
    sync = ledger.read(database, lease.sync_id)
    return SyncSummary(sync, published, requests.count_since(database, lease.account, sync.started_at))


def _publish(database: Database, lease: Lease) -> Published:
    """Publish; or return an earlier publish of this attempt if only the confirmation of its commit was lost."""
    try:
        return publish(database, lease)
    except LeaseLost:
        done = published_by(database, lease)
        if done is None:
            raise
        log.info("commit_found", what="publish")
        return done
