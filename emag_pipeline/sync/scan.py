"""The first half of a sync: read the catalogue into staging until it is proven complete, or report why it cannot be.

`completeness.ScanDecisions` decides from the rows seen what to read next and when the scan is complete
(docs/completeness.md). This module executes its reads and stages the results before any decision relies on them, so
that the next attempt resumes with the same evidence.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

from emag_pipeline.errors import AnotherSyncRunning, PipelineError, ScanNotProven, SyncTimedOut
from emag_pipeline.logs import logger
from emag_pipeline.marketplace import MarketplaceClient, ignored
from emag_pipeline.model import AsPublished, Page
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import completeness, confirm, ledger, liveness, remembered, staging, statistics
from emag_pipeline.sync import figures as audit
from emag_pipeline.sync.accounts import note_marketplaces
from emag_pipeline.sync.attempt import attempt
from emag_pipeline.sync.completeness import (
    REMAINDER,
    Ask,
    Complete,
    Fault,
    PreviousOrder,
    Refused,
    Situation,
    evidence_of,
    listing_order_of,
)
from emag_pipeline.sync.context import ProgressReporter, SyncContext, timeouts_of
from emag_pipeline.sync.figures import ScanFigures
from emag_pipeline.sync.lease import take_lease
from emag_pipeline.sync.ledger import Lease
from emag_pipeline.sync.listing import ListingReader
from emag_pipeline.sync.plan import OFFERS_A_PAGE, PageSize, bounded, hundreds, readings_due, scan_seconds, with_room
from emag_pipeline.sync.readers import Readers, calls_under_way
from emag_pipeline.sync.remembered import Habits
from emag_pipeline.sync.request_log import RequestLog
from emag_pipeline.sync.staging import Reached
from emag_pipeline.wording import iso

log = logger(__name__)

#: Fewer inversions than this may come from a single offer that was deleted and created again.
_HABIT = 3


@dataclass(frozen=True, slots=True)
class Staged:
    """The result of an attempt. `seconds` and `requests` are this attempt's; the figures are the whole scan's."""

    sync_id: UUID
    attempt: int
    figures: ScanFigures
    #: number of distinct rows that no earlier attempt had staged
    new_rows: int
    seconds: float
    requests: int
    #: calls as a fraction of those that the rate budget allowed in that time
    rate_share: float


def stage_account(context: SyncContext) -> Staged:
    """Take the account's lease and read all pages into staging, resuming an interrupted sync if possible.

    The Dagster run keeps the lease for the audit and the publish. Raises AnotherSyncRunning if another sync holds it;
    any other failure is recorded as the attempt's end in the ledger and passed on.
    """
    lease = _lease(context)
    calls = RequestLog(context.database)
    with attempt(context, lease, calls.obstacle):
        log.info("sync_resumed" if lease.resumed else "sync_started", approved=lease.approved)
        note_marketplaces(context.database, context.settings, context.dagster_instance_id)
        staging.discard_remains(context.database, lease)
        return _stage(context, lease, calls)


def _lease(context: SyncContext) -> Lease:
    settings = context.settings
    liveness.bring_back_signs(context.database, context.account.name)
    try:
        return take_lease(
            context.database,
            context.account.name,
            context.run_id,
            timeout_hours=settings.timeout_hours,
            heartbeat_timeout_seconds=settings.heartbeat_timeout_seconds,
            run_has_ended=context.run_has_ended,
            dagster_instance_id=context.dagster_instance_id,
            anew=context.anew,
        )
    except AnotherSyncRunning as other:
        log.info("sync_already_running", account=context.account.name, message=other.message)
        raise


def _stage(context: SyncContext, lease: Lease, calls: RequestLog) -> Staged:
    began = time.monotonic()
    before = ledger.read(context.database, lease.sync_id).total_offers_processed if lease.resumed else 0
    budget = context.budget()
    timeouts = timeouts_of(context.settings)
    client = MarketplaceClient(context.account, budget, record=calls.record, waits=calls.waits, timeouts=timeouts)
    readers = Readers(lambda: calls_under_way(calls.latency_seconds, 1 / budget.pace_seconds))
    try:
        with context.database.hurried_when_interrupted():  # before waiting for the readers, which may use it too
            Scan(context, lease, client, readers, calls).run()
    finally:
        client.abort()
        readers.close()
        client.close()
        calls.close()
    seconds = time.monotonic() - began
    figures = audit.figures(context.database, lease.sync_id)
    took = {"requests": calls.count, "seconds": round(seconds, 2)}
    log.info("scan_staged", pages=figures.pages_staged, offers=figures.rows, **took)
    return Staged(
        sync_id=lease.sync_id,
        attempt=lease.attempt,
        figures=figures,
        new_rows=max(0, figures.rows - before),
        seconds=seconds,
        requests=calls.count,
        rate_share=calls.count * budget.pace_seconds / seconds,
    )


class Scan:
    """One attempt to read an account."""

    def __init__(
        self, context: SyncContext, lease: Lease, client: MarketplaceClient, readers: Readers, log: RequestLog
    ) -> None:
        settings = context.settings
        sync = ledger.read(context.database, lease.sync_id)
        self._context = context
        self._lease = lease
        self._client = client
        self._readers = readers
        self._log = log
        self._progress = ProgressReporter(context.report, settings.progress_interval_seconds)
        self._began: datetime = sync.started_at
        self._deadline: datetime = sync.deadline_at
        self._count_before: int | None = sync.offers_expected if lease.resumed else None
        self._counted_at: datetime = sync.started_at
        self._page_size = PageSize(context.database, lease.account, settings.page_size)
        self._habits = remembered.habits(context.database, lease.account)
        if self._habits.ignores_odd_sizes:
            self._page_size.keep_to_usual()
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
            published=_nothing if context.anew else partial(_remembered, context.database, lease.account),
            ignores_odd_sizes=self._habits.ignores_odd_sizes,
        )

    def run(self) -> None:
        """Read and stage until the audit can judge the scan.

        Raises PageBoundExceeded before the first page, ParametersIgnored after a few calls, ScanNotProven if the
        listing cannot be proven complete, SyncTimedOut, and the errors of the client and the database.
        """
        if self._lease.approved:  # a person approved this scan: its pages are not read again
            self._confirm()
            return
        self._scan = completeness.ScanDecisions(self._situation())
        if self._count_before is not None:
            self._restore(self._count_before)
            self._begin_progress(self._count_before)
        while self._scan.verdict is None:
            asked = self._reader.read(self._scan)
            if asked is Ask.COUNT:
                self._count()
            elif asked is Ask.CONFIRM and (lost := self._reader.lost()):
                log.warning("staging_lost", windows=lost)
                self._restore(self._scan.count_before)
            elif asked is Ask.CONFIRM:
                statistics.renew_staged(self._context.database, self._lease.account)
                self._confirm()
                self._scan.confirmed(*confirm.answered(self._context.database, self._lease))
            elif self._reader.needs_new_plan:
                self._plan_anew()
            elif self._scan.verdict is None:
                raise self._lost()
            if self._scan.verdict is None:
                self._require_time()
        self._end(self._scan.verdict)

    def _situation(self) -> Situation:
        database, account = self._context.database, self._lease.account
        order = remembered.read_order(database, account)
        return Situation(
            page_size=self._page_size.size,
            most_offers=self._context.settings.max_pages * OFFERS_A_PAGE,
            previous=None if order is None else PreviousOrder(order),
            reorders=self._habits.reorders,
            ignores_odd_sizes=self._reader.ignores_odd_sizes,
        )

    def _count(self) -> None:
        count = self._client.count()
        self._counted_at = datetime.now(UTC)
        if self._scan.count_before < 0:
            self._reader.obedience = self._client.obedience()
            self._reader.obedience.judge_count(count)
            pages = bounded(self._lease.account, count.rows, self._context.settings.max_pages)
            size = self._page_size.size
            seconds = scan_seconds(count.rows, size, self._context.budget().pace_seconds, self._readings_due)
            self._deadline = staging.plan(
                self._context.database, self._lease, pages=pages, offers=count.rows, seconds=with_room(seconds)
            )
            plan = {"pages": pages, "offers": count.rows, "page_size": size, "seconds": round(seconds)}
            log.info("scan_planned", **plan, until=iso(self._deadline))
            self._begin_progress(count.rows)
        self._scan.counted(count.rows)

    def _plan_anew(self) -> None:
        """Continue with pages of a usual size; the rows read so far are kept."""
        self._page_size.keep_to_usual()
        self._restore(self._scan.count_before)

    def _restore(self, count_before: int) -> None:
        """Restart the decisions from the staged windows."""
        self._scan = completeness.ScanDecisions(self._situation())
        self._reader.restore(self._scan, count_before)

    def _begin_progress(self, offers: int) -> None:
        reached = min(self._scan.reached, offers)
        self._progress.begin(
            pages=hundreds(offers),
            offers=offers,
            pages_done=hundreds(reached),
            offers_done=len(self._scan.seen),
            readings=self._readings_due,
        )

    @property
    def _readings_due(self) -> int:
        return readings_due(self._page_size.size, ignores_odd_sizes=self._reader.ignores_odd_sizes)

    def _note_staged(self, reached: Reached, pages: Sequence[Page]) -> None:
        self._log.flush()
        log.debug("pages_staged", pages=[page.number for page in pages], offers=sum(len(page.ids) for page in pages))
        self._progress.note(reached, offers=len(self._scan.seen))

    def _require_time(self) -> None:
        if datetime.now(UTC) < self._deadline:
            return
        hours, had = self._context.settings.timeout_hours, (self._deadline - self._began).total_seconds() / 3600
        extended = f", extended to {had:.1f} for its number of calls" if had > hours + 0.05 else ""
        raise SyncTimedOut(
            "the sync reached its time limit",
            where=self._lease.where,
            why=f"EMAG_SYNC_TIMEOUT_HOURS is {hours:g}{extended}",
            remedy="The next run begins a new sync; raise the limit if the catalogue needs more time",
        )

    def _confirm(self) -> None:
        """Read missing offers by id, unless they are so many that the audit will refuse the scan."""
        figures = audit.figures(self._context.database, self._lease.sync_id)
        if self._lease.approved or figures.vanished_share <= self._context.settings.max_shrink:
            given_up = staging.unreadable_positions(self._context.database, self._lease)
            confirm.confirm_missing(
                self._context.database,
                self._lease,
                self._client,
                self._readers,
                self._log,
                self._require_time,
                unreadable=len(given_up) - figures.unreadable_by_id,
            )

    def _end(self, verdict: Complete | Refused) -> None:
        scan, database = self._scan, self._context.database
        is_new = self._reader.ignores_odd_sizes and not self._habits.ignores_odd_sizes
        if is_new or (scan.chain is not None and scan.chain.is_disobeyed):
            remembered.note_habits(database, self._lease.account, Habits(ignores_odd_sizes=True))
        if isinstance(verdict, Refused):
            raise self._refusal(verdict)
        if scan.order.inversions >= _HABIT:
            remembered.note_habits(database, self._lease.account, Habits(reorders=True))
        if (order := listing_order_of(scan)) is not None:
            remembered.keep_order(database, self._lease, order)
        self._reader.end(scan)
        marks = list(verdict.marks)
        ages = audit.ages(database, self._lease, self._counted_at)
        found = {"count_after": scan.count_after, "proven": 1, "marks": marks, **ages, **asdict(evidence_of(scan))}
        audit.note_ending(database, self._lease, found)
        self._page_size.proven()
        is_remarkable = any(not one.startswith(REMAINDER) for one in marks)
        (log.warning if is_remarkable else log.info)(
            "scan_proven", readings=scan.readings.number, count=scan.count_after, marks=marks
        )

    def _lost(self) -> ScanNotProven:
        """The error of a scan with neither a verdict nor anything left to read, which would loop for ever."""
        scan = self._scan
        return ScanNotProven(
            "the scan cannot be proven complete: it does not know what to read next",
            where=self._lease.where,
            why=f"reading {scan.readings.number}, {len(scan.seen):,} of {scan.count_before:,} counted offers were seen",
            remedy="This is a bug in the pipeline: report it with this line; the next run starts from scratch",
        )

    def _refusal(self, verdict: Refused) -> PipelineError:
        if verdict.fault is Fault.IGNORED_PAGE:
            why = f"other pages show the rows of page 1, up to {verdict.where}"
            return ignored("currentPage", why, self._lease.account)
        remedy = "Nothing was published; the next run starts from scratch"
        if verdict.fault is Fault.ENDLESS:
            remedy += f"; raise EMAG_SYNC_MAX_PAGES ({self._context.settings.max_pages}) if the catalogue is larger"
        return ScanNotProven(
            f"the scan cannot be proven complete: {verdict.fault.value}",
            where=self._lease.where,
            why=f"seen at {verdict.where}; the marketplace counts {self._scan.count_before:,} offers, "
            f"{len(self._scan.seen):,} were seen",
            remedy=remedy,
        )


def _remembered(database: Database, account: str, ids: Collection[int]) -> Mapping[int, AsPublished]:
    """The digests of published rows; nothing if they cannot be read, so that all rows are parsed."""
    try:
        return remembered.find_digests(database, account, ids)
    except PipelineError as error:  # the API call has succeeded and must be recorded in any case
        log.warning("rows_not_remembered", error=error.message)
        return {}


def _nothing(_: Collection[int]) -> Mapping[int, AsPublished]:
    """No digests, so that all rows are parsed and their digests are recorded again."""
    return {}
