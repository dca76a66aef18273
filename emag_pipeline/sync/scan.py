"""The scan: read the catalogue page by page into staging until it is proven complete, or say with numbers why not.

A round reads all pages once. A catalogue that moved meanwhile shows in the numbers (counts before and after,
repeated rows, rows behind the last page), and is read again as a new round.

One movement does not show in them: an offer departs in front of the reading point, so that another one slips past
it, and an arrival makes the counts equal again. A published offer that slipped is missing and asked for by its id; a
new one is known to nobody. So a catalogue in which new offers are seen is read twice, and what either reading saw is
accounted for. (Without an arrival the counts cannot become equal, and one reading is enough.)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from emag_pipeline.api import Marketplace, Obedience, Page
from emag_pipeline.db import audit, ledger, staging, statistics
from emag_pipeline.db.audit import Figures
from emag_pipeline.db.ledger import Lease
from emag_pipeline.errors import ScanNotProven, SyncTimedOut
from emag_pipeline.logs import logger
from emag_pipeline.moments import iso
from emag_pipeline.sync.confirm import confirm_missing, may_confirm
from emag_pipeline.sync.context import SyncContext
from emag_pipeline.sync.duration import reading_seconds, with_room
from emag_pipeline.sync.listing import ListingReader
from emag_pipeline.sync.page_size import PageSize
from emag_pipeline.sync.plan import ScanPlan, bounded
from emag_pipeline.sync.progress import ProgressReporter
from emag_pipeline.sync.proof import accidents, by_id_only, doubts
from emag_pipeline.sync.readers import Readers
from emag_pipeline.sync.request_log import RequestLog

log = logger(__name__)

#: A catalogue that moves under three readings in a row needs a quieter hour, not a fourth reading.
MOST_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class _Reading:
    """What speaks against the result of a round. `is_usual`: no more than that new offers show, as in a first sync."""

    against: list[str]
    is_usual: bool = False


class Scan:
    """One attempt's reading of one account."""

    def __init__(
        self, context: SyncContext, lease: Lease, client: Marketplace, readers: Readers, log: RequestLog
    ) -> None:
        settings = context.settings
        self._context = context
        self._lease = lease
        self._client = client
        self._readers = readers
        self._log = log
        self._progress = ProgressReporter(context.report, settings.progress_interval_seconds)
        sync = ledger.read(context.database, lease.sync_id)
        self._began: datetime = sync.started_at
        self._deadline: datetime = sync.deadline_at
        self._page_size = PageSize(context.database, lease.account, settings.page_size)
        self._reader = ListingReader(
            context.database,
            lease,
            client,
            readers,
            batch_size=settings.batch_size,
            tolerance=settings.reject_tolerance,
            page_size=self._page_size,
            on_staged=self._note_staged,
            require_time=self._require_time,
        )

    def run(self) -> None:
        """Bring staging to the point where the audit can judge it.

        Raises PageBoundExceeded before the first page, ParametersIgnored after at most three calls, ScanNotProven after
        the last round, SyncTimedOut, and whatever the client and the storage raise.
        """
        if self._lease.approved:  # a person accepted this very scan: its pages are not read again
            self._confirm(ledger.read(self._context.database, self._lease.sync_id).round)
            return
        round_, offers, obedience = self._first_round()
        while (reading := self._read_round(round_, offers, obedience)).against:
            if round_ >= MOST_ROUNDS:
                raise ScanNotProven(
                    f"the pages do not add up after {round_} readings",
                    where=self._lease.where,
                    why="; ".join(reading.against),
                    remedy="Nothing was published; the next run reads anew, best at an hour with fewer changes",
                )
            (log.info if reading.is_usual else log.warning)(
                "catalogue_read_again", round=round_, against=reading.against
            )
            round_ += 1
            offers, obedience = self._open_round(round_), None

    def _first_round(self) -> tuple[int, int, Obedience | None]:
        """The round to begin or to go on with, its offers, and who judges whether pagination is obeyed."""
        if self._lease.resumed:
            sync = ledger.read(self._context.database, self._lease.sync_id)
            return sync.round, sync.offers_expected, None
        obedience = self._client.obedience()
        return 1, self._open_round(1, obedience), obedience

    def _open_round(self, round_: int, obedience: Obedience | None = None) -> int:
        """Count the offers, and write down what is expected of the round."""
        count = self._client.count()
        if obedience is not None:
            obedience.judge_count(count)
        bounded(self._lease.account, count.rows, self._context.settings.max_pages)
        size = self._page_size.size
        pages = ScanPlan(count.rows, size).pages
        seconds = reading_seconds(count.rows, size, self._context.budget().pace_seconds)
        self._deadline = staging.plan(
            self._context.database,
            self._lease,
            pages=pages,
            offers=count.rows,
            round_=round_,
            seconds=with_room(seconds),
        )
        plan = {"pages": pages, "offers": count.rows, "page_size": size, "seconds": round(seconds)}
        log.info("scan_planned", round=round_, **plan, until=iso(self._deadline))
        return count.rows

    def _read_round(self, round_: int, offers: int, obedience: Obedience | None) -> "_Reading":
        """Read what is not durable yet. Returns what speaks against the result, nothing if it is complete."""
        rows_beyond = self._read_pages(round_, offers, obedience)
        statistics.renew_staged(self._context.database)
        count_after = self._client.count().rows
        audit.note_ending(self._context.database, self._lease, count_after=count_after, rows_beyond=rows_beyond)
        if page_doubts := doubts(self._figures(), before_confirming=True):
            return _Reading(page_doubts)
        self._confirm(round_)
        figures = self._figures()
        if found := doubts(figures):
            return _Reading(found)
        return _Reading(accidents(figures) if round_ == 1 else [], is_usual=by_id_only(figures) <= 0)

    def _figures(self) -> Figures:
        return audit.figures(self._context.database, self._lease.sync_id)

    def _read_pages(self, round_: int, offers: int, obedience: Obedience | None) -> int:
        """Stage the pages that are not durable yet. Returns the rows behind the last one."""
        durable = staging.durable_positions(self._context.database, self._lease, round_)
        sync = ledger.read(self._context.database, self._lease.sync_id)
        plan = ScanPlan(offers, self._page_size.size, durable)
        self._progress.begin(
            round_,
            pages=plan.pages,
            offers=offers,
            pages_done=len(durable),
            offers_done=sync.total_offers_processed,
        )
        return self._reader.read(round_, plan, offers, obedience)

    def _note_staged(self, pages_expected: int, pages: Sequence[Page]) -> None:
        self._log.flush()
        offers = sum(page.rows for page in pages)
        log.debug("pages_staged", pages=[page.number for page in pages], offers=offers)
        self._progress.add(pages=len(pages), offers=offers, pages_expected=pages_expected)

    def _require_time(self) -> None:
        if datetime.now(UTC) < self._deadline:
            return
        hours, had = self._context.settings.timeout_hours, (self._deadline - self._began).total_seconds() / 3600
        extended = f", and twice what its calls take was {had:.1f}" if had > hours + 0.05 else ""
        raise SyncTimedOut(
            "the sync's time is over",
            where=self._lease.where,
            why=f"EMAG_SYNC_TIMEOUT_HOURS is {hours:g}{extended}",
            remedy="The next run begins a new sync; allow more hours if the catalogue needs them",
        )

    def _confirm(self, round_: int) -> None:
        figures = self._figures()
        if self._lease.approved or may_confirm(figures, self._context.settings.max_shrink):
            confirm_missing(
                self._context.database,
                self._lease,
                round_,
                self._client,
                self._readers,
                self._log,
                self._require_time,
                unreadable=figures.unreadable_positions - figures.unreadable_by_id,
            )
