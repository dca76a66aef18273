"""Incidents (emag_incidents): what is wrong until it is resolved; `monitoring.outbox` is about telling them.

There is one open row a subject and kind, and one for `failing` and `refused` together: two states of one trouble, an
account that does not publish. Another cause is another row: it begins when it was found, while the row before is closed
without a word. The end is told of all of them at once, from the first one's beginning.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from emag_pipeline.store.engine import Database

#: What makes an incident news: of a refusal its remedy, which names the sync that a person is to judge, of any other
#: kind its error class.
CAUSE = "CASE kind WHEN 'refused' THEN remedy ELSE coalesce(error_class, '') END"
COLUMNS = f"""incident_id, subject, kind, error_class, message, remedy, dagster_run_id, opened_at, seen_at,
    closed_at, told_at, {CAUSE} AS cause"""
#: The same of what was found.
_CAUSE_FOUND = "CASE CAST(:kind AS text) WHEN 'refused' THEN CAST(:remedy AS text) ELSE coalesce(:error_class, '') END"
TIMEOUT_SECONDS = 30


_SAME_TROUBLE = """subject = :subject AND closed_at IS NULL AND
    (kind = :kind OR (kind IN ('failing', 'refused') AND CAST(:kind AS text) IN ('failing', 'refused')))"""


@dataclass(frozen=True, slots=True)
class IncidentFinding:
    """What is wrong now with a subject: an account, or a part of the pipeline such as `daemon`."""

    subject: str
    kind: str
    message: str
    remedy: str
    error_class: str | None = None
    run_id: str | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    """One row: what is or was wrong. Times are UTC; `closed_at` is None while it is open, `told_at` while untold."""

    incident_id: int
    subject: str
    kind: str
    error_class: str | None
    message: str
    remedy: str
    dagster_run_id: str | None
    opened_at: datetime
    seen_at: datetime
    closed_at: datetime | None
    told_at: datetime | None
    #: what a further alert must differ in
    cause: str


def note(database: Database, finding: IncidentFinding) -> bool:
    """Write down that something is wrong, or still is. Returns whether that is news: a first or another cause."""
    values = {
        "subject": finding.subject,
        "kind": finding.kind,
        "message": finding.message,
        "remedy": finding.remedy,
        "error_class": finding.error_class,
        "run": finding.run_id,
    }
    with database.transaction(timeout_seconds=TIMEOUT_SECONDS) as tx:
        before = tx.run(f"""SELECT 1 FROM emag_incidents WHERE {_SAME_TROUBLE} FOR UPDATE""", **values).one_or_none()
        if before is not None:
            after = tx.run(
                f"""UPDATE emag_incidents
                    SET message = :message, remedy = :remedy, dagster_run_id = :run, seen_at = clock_timestamp()
                    WHERE {_SAME_TROUBLE} AND kind = :kind AND {CAUSE} = {_CAUSE_FOUND} RETURNING 1""",
                **values,
            ).one_or_none()
            if after is not None:
                return False
            tx.run(
                f"""UPDATE emag_incidents SET closed_at = greatest(opened_at, clock_timestamp())
                    WHERE {_SAME_TROUBLE}""",
                **values,
            )
        tx.run(
            """INSERT INTO emag_incidents (subject, kind, error_class, message, remedy, dagster_run_id)
               VALUES (:subject, :kind, :error_class, :message, :remedy, :run)
               ON CONFLICT (subject, kind) WHERE closed_at IS NULL DO NOTHING""",
            **values,
        )
        return True


def close(database: Database, subject: str, *, well_at: datetime, still: Collection[str] = ()) -> list[Incident]:
    """Close the subject's incidents that began before it was well, except of the kinds that are `still` found.

    One that lies ahead of the clock, which was set back since, began before.
    """
    with database.transaction(timeout_seconds=TIMEOUT_SECONDS) as tx:
        rows = tx.run(
            f"""UPDATE emag_incidents SET closed_at = greatest(opened_at, :at)
                WHERE subject = :subject AND closed_at IS NULL
                  AND (opened_at <= :at OR opened_at > clock_timestamp() + interval '1 minute')
                  AND NOT (kind = ANY(CAST(:still AS text[])))
                RETURNING {COLUMNS}""",
            subject=subject,
            at=well_at,
            still=list(still),
        ).all()
    return [Incident(**row._mapping) for row in rows]


def forget_others(database: Database, subjects: Collection[str], unseen_seconds: float) -> None:
    """Close, without a word, the incidents of what is no longer there, as an account taken out of the settings.

    Those that somebody has seen within so many seconds stay: they are another installation's on the same database.
    """
    with database.transaction(timeout_seconds=TIMEOUT_SECONDS) as tx:
        tx.run(
            """UPDATE emag_incidents SET closed_at = now(), end_told_at = now()
               WHERE closed_at IS NULL AND NOT (subject = ANY(CAST(:subjects AS text[])))
                 AND seen_at <= clock_timestamp() - :unseen * interval '1 second'""",
            subjects=list(subjects),
            unseen=unseen_seconds,
        )


def open_incidents(database: Database) -> list[Incident]:
    """What is wrong now, the oldest first."""
    with database.transaction(timeout_seconds=TIMEOUT_SECONDS) as tx:
        rows = tx.run(
            f"SELECT {COLUMNS} FROM emag_incidents WHERE closed_at IS NULL ORDER BY opened_at, incident_id"
        ).all()
    return [Incident(**row._mapping) for row in rows]
