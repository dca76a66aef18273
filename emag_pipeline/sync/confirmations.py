"""Offers that a complete scan did not show: which they are, and what a read by their id said.

`missing` = published, neither staged nor quarantined, and not yet confirmed either way.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from emag_pipeline.store.engine import Database
from emag_pipeline.store.transaction import Transaction
from emag_pipeline.sync import ledger, staging_room, surprises
from emag_pipeline.sync.ledger import Lease
from emag_pipeline.sync.staging import BY_ID, RESOURCE, RejectedRow, copy_offers, quarantine

_MISSING = """
    FROM emag_product_offers known
    WHERE known.account_type = :account AND known.deleted_at IS NULL
      AND NOT EXISTS (SELECT FROM emag_scan_offers s
                      WHERE s.sync_id = :sync AND s.emag_offer_id = known.emag_offer_id)
      AND NOT EXISTS (SELECT FROM emag_offer_rejects r
                      WHERE r.sync_id = :sync AND r.emag_offer_id = known.emag_offer_id)
      AND NOT EXISTS (SELECT FROM emag_scan_confirmations c
                      WHERE c.sync_id = :sync AND c.emag_offer_id = known.emag_offer_id)
"""
#: Confirmations `c` of offers that are gone: a later page may have shown one, staged or not.
GONE = """NOT c.is_found
      AND NOT EXISTS (SELECT FROM emag_scan_offers s
                      WHERE s.sync_id = :sync AND s.emag_offer_id = c.emag_offer_id)
      AND NOT EXISTS (SELECT FROM emag_offer_rejects r
                      WHERE r.sync_id = :sync AND r.emag_offer_id = c.emag_offer_id)"""

#: Confirmations `c` of offers that a later page has shown: they count as offers of that page, readable or not.
_SHOWN_SINCE = """(EXISTS (SELECT FROM emag_scan_offers s
            WHERE s.sync_id = :sync AND s.emag_offer_id = c.emag_offer_id AND s.page > 0)
    OR EXISTS (SELECT FROM emag_offer_rejects r
               WHERE r.sync_id = :sync AND r.emag_offer_id = c.emag_offer_id AND r.page > 0)
       AND NOT EXISTS (SELECT FROM emag_scan_offers s
                       WHERE s.sync_id = :sync AND s.emag_offer_id = c.emag_offer_id))"""

_COUNT_FOUND = f"""
    SELECT count(*) FILTER (WHERE NOT is_unreadable AND NOT {_SHOWN_SINCE}) AS known,
           count(*) FILTER (WHERE is_unreadable) AS unreadable
    FROM emag_scan_confirmations c WHERE sync_id = :sync AND is_found
"""
_COUNT_GONE = f"SELECT count(*) FROM emag_scan_confirmations c WHERE c.sync_id = :sync AND {GONE}"


@dataclass(frozen=True, slots=True)
class ConfirmationCounts:
    """What reads by id have said of missing offers: how many were found, are gone, and cannot be read at all.

    One that was found and that a page has shown since is not missing any more, and in none of them.
    """

    found: int
    gone: int
    unreadable: int


def begin_confirming(database: Database, lease: Lease) -> None:
    """Say in the ledger that all pages are read and missing offers are being confirmed."""
    with database.transaction() as tx:
        ledger.confirm(tx, lease)


def missing_offers(database: Database, lease: Lease, limit: int, after: int = 0) -> list[int]:
    """The ids of missing offers in ascending order after `after`, at most `limit` of them."""
    with database.transaction() as tx:
        rows = tx.run(
            staging_room.own(
                "SELECT known.emag_offer_id" + _MISSING + " AND known.emag_offer_id > :after ORDER BY 1 LIMIT :limit",
                lease.account,
            ),
            account=lease.account,
            sync=lease.sync_id,
            after=after,
            limit=limit,
        )
        return list(rows.scalars())


def count_missing(tx: Transaction, sync_id: UUID, account: str) -> int:
    """How many offers are still missing, neither found nor confirmed gone."""
    return int(
        tx.run(staging_room.own("SELECT count(*)" + _MISSING, account), account=account, sync=sync_id).scalar_one()
    )


def count_answers(tx: Transaction, sync_id: UUID, account: str) -> ConfirmationCounts:
    """What reads by id have said, as far as it still counts."""
    found = tx.run(staging_room.own(_COUNT_FOUND, account), sync=sync_id).one()
    gone = tx.run(staging_room.own(_COUNT_GONE, account), sync=sync_id).scalar_one()
    return ConfirmationCounts(found.known, gone, found.unreadable)


def answered(database: Database, lease: Lease) -> tuple[list[int], int, int]:
    """The missing offers that reads by their id have found, how many are gone, and of how many the reads fail."""
    with database.transaction() as tx:
        found = tx.run(
            """SELECT emag_offer_id FROM emag_scan_confirmations
               WHERE account_type = :account AND sync_id = :sync AND is_found AND NOT is_unreadable""",
            account=lease.account,
            sync=lease.sync_id,
        )
        answers = count_answers(tx, lease.sync_id, lease.account)
        return list(found.scalars()), answers.gone, answers.unreadable


def record(
    database: Database,
    lease: Lease,
    *,
    found: Sequence[Any],
    rejected: Sequence[tuple[int, RejectedRow]],
    gone: Sequence[int],
    read_at: datetime,
    failed: Sequence[tuple[int, RejectedRow]] = (),
) -> None:
    """Make what reads by id said durable: found offers are staged, rejected ones quarantined, absent ones noted.

    `rejected` pairs the id that was asked for with the row that came, `failed` with why no read of it succeeds.
    """
    in_quarantine = [*rejected, *failed]
    with database.transaction() as tx:
        ledger.add_rejects(tx, lease, len(in_quarantine))
        copy_offers(tx, lease, BY_ID, read_at, found)
        surprises.note(tx, lease.account, RESOURCE, [one for offer in found for one in offer.surprises])
        for asked, row in in_quarantine:  # under the id that was asked for: the row itself may hold none
            quarantine(tx, lease, BY_ID, [row], offer_id=asked)
        _note(tx, lease, [offer.emag_offer_id for offer in found], is_found=True)
        _note(tx, lease, [asked for asked, _ in rejected], is_found=True)
        _note(tx, lease, [asked for asked, _ in failed], is_found=True, is_unreadable=True)
        _note(tx, lease, gone, is_found=False)


def _note(tx: Transaction, lease: Lease, ids: Sequence[int], *, is_found: bool, is_unreadable: bool = False) -> None:
    said = {"account": lease.account, "sync": lease.sync_id, "found": is_found, "unreadable": is_unreadable}
    tx.run_many(staging_room.own(_INSERT, lease.account), [{**said, "id": id_} for id_ in ids])


_INSERT = """
    INSERT INTO emag_scan_confirmations (account_type, sync_id, emag_offer_id, is_found, is_unreadable)
    VALUES (:account, :sync, :id, :found, :unreadable)
    ON CONFLICT (account_type, sync_id, emag_offer_id)
    DO UPDATE SET is_found = excluded.is_found, is_unreadable = excluded.is_unreadable
"""
