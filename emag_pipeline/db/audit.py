"""The figures of the audit, counted from staging itself and not taken from what the scan believes."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from uuid import UUID

import simplejson

from emag_pipeline.db import confirmations, ledger
from emag_pipeline.db.engine import Database, Transaction
from emag_pipeline.db.ledger import Lease


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
    #: rows in quarantine, from pages and from reads by id
    rejected: int
    found_by_id: int
    confirmed_gone: int
    #: known offers that neither a page nor a read by id has accounted for
    missing: int
    #: offers that readers see now
    published_before: int
    rounds: int

    @property
    def repeated_rows(self) -> int:
        """Rows of offers that another page showed too."""
        return self.rows - self.distinct_ids

    @property
    def vanished(self) -> int:
        """Published or seen before, not in this scan: gone, or not accounted for."""
        return self.confirmed_gone + self.missing

    @property
    def is_complete(self) -> bool:
        """Every offer that the marketplace reports is staged, quarantined or confirmed gone (G2).

        Offers that only a read by id found may or may not be part of the marketplace's count.
        """
        shown = self.distinct_ids + self.rejected
        return self.pages_staged == self.pages_expected and shown <= self.count_after <= shown + self.found_by_id

    def as_proof(self) -> dict[str, int]:
        """The numbers as they stand in the ledger."""
        return asdict(self)


def figures(database: Database, sync_id: UUID) -> Figures:
    """Count a sync's staging. The counts before and after are those that `note_counts` wrote."""
    sync = ledger.read(database, sync_id)
    proof: Mapping[str, int] = sync.proof or {}
    with database.transaction() as tx:
        staged = tx.run(
            """SELECT
                (SELECT count(*) FROM {schema}.emag_scan_pages WHERE sync_id = :sync AND round = :round) AS pages,
                count(*) FILTER (WHERE page > 0) AS rows,
                count(DISTINCT emag_offer_id) FILTER (WHERE page > 0) AS distinct_ids
               FROM {schema}.emag_scan_offers WHERE sync_id = :sync AND round = :round""",
            sync=sync_id,
            round=sync.round,
        ).one()
        confirmed = tx.run(
            """SELECT count(*) FILTER (WHERE is_found) AS found, count(*) FILTER (WHERE NOT is_found) AS gone
               FROM {schema}.emag_scan_confirmations WHERE sync_id = :sync AND round = :round""",
            sync=sync_id,
            round=sync.round,
        ).one()
        rejected = _count_rejected(tx, sync_id, sync.round)
        published = tx.run(
            """SELECT count(*) FROM {schema}.emag_product_offers
               WHERE account_type = :account AND deleted_at IS NULL""",
            account=sync.account_type,
        ).scalar_one()
    return Figures(
        count_before=proof.get("count_before", -1),
        count_after=proof.get("count_after", -1),
        pages_expected=sync.pages_expected or 0,
        pages_staged=staged.pages,
        rows=staged.rows,
        distinct_ids=staged.distinct_ids,
        rejected=rejected,
        found_by_id=confirmed.found,
        confirmed_gone=confirmed.gone,
        missing=confirmations.count_missing(database, sync_id, sync.account_type, sync.round),
        published_before=published,
        rounds=sync.round,
    )


def _count_rejected(tx: Transaction, sync_id: UUID, round_: int) -> int:
    """Rows that pages showed and that cannot be represented; a row read by id was counted by its page or not at all."""
    return int(
        tx.run(
            """SELECT count(*) FROM {schema}.emag_offer_rejects
               WHERE sync_id = :sync AND round = :round AND page > 0""",
            sync=sync_id,
            round=round_,
        ).scalar_one()
    )


def note_counts(database: Database, lease: Lease, **counts: int) -> None:
    """Write what the marketplace counted (`count_before`, `count_after`) into the sync's proof."""
    with database.transaction() as tx:
        ledger.change(
            tx,
            lease,
            "proof = coalesce(proof, '{}'::jsonb) || CAST(:proof AS jsonb)",
            proof=simplejson.dumps(counts),
        )


def begin_audit(database: Database, lease: Lease) -> None:
    """Say in the ledger that the scan is over and being judged."""
    with database.transaction() as tx:
        ledger.change(tx, lease, "phase = 'auditing'")


def accept(database: Database, lease: Lease, proof: Mapping[str, int]) -> None:
    """Let the publish pass: it looks for this phase, and for nothing a caller says."""
    with database.transaction() as tx:
        ledger.change(tx, lease, "phase = 'publishing', proof = CAST(:proof AS jsonb)", proof=simplejson.dumps(proof))


def refuse(database: Database, lease: Lease, proof: Mapping[str, int]) -> None:
    """Keep the numbers of a refused scan for the person who decides."""
    with database.transaction() as tx:
        ledger.change(tx, lease, "proof = CAST(:proof AS jsonb)", proof=simplejson.dumps(proof))
