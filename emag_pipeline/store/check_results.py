"""What each check said last (emag_check_results), for status, `/health`, metrics, incidents, SQL."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from emag_pipeline.store.engine import Database
from emag_pipeline.wording import iso

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


_COLUMNS = """subject, check_name AS check, part, asset, severity, passed, said AS sentence, remedy, findings,
    dagster_run_id AS run_id, checked_at, failing_since"""


def record(database: Database, said: Said) -> None:
    """Keep what a check says instead of what it said before. Raises the errors of the database."""
    with database.transaction(timeout_seconds=_TIMEOUT_SECONDS) as tx:
        tx.run(
            """INSERT INTO emag_check_results AS before
                   (subject, check_name, part, asset, severity, passed, said, remedy, findings, sample,
                    dagster_run_id, checked_at, failing_since)
               VALUES (:subject, :check, :part, :asset, :severity, :passed, :said, :remedy, :findings,
                       CAST(:sample AS jsonb), :run, clock_timestamp(),
                       CASE WHEN :passed THEN NULL ELSE clock_timestamp() END)
               ON CONFLICT (subject, check_name, part) DO UPDATE SET
                   asset = excluded.asset, severity = excluded.severity, passed = excluded.passed,
                   said = excluded.said, remedy = excluded.remedy, findings = excluded.findings,
                   sample = excluded.sample, dagster_run_id = excluded.dagster_run_id,
                   checked_at = excluded.checked_at,
                   failing_since = CASE WHEN excluded.passed THEN NULL
                                        ELSE coalesce(before.failing_since, excluded.failing_since) END""",
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
            f"""SELECT {_COLUMNS} FROM emag_check_results
                WHERE subject = ANY(CAST(:subjects AS text[]))
                ORDER BY failing_since NULLS LAST, subject, check_name, part""",
            subjects=list(subjects),
        ).all()
    return [CheckResult(**row._mapping) for row in rows]
