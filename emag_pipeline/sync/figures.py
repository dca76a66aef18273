"""The figures of the audit, counted from staging and not taken from the scan's own counters."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from emag_pipeline.store.columns import RESTS_ON
from emag_pipeline.store.engine import Database
from emag_pipeline.store.sql import statements
from emag_pipeline.store.transaction import Transaction
from emag_pipeline.sync import confirm, ledger, staging, staging_room, statistics
from emag_pipeline.sync.accounted import Accounted
from emag_pipeline.sync.ledger import Lease


@dataclass(frozen=True, slots=True)
class ScanFigures:
    """What is staged for a sync, together with the marketplace's counts and the scan's findings."""

    #: offers that the marketplace counted before the first read and after the last one
    count_before: int
    count_after: int
    #: hundreds of positions of the listing
    pages_expected: int
    pages_staged: int
    #: offers read from pages, and the number of distinct ids
    rows: int
    distinct_ids: int
    #: offers whose only rows on pages cannot be represented
    rejected: int
    #: all rows in quarantine, including second rows of an offer and rows read by id
    quarantined: int
    #: missing offers found by id, including those whose row cannot be represented; without those that a page has shown
    #: since
    found_by_id: int
    confirmed_gone: int
    #: known offers that neither a page nor a read by id has accounted for
    missing: int
    #: currently published offers
    published_before: int
    #: offers on pages that are not published yet
    arrivals: int
    #: readings of all pages: more than one if a chain of windows was not enough
    rounds: int
    #: 1 once the scan has proven that no offer is left out
    proven: int = 0
    #: offers that windows showed but that are neither staged nor in quarantine
    unstaged: int = 0
    #: staged windows, offers that join them, windows that closed gaps, runs of windows that were not joined to others
    windows: int = 0
    anchors: int = 0
    repairs: int = 0
    islands: int = 0
    #: whether windows join from the listing's first position to its end
    head_reached: int = 0
    tail_reached: int = 0
    #: stretches read in smaller pages, and those whose readings differ
    stretches: int = 0
    united: int = 0
    #: how often the head or the tail was read again
    heads: int = 0
    #: counted offers that are not accounted for, at the last count
    remainder: int = 0
    #: neighbours that the last scan saw too, those in reverse order, and offers seen to jump
    compared: int = 0
    inversions: int = 0
    moved: int = 0
    #: offers that the listing contains twice
    doubled: int = 0
    #: positions at which the marketplace fails at every page size, see `ScanDecisions.unreadable`
    unreadable_positions: int = 0
    #: missing offers whose read by id fails too: they keep their last state and are quarantined
    unreadable_by_id: int = 0
    #: staged offers with a commercial field that cannot be read
    unreadable_rows: int = 0
    #: unrepresentable rows read by id, of offers that the pages showed as rows without an id
    without_id_twice: int = 0
    #: of `found_by_id`, those that are staged; the others are in quarantine
    staged_by_id: int = 0
    #: from the oldest page to the last count; the longest pause between two pages, or before that count
    oldest_page_seconds: int = 0
    pause_seconds: int = 0
    #: remarks on the proof for a reviewer
    marks: Sequence[str] = ()

    @property
    def known(self) -> int:
        """Rows of the listing that are accounted for."""
        return self.count_after - self.remainder

    @property
    def counted_known(self) -> int:
        """The part of these that the count must match: without offers found by id beyond the count.

        The marketplace does not count such an offer, or its row has lost its id and is accounted for already.
        """
        return self.known - self.accounted.by_id_besides

    @property
    def repeated_rows(self) -> int:
        """Rows of offers that are staged already."""
        return self.rows - self.distinct_ids

    @property
    def vanished(self) -> int:
        """Published offers that are not in this scan: gone, or not accounted for."""
        return self.confirmed_gone + self.missing

    @property
    def vanished_share(self) -> float:
        """The vanished offers as a share of the published ones; 0 before the first publish."""
        return self.vanished / self.published_before if self.published_before else 0.0

    @property
    def staged(self) -> int:
        """Distinct offers to be published: from pages and from reads by id."""
        return self.distinct_ids + self.staged_by_id

    @property
    def accounted(self) -> Accounted:
        """The parts of the marketplace's count."""
        return Accounted.of(self.as_proof())

    @property
    def is_empty(self) -> bool:
        """Whether there is no offer to publish."""
        return self.distinct_ids + self.found_by_id == 0

    @property
    def not_read(self) -> int:
        """What the tolerance limits: quarantined rows, offers with unreadable fields, unreadable positions.

        A known offer at such a position, or whose row has lost its id, was read by id too and may be quarantined a
        second time; it counts once.
        """
        return self.quarantined + self.unreadable_rows + self.unreadable_positions - self.read_twice

    @property
    def rows_and_positions(self) -> int:
        """All rows that the listing showed or failed to show."""
        return self.rows + self.quarantined + self.unreadable_positions - self.read_twice

    @property
    def in_quarantine_once(self) -> int:
        """`quarantined` without the second rows of offers that were also read by id."""
        return self.quarantined - self.read_twice

    @property
    def read_twice(self) -> int:
        """Rows in quarantine of offers that `not_read` counts already, as positions or rows without an id."""
        return self.unreadable_by_id + self.without_id_twice

    @property
    def not_read_share(self) -> float:
        """`not_read` as a share of `rows_and_positions`."""
        return self.not_read / max(1, self.rows_and_positions)

    def as_proof(self) -> dict[str, Any]:
        """The numbers and marks as recorded in the ledger."""
        return {**asdict(self), "marks": list(self.marks)}


#: The description of each figure for people.
WORDS = {
    "count_before": "offers counted by the marketplace before the scan",
    "count_after": "offers counted by the marketplace after the scan",
    "pages_expected": "hundreds of positions expected",
    "pages_staged": "hundreds of positions staged",
    "rows": "offers read from pages",
    "distinct_ids": "different offers among them",
    "rejected": "offers that pages showed only as quarantined rows",
    "quarantined": "rows in quarantine, also second rows of an offer and reads by id",
    "found_by_id": "missing offers found by their id, and on no page",
    "confirmed_gone": "missing offers confirmed gone",
    "missing": "missing offers not accounted for",
    "published_before": "offers published before",
    "arrivals": "offers that were not published before",
    "rounds": "readings of all pages",
    "proven": "the scan is proven complete (1 = yes)",
    "unstaged": "offers that windows showed and that are not staged",
    "windows": "windows of the listing",
    "anchors": "offers that join neighbouring windows",
    "repairs": "windows that closed gaps",
    "islands": "runs of windows that were not joined to others",
    "head_reached": "the first position was read (1 = yes)",
    "tail_reached": "the end was reached (1 = yes)",
    "stretches": "stretches that were read in smaller pages",
    "united": "of these, united from several readings",
    "heads": "additional reads of head or tail",
    "remainder": "counted offers that are not accounted for",
    "compared": "neighbours compared with the order of the last scan",
    "inversions": "of these, in reverse order",
    "moved": "offers whose position jumped",
    "doubled": "offers that were listed twice",
    "unreadable_positions": "positions at which every page fails",
    "unreadable_by_id": "missing offers whose read by id fails too",
    "unreadable_rows": "offers whose price, currency, stock or status cannot be read",
    "without_id_twice": "offers in quarantine both without an id and by their id",
    "oldest_page_seconds": "seconds from the oldest page to the count after the scan",
    "pause_seconds": "the longest pause between two pages, or before that count, in seconds",
    "marks": "remarks",
    "staged_by_id": "missing offers found by their id and staged",
}

#: Figures that cannot be counted from staging and are recorded by the scan.
OF_THE_SCAN = (
    "count_after", "rounds", "proven", "anchors", "repairs", "islands", "head_reached", "tail_reached", "stretches",
    "united", "heads", "remainder", "compared", "inversions", "moved", "doubled",
    "unreadable_positions", "oldest_page_seconds", "pause_seconds", "marks",
)  # fmt: skip


def figures(database: Database, sync_id: UUID) -> ScanFigures:
    """Count a sync's staging; the scan's other findings were recorded by `note_ending`."""
    with database.transaction() as tx:
        sync = ledger.read_in(tx, sync_id)
        account = sync.account
        tx.expect(sync.total_offers_processed)
        statistics.require_staged(tx, account, sync_id)
        staged = _run(tx, "count_staged", sync_id, account, rests_on=list(RESTS_ON)).one()
        windows = ledger.durable_windows(tx, sync_id, account)
        confirmed = confirm.count_answers(tx, sync_id, account)
        missing = confirm.count_missing(tx, sync_id, account)
        rejects = _run(tx, "count_rejects", sync_id, account).one()
        arrivals = int(_run(tx, "count_arrivals", sync_id, account).scalar_one())
        shown = _run(tx, "count_shown", sync_id, account).one()
        is_same = (shown.ids, shown.digest) == (staged.distinct_ids, staged.digest)
        unstaged = 0 if is_same else int(_run(tx, "count_unstaged", sync_id, account).scalar_one())
        published = _run(tx, "count_published", sync_id, account).scalar_one()
    proof: Mapping[str, Any] = {"count_after": -1, "rounds": 1, **(sync.proof or {})}
    return ScanFigures(
        count_before=sync.offers_expected or 0,
        pages_expected=sync.pages_expected or 0,
        pages_staged=sync.pages_done,
        rows=staged.rows,
        distinct_ids=staged.distinct_ids,
        rejected=rejects.offers,
        quarantined=rejects.rows,
        found_by_id=confirmed.found,
        confirmed_gone=confirmed.gone,
        missing=missing,
        published_before=published,
        arrivals=arrivals,
        unstaged=unstaged,
        windows=windows,
        unreadable_by_id=confirmed.unreadable,
        unreadable_rows=staged.unreadable,
        without_id_twice=max(0, min(rejects.without_id, rejects.by_id - confirmed.unreadable)),
        **{name: proof[name] for name in OF_THE_SCAN if name in proof},
        staged_by_id=staged.by_id,
    )


def ages(database: Database, lease: Lease, counted_at: datetime) -> dict[str, int]:
    """The figures `oldest_page_seconds` and `pause_seconds` of a scan whose last count came at `counted_at`."""
    with database.transaction() as tx:
        row = _run(tx, "ages", lease.sync_id, lease.account, counted_at=counted_at).one()
    return {
        "oldest_page_seconds": round(row.oldest.total_seconds()),
        "pause_seconds": 0 if row.pause is None else round(row.pause.total_seconds()),
    }


def left_before(database: Database, lease: Lease) -> Mapping[str, Any]:
    """The proof of the account's last published sync before this one; empty before the first."""
    with database.transaction() as tx:
        proof = _run(tx, "proof_before", lease.sync_id, lease.account).scalar_one_or_none()
    return proof or {}


def _run(tx: Transaction, name: str, sync_id: UUID, account: str, **values: Any) -> Any:
    return staging_room.run(tx, statements("sync/audit.sql")[name], account, sync=sync_id, **values)


def note_ending(database: Database, lease: Lease, found: Mapping[str, Any]) -> None:
    """Record the scan's findings: the figures `OF_THE_SCAN`."""
    with database.transaction() as tx:
        ledger.end_scan(tx, lease, found)


def require_answers(tx: Transaction, lease: Lease, proof: Mapping[str, Any]) -> None:
    """Raise StagingLost unless the reads by id, on which deletions rely, agree with the accepted proof."""
    accepted = confirm.ConfirmationCounts(
        found=proof["found_by_id"], gone=proof["confirmed_gone"], unreadable=proof["unreadable_by_id"]
    )
    answers = confirm.count_answers(tx, lease.sync_id, lease.account)
    if answers != accepted:
        raise staging.lost(
            lease,
            "the results of reads by id are not those that the audit accepted",
            f"{answers.found:,} offers found and {answers.gone:,} gone, "
            f"{accepted.found:,} and {accepted.gone:,} were accepted",
        )


def begin_audit(database: Database, lease: Lease) -> None:
    """Record in the ledger that the audit begins. Raises StagingLost if the staged pages are gone."""
    with database.transaction() as tx:
        ledger.audit(tx, lease)
        sync = ledger.read_in(tx, lease.sync_id)
        staging.require_staging(tx, lease, sync.windows_staged)


def accept(database: Database, lease: Lease, proof: Mapping[str, Any]) -> None:
    """Record that the audit accepted the scan; the publish checks this and does not rely on its caller."""
    with database.transaction() as tx:
        ledger.accept(tx, lease, proof)


def refuse(database: Database, lease: Lease, proof: Mapping[str, Any]) -> None:
    """Record the numbers of a refused scan for the person who decides."""
    with database.transaction() as tx:
        ledger.refuse(tx, lease, proof)
