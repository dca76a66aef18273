"""What other slices record for monitoring: results of checks, counters, ticks of sensors."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import simplejson

from emag_pipeline.store.engine import Database
from emag_pipeline.store.sql import statements
from emag_pipeline.store.transaction import Transaction
from emag_pipeline.wording import iso

_SQL = statements("store/monitoring_tables.sql")
_TIMEOUT_SECONDS = 30
_MOST_ROWS = 20


@dataclass(frozen=True, slots=True)
class Said:
    """What a check says of a subject: an account, or a marketplace. `part` is the day where a check judges one day.

    `severity` is ERROR or WARN; `sample` some of what was found. `run_id` is None when no Dagster run asked.
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
    """One row: the last answer of a check. Times are UTC; `failing_since` is None while it passes."""

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
    def is_told_by_its_account(self) -> bool:
        """Whether the account's own incident tells of it: `refused` of an audit's check, `stale` of freshness."""
        return self.asset == "staged_offers" or self.check == "offers_are_fresh"

    @property
    def name(self) -> str:
        """As people call it, e.g. `published_equals_scan of main`."""
        return f"{self.check} of {self.subject}" + (f" on {self.part}" if self.part else "")


def record_check_result(database: Database, said: Said) -> None:
    """Keep what a check says instead of what it said before. Raises the errors of the database."""
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
    """The last answers about these accounts and marketplaces; those that do not pass come first, the oldest of them."""
    with database.transaction(timeout_seconds=_TIMEOUT_SECONDS) as tx:
        rows = tx.run(
            _SQL["check_results"],
            subjects=list(subjects),
        ).all()
    return [CheckResult(**row._mapping) for row in rows]


# Counters that only grow (emag_counters): what metrics are made of; they survive restarts and retention.

#: By how much to raise which counter, by name and labels.
CounterKey = tuple[str, tuple[tuple[str, str], ...]]
CounterAmounts = Mapping[CounterKey, float]

OFFERS_PROCESSED = "emag_sync_offers_processed_total"


def add_offers_processed(tx: Transaction, account: str, offers: int) -> None:
    """Take over what a ledger row has counted, before its count is reset or another row becomes the newest.

    The ledger counts the offers of each page in the row that a page changes anyway, so the counter costs no write
    of its own. The metric is this counter and the newest row's count together, see `monitoring.metrics`.
    """
    if offers:
        add_to_counters(tx, {(OFFERS_PROCESSED, (("account_type", account),)): offers})


def add_to_counters(tx: Transaction, amounts: CounterAmounts) -> None:
    """Raise counters, by (name, labels); in one order, so that two processes cannot deadlock."""
    rows: list[dict[str, Any]] = [
        {"name": name, "labels": simplejson.dumps(dict(labels), sort_keys=True), "amount": amount}
        for (name, labels), amount in sorted(amounts.items())
    ]
    tx.run_many(
        _SQL["add_to_counter"],
        rows,
    )


# When each sensor last ran (emag_sensor_ticks): a daemon that is dead falls silent here.
#
# It is noted by the sensor itself, before Dagster stores what it returned: whether that succeeded, Dagster is asked
# (`dagster_runs.ticks`) by the sensor `run_failures` and by `emag-pipeline doctor`.


def note_tick(database: Database, sensor: str) -> None:
    """Say that a sensor has just finished an evaluation, as the last thing that it does."""
    with database.transaction(timeout_seconds=30) as tx:
        tx.run(
            """INSERT INTO emag_sensor_ticks (sensor, ticked_at) VALUES (:sensor, clock_timestamp())
               ON CONFLICT (sensor) DO UPDATE SET ticked_at = excluded.ticked_at""",
            sensor=sensor,
        )


def tick_ages(database: Database) -> dict[str, float]:
    """Seconds since each sensor's last evaluation; a sensor that never ran is missing."""
    with database.transaction(timeout_seconds=30) as tx:
        rows = tx.run(
            "SELECT sensor, extract(epoch FROM clock_timestamp() - ticked_at)::float8 AS age FROM emag_sensor_ticks"
        )
        return {row.sensor: row.age for row in rows}
