"""The context of one attempt of a sync: account, settings, database, and progress reports."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from emag_pipeline.marketplace import Timeouts
from emag_pipeline.settings import Settings
from emag_pipeline.settings.accounts import Account
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.plan import OFFERS_A_PAGE
from emag_pipeline.sync.rate_budget import DatabaseBudget
from emag_pipeline.sync.staging import Reached

# Progress reports.


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a scan. Seconds and rate are this attempt's; pages are hundreds of positions of the listing."""

    #: number of the current reading of all pages, from 1
    round: int
    pages_done: int
    pages_expected: int
    offers_done: int
    offers_expected: int
    seconds: float
    offers_per_second: float
    #: until all planned readings end, at the pace of the current one; None while the pace is unknown
    remaining_seconds: float | None


class ProgressReporter:
    """Follows a scan and reports its progress, at most once per interval."""

    def __init__(self, report: Callable[[Progress], None], interval_seconds: float) -> None:
        self._report = report
        self._interval = interval_seconds
        self._reported_at = time.monotonic()

    def begin(self, *, pages: int, offers: int, pages_done: int, offers_done: int, readings: int = 1) -> None:
        """Start, possibly after a part done by an earlier attempt. `readings`: planned readings of all pages."""
        self._began = self._reading_began = time.monotonic()
        self._pages, self._offers = max(pages, pages_done), offers
        self._pages_done, self._offers_done = pages_done, offers_done
        self._resumed_offers = offers_done
        self._round, self._due = 1, readings
        self._from = self._position = min(offers, pages_done * OFFERS_A_PAGE)

    def note(self, reached: Reached, *, offers: int) -> None:
        """Note staged pages, and report if the interval has passed. Progress never decreases."""
        now = time.monotonic()
        if reached.reading > self._round:
            self._reading_began, self._from = now, reached.position
        self._pages_done = max(self._pages_done, reached.pages_done)
        self._pages = max(reached.pages_expected, self._pages_done)  # a listing may outgrow its count
        self._offers_done, self._round = offers, max(self._round, reached.reading)
        self._position = reached.position
        if now - self._reported_at >= self._interval:
            self._reported_at = now
            self._report(self._picture(now))

    def _picture(self, now: float) -> Progress:
        seconds = max(now - self._began, 0.001)
        return Progress(
            round=self._round,
            pages_done=self._pages_done,
            pages_expected=self._pages,
            offers_done=self._offers_done,
            offers_expected=self._offers,
            seconds=seconds,
            offers_per_second=(self._offers_done - self._resumed_offers) / seconds,
            remaining_seconds=self._remaining(now),
        )

    def _remaining(self, now: float) -> float | None:
        """Estimated from positions, not from new offers: later readings show hardly any new offers."""
        pace = (self._position - self._from) / max(now - self._reading_began, 0.001)
        left = max(0, self._offers - self._position) + max(0, self._due - self._round) * self._offers
        return left / pace if pace > 0 else None


@dataclass(frozen=True, slots=True)
class SyncContext:
    """One Dagster run's work on one account.

    `run_has_ended` returns whether a run of the Dagster instance `dagster_instance_id` is known to have ended; `report`
    is called with the progress, at most every EMAG_SYNC_PROGRESS_INTERVAL seconds.
    """

    settings: Settings
    database: Database
    account: Account
    run_id: str
    run_has_ended: Callable[[str], bool]
    report: Callable[[Progress], None]
    dagster_instance_id: str | None = None
    #: read all pages, even if an interrupted sync could be resumed
    anew: bool = False

    def budget(self) -> DatabaseBudget:
        """The account's rate budget, shared by all processes."""
        return shared_budget(self.settings, self.database)


def timeouts_of(settings: Settings) -> Timeouts:
    """The time limits of a call: without data, and in total."""
    return Timeouts(read_seconds=settings.silence_seconds, total_seconds=settings.call_seconds)


def shared_budget(settings: Settings, database: Database) -> DatabaseBudget:
    """The rate budget that all processes share, for any account."""
    return DatabaseBudget(database, settings.requests_per_second, settings.requests_per_minute, settings.rate_share)
