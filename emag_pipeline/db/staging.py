"""Staging: pages that are durable and not yet visible (emag_scan_pages, emag_scan_offers, quarantine).

A page, its record, its rejects, the sync's counters and heartbeat are one fenced transaction: after a crash a
page is there as a whole or not at all.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, Protocol
from uuid import UUID

from emag_pipeline.db import counters, ledger, surprises
from emag_pipeline.db.columns import STAGED
from emag_pipeline.db.copy_text import line
from emag_pipeline.db.engine import Database, Transaction
from emag_pipeline.db.ledger import Lease
from emag_pipeline.db.surprises import Surprising

#: The resource whose answers are staged, as in emag_requests.
RESOURCE = "product_offer/read"
#: "Page" of the offers that were read one by one by their id.
BY_ID = 0

_offer_values = attrgetter(*STAGED)
#: A COPY whose client is gone behind a network that is silent holds the ledger's row so long, and no longer.
_STAGE_SECONDS = 120.0
_COPY_OFFERS = "COPY {schema}.emag_scan_offers (sync_id, round, page, fetched_at, " + ", ".join(STAGED) + ") FROM STDIN"


class RejectedRow(Protocol):
    """A row that cannot be represented."""

    @property
    def emag_offer_id(self) -> int | None: ...
    @property
    def reason(self) -> str: ...
    @property
    def payload(self) -> str: ...


class StagedPage(Protocol):
    """A page as the client returns it; its offers carry the columns of `columns.STAGED` as attributes."""

    @property
    def number(self) -> int: ...
    @property
    def size(self) -> int: ...
    @property
    def first_position(self) -> int: ...
    @property
    def positions(self) -> int: ...
    @property
    def is_unreadable(self) -> bool: ...
    @property
    def offers(self) -> Sequence[Any]: ...
    @property
    def rejects(self) -> Sequence[RejectedRow]: ...
    @property
    def content_hash(self) -> bytes: ...
    @property
    def fetched_at(self) -> datetime: ...
    @property
    def surprises(self) -> Sequence[Surprising]: ...


def plan(database: Database, lease: Lease, *, pages: int, offers: int, round_: int, seconds: float = 0.0) -> datetime:
    """Open a round of reading: what is expected, nothing done yet. The sync has so many seconds from now, or more.

    Returns until when it may go on (UTC).
    """
    with database.transaction() as tx:
        counters.add_offers_processed(tx, lease.account, ledger.read_in(tx, lease.sync_id).total_offers_processed)
        ledger.change(
            tx,
            lease,
            """phase = 'scanning', round = :round, pages_expected = :pages, offers_expected = :offers,
               pages_done = 0, total_offers_processed = 0, offers_rejected = 0, proof = NULL,
               oldest_page_at = NULL,
               deadline_at = greatest(deadline_at, clock_timestamp() + :seconds * interval '1 second')""",
            round=round_,
            pages=pages,
            offers=offers,
            seconds=seconds,
        )
        until: datetime = ledger.read_in(tx, lease.sync_id).deadline_at
    return until


def note_pages(database: Database, lease: Lease, *, pages: int) -> None:
    """Say that the round will have so many pages: their size has changed. Counts as progress."""
    with database.transaction() as tx:
        ledger.change(tx, lease, "pages_expected = :pages", pages=pages)


def stage_pages(
    database: Database, lease: Lease, round_: int, pages: Sequence[StagedPage], *, pages_expected: int | None = None
) -> None:
    """Make pages durable, all together. Raises LeaseLost, and then nothing of them is there.

    `pages_expected`: how many the round will have, where that has changed.
    """
    offers = sum(len(page.offers) for page in pages)
    rejects = sum(len(page.rejects) for page in pages)
    with database.transaction(timeout_seconds=_STAGE_SECONDS, durable=False) as tx:  # a crash empties staging too
        ledger.change(
            tx,
            lease,
            """pages_done = pages_done + :pages, offers_rejected = offers_rejected + :rejects,
               total_offers_processed = total_offers_processed + :offers,
               pages_expected = coalesce(CAST(:expected AS integer), pages_expected)""",
            expected=pages_expected,
            pages=len(pages),
            offers=offers + rejects,
            rejects=rejects,
        )
        for page in pages:
            copy_offers(tx, lease, round_, page.number, page.fetched_at, page.offers)
            quarantine(tx, lease, round_, page.number, page.rejects)
        surprises.note(tx, lease.account, RESOURCE, [one for page in pages for one in page.surprises])
        tx.run_many(
            """INSERT INTO {schema}.emag_scan_pages
                   (sync_id, round, page, page_size, first_position, positions, is_unreadable,
                    offers, rejects, content_hash, fetched_at)
               VALUES (:sync, :round, :page, :size, :first, :positions, :unreadable,
                       :offers, :rejects, :hash, :fetched_at)""",
            [_page_record(lease, round_, page) for page in pages],
        )


def _page_record(lease: Lease, round_: int, page: StagedPage) -> dict[str, Any]:
    return {
        "sync": lease.sync_id,
        "round": round_,
        "page": page.number,
        "size": page.size,
        "first": page.first_position,
        "positions": page.positions,
        "unreadable": page.is_unreadable,
        "offers": len(page.offers),
        "rejects": len(page.rejects),
        "hash": page.content_hash,
        "fetched_at": page.fetched_at,
    }


def copy_offers(
    tx: Transaction, lease: Lease, round_: int, page: int, fetched_at: datetime, offers: Iterable[Any]
) -> None:
    """COPY offers into staging, within the caller's fenced transaction."""
    prefix = line((lease.sync_id, round_, page, fetched_at))[:-1] + "\t"
    text = "".join([prefix + line(_offer_values(offer)) for offer in offers])
    if text:
        tx.copy_in(_COPY_OFFERS, text)


def quarantine(
    tx: Transaction,
    lease: Lease,
    round_: int,
    page: int,
    rejects: Iterable[RejectedRow],
    offer_id: int | None = None,
) -> None:
    """Keep rows that cannot be represented, within the caller's fenced transaction.

    `offer_id` is the offer that was asked for; without it, each row's own id counts, if it has one.
    """
    tx.run_many(
        """INSERT INTO {schema}.emag_offer_rejects
               (account_type, sync_id, round, page, emag_offer_id, reason, payload)
           VALUES (:account, :sync, :round, :page, :id, :reason, :payload)""",
        [
            {
                "account": lease.account,
                "sync": lease.sync_id,
                "round": round_,
                "page": page,
                "id": offer_id or reject.emag_offer_id,
                "reason": reject.reason,
                "payload": reject.payload,
            }
            for reject in rejects
        ],
    )


def durable_positions(database: Database, lease: Lease, round_: int) -> list[range]:
    """The positions of the listing that this round need not read again, page by page."""
    with database.transaction() as tx:
        rows = tx.run(
            """SELECT first_position, positions FROM {schema}.emag_scan_pages
               WHERE sync_id = :sync AND round = :round""",
            sync=lease.sync_id,
            round=round_,
        )
        return [range(row.first_position, row.first_position + row.positions) for row in rows]


def discard_remains(database: Database, account: str, keep: UUID) -> int:
    """Empty the staging of the account's earlier syncs, except one that a person may still approve.

    Returns the number of syncs whose staging was emptied.
    """
    with database.transaction() as tx:
        remains = list(
            tx.run(
                """SELECT DISTINCT s.sync_id FROM {schema}.emag_offer_syncs s
                   JOIN {schema}.emag_scan_pages p USING (sync_id)
                   WHERE s.account_type = :account AND s.sync_id <> :keep AND NOT (
                       coalesce(s.error_class, '') = 'RefusedError' AND s.sync_number = (
                           SELECT max(r.sync_number) FROM {schema}.emag_offer_syncs r
                           WHERE r.account_type = :account AND r.sync_id <> :keep))""",
                account=account,
                keep=keep,
            ).scalars()
        )
        empty(tx, remains)
    return len(remains)


def empty(tx: Transaction, syncs: Sequence[UUID]) -> None:
    """Remove all that is staged of these syncs, within the caller's transaction."""
    for table in ("emag_scan_pages", "emag_scan_offers", "emag_scan_confirmations", "emag_scan_changes"):
        tx.run(f"DELETE FROM {{schema}}.{table} WHERE sync_id = ANY(:syncs)", syncs=list(syncs))
