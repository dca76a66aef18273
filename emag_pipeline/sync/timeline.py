"""The course of a scan over time, condensed for charts: its pages (emag_scan_pages) and its calls (emag_requests)."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from emag_pipeline.store.engine import Database
from emag_pipeline.store.sql import statements
from emag_pipeline.store.transaction import Transaction
from emag_pipeline.sync import ledger
from emag_pipeline.sync.published import TIMEOUT_SECONDS

#: Points of a chart, and steps of a sparkline.
_POINTS = 60
_STEPS = 24
_MOST_PAUSES = 8


@dataclass(frozen=True, slots=True)
class ScanTimeline:
    """A scan's calls, in seconds since its sync began."""

    #: until the last page or call
    seconds: float
    pages_expected: int
    #: for each reading of all pages: (time, number of pages read by then)
    readings: list[list[tuple[float, int]]]
    answered: int
    failed: int
    #: failed calls that exceeded the rate limit (HTTP 429)
    limited: int
    failed_at: list[float]
    limited_at: list[float]
    #: the longest periods without a call in progress
    pauses: list[tuple[float, float]]
    #: number of successful responses in each of _STEPS equal periods
    answers_over_time: list[int]

    @property
    def longest_pause_seconds(self) -> float:
        """0 if there was no pause."""
        return max((end - start for start, end in self.pauses), default=0.0)


def newest_scan(database: Database, account: str) -> UUID | None:
    """The account's newest sync that read a page."""
    with database.transaction(timeout_seconds=TIMEOUT_SECONDS) as tx:
        found: UUID | None = tx.run(
            """SELECT sync_id FROM emag_offer_syncs
               WHERE account_type = :account AND pages_done > 0 ORDER BY sync_number DESC LIMIT 1""",
            account=account,
        ).scalar_one_or_none()
    return found


def timeline(database: Database, sync_id: UUID) -> ScanTimeline:
    """The sync's scan. Its pages are available until the account's next sync begins, its calls for 30 days."""
    with database.transaction(timeout_seconds=TIMEOUT_SECONDS) as tx:
        account = ledger.read_in(tx, sync_id).account
        scan = _run(tx, "scan", sync=sync_id, account=account).one()
        scope = {"account": account, "from": scan.started_at, "until": scan.until}
        readings: dict[int, list[tuple[float, int]]] = {}
        for row in _run(tx, "pages", sync=sync_id, account=account, points=_POINTS):
            readings.setdefault(row.reading, []).append((row.at, row.pages))
        calls = _run(tx, "calls", **scope).one()
        failures = _run(tx, "failures", **scope, points=_POINTS).all()
        pauses = _run(tx, "pauses", **scope, most=_MOST_PAUSES).all()
        steps = {row.step: row.answers for row in _run(tx, "answers_over_time", **scope, steps=_STEPS)}
    return ScanTimeline(
        seconds=scan.seconds,
        pages_expected=scan.pages_expected or 0,
        readings=[readings[number] for number in sorted(readings)],
        answered=calls.answered,
        failed=calls.failed,
        limited=calls.limited,
        failed_at=[row.at for row in failures if not row.is_limited],
        limited_at=[row.at for row in failures if row.is_limited],
        pauses=[(row.start, row.end) for row in pauses],
        answers_over_time=[steps.get(step, 0) for step in range(1, _STEPS + 1)] if steps else [],
    )


def _run(tx: Transaction, name: str, **scope: Any) -> Any:
    return tx.run(statements("sync/timeline.sql")[name], **scope)
