"""Records for monitoring: check results, counters, sensor ticks."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import simplejson

from emag_pipeline.store.engine import Database
from emag_pipeline.store.rows import rows_of
from emag_pipeline.store.sql import statements
from emag_pipeline.store.transaction import Transaction
from emag_pipeline.wording import iso

_SQL = statements("store/monitoring_tables.sql")
_TIMEOUT_SECONDS = 30
_MOST_ROWS = 20


@dataclass(frozen=True, slots=True)
class Said:
    """The result of a check for a subject (an account or a marketplace), to be recorded.

    `part` is the day for checks of a single day. `severity` is ERROR or WARN; `sample` holds some of the findings.
    `run_id` is None if the check was not run by a Dagster run.
    """

    subject: str
    check: str
    asset: str
    severity: str
    passed: bool
    sentence: str
    remedy: str = ""
    findings: int | None = None
    sample: Sequence[Mapping[str, Any]] = ()
    part: str = ""
    run_id: str | None = None


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The last recorded result of a check. Times are UTC; `failing_since` is None while it passes."""

    subject: str
    check: str
    part: str
    asset: str
    severity: str
    passed: bool
    sentence: str
    remedy: str
    findings: int | None
    run_id: str | None
    checked_at: datetime
    failing_since: datetime | None

    @property
    def is_reported_by_its_account(self) -> bool:
        """Whether the account's own incident reports it: `refused` for an audit check, `stale` for freshness."""
        return self.asset == "staged_offers" or self.check == "offers_are_fresh"

    @property
    def name(self) -> str:
        """For messages, e.g. `published_equals_scan of main`."""
        return f"{self.check} of {self.subject}" + (f" on {self.part}" if self.part else "")


def record_check_result(database: Database, said: Said) -> None:
    """Record the result of a check in place of its previous one. Raises the database's errors."""
    with database.transaction(timeout_seconds=_TIMEOUT_SECONDS) as tx:
        tx.run(
            _SQL["record_check_result"],
            subject=said.subject,
            check=said.check,
            part=said.part,
            asset=said.asset,
            severity=said.severity,
            passed=said.passed,
            said=said.sentence,
            remedy=said.remedy,
            findings=said.findings,
            sample=json.dumps(said.sample[:_MOST_ROWS], ensure_ascii=True, default=_in_json),
            run=said.run_id,
        )


def _in_json(value: Any) -> str:
    return iso(value) if isinstance(value, datetime) else str(value)


def check_results(database: Database, subjects: Sequence[str]) -> list[CheckResult]:
    """The last results for these accounts and marketplaces; failures first, the oldest failure at the top."""
    with database.transaction(timeout_seconds=_TIMEOUT_SECONDS) as tx:
        return rows_of(tx.run(_SQL["check_results"], subjects=list(subjects)), CheckResult)


# Monotonic counters (emag_counters) behind the metrics; they survive restarts and retention.

#: A counter's name and labels.
CounterKey = tuple[str, tuple[tuple[str, str], ...]]
CounterAmounts = Mapping[CounterKey, float]

OFFERS_PROCESSED = "emag_sync_offers_processed_total"


def add_offers_processed(tx: Transaction, account: str, offers: int) -> None:
    """Add a ledger row's count to the counter, before that count is reset or another row becomes the newest.

    Each page updates its ledger row anyway, so offers are counted there and the counter needs no extra write per page.
    The metric is the sum of this counter and the newest row's count, see `monitoring.metrics`.
    """
    if offers:
        add_to_counters(tx, {(OFFERS_PROCESSED, (("account_type", account),)): offers})


def add_to_counters(tx: Transaction, amounts: CounterAmounts) -> None:
    """Raise counters, in a fixed order so that two processes cannot deadlock."""
    rows: list[dict[str, Any]] = [
        {"name": name, "labels": simplejson.dumps(dict(labels), sort_keys=True), "amount": amount}
        for (name, labels), amount in sorted(amounts.items())
    ]
    tx.run_many(
        _SQL["add_to_counter"],
        rows,
    )


# When each sensor last ran (emag_sensor_ticks): if the daemon is dead, no ticks are recorded.
#
# The sensor records it before Dagster stores its result. Whether that succeeded is read from Dagster
# (`dagster_runs.daemon`) by the sensor `run_failures` and by `emag-pipeline doctor`.


def note_tick(database: Database, sensor: str) -> None:
    """Record a finished evaluation; the last call of every sensor."""
    with database.transaction(timeout_seconds=30) as tx:
        tx.run(
            """INSERT INTO emag_sensor_ticks (sensor, ticked_at) VALUES (:sensor, clock_timestamp())
               ON CONFLICT (sensor) DO UPDATE SET ticked_at = excluded.ticked_at""",
            sensor=sensor,
        )


def tick_ages(database: Database) -> dict[str, float]:
    """Seconds since each sensor's last evaluation, by name; sensors that never ran are missing."""
    with database.transaction(timeout_seconds=30) as tx:
        rows = tx.run(
            "SELECT sensor, extract(epoch FROM clock_timestamp() - ticked_at)::float8 AS age FROM emag_sensor_ticks"
        )
        return {row.sensor: row.age for row in rows}
