"""The figures of the audit, counted from staging itself and not taken from what the scan believes."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

import simplejson

from emag_pipeline.db import confirmations, ledger
from emag_pipeline.db.accounted import Accounted
from emag_pipeline.db.columns import RESTS_ON
from emag_pipeline.db.engine import Database, Transaction
from emag_pipeline.db.ledger import Lease
from emag_pipeline.errors import StagingLost


@dataclass(frozen=True, slots=True)
class Figures:
    """What stands in staging for a sync's current round, beside what the marketplace reports."""

    #: offers that the marketplace counted before the first and after the last page of the round
    count_before: int
    count_after: int
    pages_expected: int
    pages_staged: int
    #: offers read from pages, and how many different ids they have
    rows: int
    distinct_ids: int
    #: offers that pages showed only as rows which cannot be represented
    rejected: int
    #: all rows in quarantine: also second rows of an offer, and rows read by id
    quarantined: int
    #: rows on the page behind the last one, where there should be none
    rows_beyond: int
    #: missing offers that a read by their id found, also those whose row cannot be represented
    found_by_id: int
    confirmed_gone: int
    #: known offers that neither a page nor a read by id has accounted for
    missing: int
    #: offers that readers see now
    published_before: int
    #: offers on pages that readers do not see yet
    arrivals: int
    rounds: int
    #: positions of the listing that the staged pages account for, and the end of the last of them; equal without a gap
    positions: int
    positions_end: int
    #: positions at which the marketplace fails whatever the page's size
    unreadable_positions: int = 0
    #: missing offers whose read by id fails too: they keep their last state, and are in quarantine
    unreadable_by_id: int = 0
    #: staged offers with a commercial field that cannot be read
    unreadable_rows: int = 0
    #: of the confirmed gone and the missing, those that were never published: an earlier reading of this sync saw them
    vanished_unpublished: int = 0
    #: rows read by id that cannot be represented, of offers that the pages showed as rows without an id
    without_id_twice: int = 0
    #: of `found_by_id`, those that are staged; the others are in quarantine
    staged_by_id: int = 0

    @property
    def repeated_rows(self) -> int:
        """Rows of offers that another page showed too."""
        return self.rows - self.distinct_ids

    @property
    def vanished(self) -> int:
        """Published and not in this scan: gone, or not accounted for."""
        return self.confirmed_gone + self.missing - self.vanished_unpublished

    @property
    def vanished_share(self) -> float:
        """The vanished as a share of what was published; 0 before the first publish: there is nothing to lose."""
        return self.vanished / self.published_before if self.published_before else 0.0

    @property
    def staged(self) -> int:
        """Different offers to be published: from pages and from reads by their id."""
        return self.distinct_ids + self.staged_by_id

    @property
    def accounted(self) -> Accounted:
        """The parts of what the marketplace counts."""
        return Accounted.of(self.as_proof())

    @property
    def is_empty(self) -> bool:
        """Whether there is no offer to publish."""
        return self.distinct_ids + self.found_by_id == 0

    @property
    def not_read(self) -> int:
        """What the tolerance is about: quarantined rows, offers with unreadable fields, unreadable positions.

        A known offer that stands at such a position, or whose row has lost its id, was read by its id as well: it is in
        quarantine once more, and counts once.
        """
        return self.quarantined + self.unreadable_rows + self.unreadable_positions - self.read_twice

    @property
    def rows_and_positions(self) -> int:
        """Everything that the listing showed or failed to show."""
        return self.rows + self.quarantined + self.unreadable_positions - self.read_twice

    @property
    def in_quarantine_once(self) -> int:
        """`quarantined` without the second rows of offers that were read by their id as well."""
        return self.quarantined - self.read_twice

    @property
    def read_twice(self) -> int:
        """Rows in quarantine of offers that `not_read` counts already, as positions or rows without an id."""
        return self.unreadable_by_id + self.without_id_twice

    @property
    def not_read_share(self) -> float:
        """`not_read` as a share of `rows_and_positions`."""
        return self.not_read / max(1, self.rows_and_positions)

    @property
    def shown(self) -> int:
        """Offers that the pages showed: those that were staged, and those that cannot be represented."""
        return self.distinct_ids + self.rejected

    def as_proof(self) -> dict[str, int]:
        """The numbers as they stand in the ledger."""
        return asdict(self)


#: What each figure is, for people.
WORDS = {
    "count_before": "offers counted by the marketplace before the scan",
    "count_after": "offers counted by the marketplace after the scan",
    "pages_expected": "pages expected",
    "pages_staged": "pages staged",
    "rows": "offers read from pages",
    "distinct_ids": "different offers among them",
    "rejected": "offers that pages showed only as rows in quarantine",
    "quarantined": "rows in quarantine, also second rows of an offer and reads by id",
    "rows_beyond": "rows on the page behind the last one",
    "found_by_id": "missing offers found by their id",
    "confirmed_gone": "missing offers confirmed gone",
    "missing": "missing offers not accounted for",
    "published_before": "offers published before",
    "arrivals": "offers that were not published before",
    "rounds": "readings of all pages",
    "positions": "positions of the listing that were read",
    "positions_end": "end of the last position that was read",
    "unreadable_positions": "positions at which every page fails",
    "unreadable_by_id": "missing offers whose read by id fails too",
    "unreadable_rows": "offers whose price, currency, stock or status cannot be read",
    "vanished_unpublished": "missing offers that were never published",
    "without_id_twice": "offers in quarantine both without an id and by their id",
    "staged_by_id": "missing offers found by their id and staged",
}


def figures(database: Database, sync_id: UUID) -> Figures:
    """Count a sync's staging. What came after the pages was written by `note_ending`."""
    sync = ledger.read(database, sync_id)
    proof: Mapping[str, int] = sync.proof or {}
    with database.transaction() as tx:
        staged = tx.run(
            """SELECT count(*) FILTER (WHERE page > 0) AS rows,
                      count(DISTINCT emag_offer_id) FILTER (WHERE page > 0) AS distinct_ids,
                      count(*) FILTER (WHERE page = 0) AS by_id,
                      count(*) FILTER (WHERE unreadable && CAST(:rests_on AS text[])) AS unreadable
               FROM {schema}.emag_scan_offers WHERE sync_id = :sync AND round = :round""",
            sync=sync_id,
            round=sync.round,
            rests_on=list(RESTS_ON),
        ).one()
        pages = tx.run(
            """SELECT count(*) AS staged, coalesce(sum(positions), 0) AS positions,
                      coalesce(max(first_position + positions), 0) AS positions_end,
                      count(*) FILTER (WHERE is_unreadable) AS unreadable
               FROM {schema}.emag_scan_pages WHERE sync_id = :sync AND round = :round""",
            sync=sync_id,
            round=sync.round,
        ).one()
        confirmed = tx.run(
            """SELECT count(*) FILTER (WHERE is_found AND NOT is_unreadable) AS found,
                      count(*) FILTER (WHERE is_unreadable) AS unreadable, count(*) FILTER (WHERE NOT is_found) AS gone
               FROM {schema}.emag_scan_confirmations WHERE sync_id = :sync AND round = :round""",
            sync=sync_id,
            round=sync.round,
        ).one()
        rejects = _count_rejects(tx, sync_id, sync.round)
        arrivals = _count_arrivals(tx, sync_id, sync.account_type, sync.round)
        vanished_unpublished = _count_vanished_unpublished(tx, sync_id, sync.account_type, sync.round)
        published = tx.run(
            """SELECT count(*) FROM {schema}.emag_product_offers
               WHERE account_type = :account AND deleted_at IS NULL""",
            account=sync.account_type,
        ).scalar_one()
    return Figures(
        count_before=sync.offers_expected or 0,
        count_after=proof.get("count_after", -1),
        pages_expected=sync.pages_expected or 0,
        pages_staged=pages.staged,
        rows=staged.rows,
        distinct_ids=staged.distinct_ids,
        rejected=rejects.offers,
        quarantined=rejects.rows,
        rows_beyond=proof.get("rows_beyond", -1),
        found_by_id=confirmed.found,
        confirmed_gone=confirmed.gone,
        missing=confirmations.count_missing(database, sync_id, sync.account_type, sync.round),
        published_before=published,
        arrivals=arrivals,
        rounds=sync.round,
        positions=int(pages.positions),
        positions_end=pages.positions_end,
        unreadable_positions=pages.unreadable,
        unreadable_by_id=confirmed.unreadable,
        unreadable_rows=staged.unreadable,
        vanished_unpublished=vanished_unpublished,
        without_id_twice=max(0, min(rejects.without_id, rejects.by_id - confirmed.unreadable)),
        staged_by_id=staged.by_id,
    )


def _count_rejects(tx: Transaction, sync_id: UUID, round_: int) -> Any:
    """`rows` in quarantine, and `offers` whose only rows on pages were rejected (a row without an id counts as one).

    Left out of `offers`: a second row of an offer that is staged, and rows read by id, which no page showed.
    """
    return tx.run(
        """SELECT count(*) AS rows,
                  count(*) FILTER (WHERE page > 0 AND emag_offer_id IS NULL) AS without_id,
                  count(*) FILTER (WHERE page = 0) AS by_id,
                  count(*) FILTER (WHERE page > 0 AND emag_offer_id IS NULL)
                  + count(DISTINCT emag_offer_id) FILTER (WHERE page > 0 AND NOT EXISTS (
                        SELECT FROM {schema}.emag_scan_offers s
                        WHERE s.sync_id = :sync AND s.round = :round AND s.emag_offer_id = r.emag_offer_id)) AS offers
           FROM {schema}.emag_offer_rejects r
           WHERE sync_id = :sync AND round = :round""",
        sync=sync_id,
        round=round_,
    ).one()


def _count_arrivals(tx: Transaction, sync_id: UUID, account: str, round_: int) -> int:
    """Offers that pages showed and that are not published, or have a tombstone."""
    return int(
        tx.run(
            """SELECT count(DISTINCT s.emag_offer_id) FROM {schema}.emag_scan_offers s
               LEFT JOIN {schema}.emag_product_offers o
                 ON o.account_type = :account AND o.emag_offer_id = s.emag_offer_id AND o.deleted_at IS NULL
               WHERE s.sync_id = :sync AND s.round = :round AND s.page > 0 AND o.emag_offer_id IS NULL""",
            sync=sync_id,
            account=account,
            round=round_,
        ).scalar_one()
    )


def _count_vanished_unpublished(tx: Transaction, sync_id: UUID, account: str, round_: int) -> int:
    """Offers that only earlier readings of this sync showed, and that readers do not see."""
    if round_ == 1:
        return 0
    return int(
        tx.run(
            """SELECT count(DISTINCT e.emag_offer_id) FROM {schema}.emag_scan_offers e
               WHERE e.sync_id = :sync AND e.round < :round
                 AND NOT EXISTS (SELECT FROM {schema}.emag_product_offers o
                                 WHERE o.account_type = :account AND o.emag_offer_id = e.emag_offer_id
                                   AND o.deleted_at IS NULL)
                 AND NOT EXISTS (SELECT FROM {schema}.emag_scan_offers s
                                 WHERE s.sync_id = :sync AND s.round = :round AND s.emag_offer_id = e.emag_offer_id)
                 AND NOT EXISTS (SELECT FROM {schema}.emag_offer_rejects r
                                 WHERE r.sync_id = :sync AND r.round = :round AND r.emag_offer_id = e.emag_offer_id)""",
            sync=sync_id,
            account=account,
            round=round_,
        ).scalar_one()
    )


def note_ending(database: Database, lease: Lease, *, count_after: int, rows_beyond: int) -> None:
    """Write what the marketplace said after the last page: its count, and the rows of the page behind the last."""
    with database.transaction() as tx:
        ledger.change(
            tx,
            lease,
            "proof = CAST(:proof AS jsonb)",
            proof=simplejson.dumps({"count_after": count_after, "rows_beyond": rows_beyond}),
        )


def require_staging(tx: Transaction, sync_id: UUID, round_: int, pages: int, confirmed: int | None = None) -> None:
    """Raise StagingLost unless as many pages (and confirmations) stand in staging as were made durable there.

    Staging is unlogged: a crash of the server empties it, while the ledger remembers.
    """
    found = tx.run(
        """SELECT (SELECT count(*) FROM {schema}.emag_scan_pages WHERE sync_id = :sync AND round = :round) AS pages,
                  (SELECT count(*) FROM {schema}.emag_scan_confirmations
                   WHERE sync_id = :sync AND round = :round) AS confirmed""",
        sync=sync_id,
        round=round_,
    ).one()
    if found.pages != pages or confirmed not in (None, found.confirmed):
        raise StagingLost(
            "the staged pages are gone",
            where=f"sync {sync_id}",
            why=f"{found.pages:,} of {pages:,} are there: the database has crashed since",
            remedy="Nothing was published; the next run reads the catalogue anew",
        )


def begin_audit(database: Database, lease: Lease) -> None:
    """Say in the ledger that the scan is over and being judged. Raises StagingLost when there is nothing to judge."""
    with database.transaction() as tx:
        ledger.change(tx, lease, "phase = 'auditing'")
        sync = ledger.read_in(tx, lease.sync_id)
        require_staging(tx, lease.sync_id, sync.round, sync.pages_done)


def accept(database: Database, lease: Lease, proof: Mapping[str, int]) -> None:
    """Let the publish pass: it looks for this phase, and for nothing a caller says."""
    with database.transaction() as tx:
        ledger.change(tx, lease, "phase = 'publishing', proof = CAST(:proof AS jsonb)", proof=simplejson.dumps(proof))


def refuse(database: Database, lease: Lease, proof: Mapping[str, int]) -> None:
    """Keep the numbers of a refused scan for the person who decides."""
    with database.transaction() as tx:
        ledger.change(tx, lease, "proof = CAST(:proof AS jsonb)", proof=simplejson.dumps(proof))
