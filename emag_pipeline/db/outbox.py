"""What of the incidents the webhook has still to be told; each is claimed first, so that two processes do not tell it.

A row is told once a cause (`db.incidents.CAUSE`). One that has closed untold is not told at all.
"""

from collections.abc import Collection
from typing import Any

from emag_pipeline.db import counters
from emag_pipeline.db.engine import Database
from emag_pipeline.db.incidents import CAUSE, COLUMNS, TIMEOUT_SECONDS, Incident

_UNCLAIMED = "(claimed_until IS NULL OR claimed_until < clock_timestamp())"
_CLAIM = "claimed_until = clock_timestamp() + :seconds * interval '1 second'"


def claim_alert(database: Database, claim_seconds: float) -> Incident | None:
    """Take the oldest open incident whose cause has not been told, for so many seconds.

    `stale` is told only once it was found twice: after a long stop, the first look finds what is being refreshed.
    """
    with database.transaction(timeout_seconds=TIMEOUT_SECONDS) as tx:
        row = tx.run(
            f"""UPDATE emag_incidents SET {_CLAIM} WHERE incident_id =
                    (SELECT incident_id FROM emag_incidents
                     WHERE closed_at IS NULL AND told_cause IS DISTINCT FROM {CAUSE} AND {_UNCLAIMED}
                       AND (kind <> 'stale' OR seen_at > opened_at)
                     ORDER BY incident_id LIMIT 1 FOR UPDATE SKIP LOCKED)
                RETURNING {COLUMNS}""",
            seconds=claim_seconds,
        ).one_or_none()
    return None if row is None else Incident(**row._mapping)


def claim_end(database: Database, claim_seconds: float) -> list[Incident]:
    """Take, for so many seconds, all told incidents of one subject that is well again, and whose end was not told."""
    with database.transaction(timeout_seconds=TIMEOUT_SECONDS) as tx:
        rows = tx.run(
            f"""WITH well AS (
                    SELECT subject FROM emag_incidents GROUP BY subject
                    HAVING bool_and(closed_at IS NOT NULL)
                       AND bool_or(end_told_at IS NULL AND told_at IS NOT NULL AND {_UNCLAIMED})
                    ORDER BY subject LIMIT 1)
                UPDATE emag_incidents i SET {_CLAIM} FROM well
                WHERE i.subject = well.subject AND end_told_at IS NULL AND told_at IS NOT NULL AND {_UNCLAIMED}
                RETURNING {COLUMNS.replace("subject", "i.subject")}""",
            seconds=claim_seconds,
        ).all()
    return [Incident(**row._mapping) for row in rows]


def note_alert_told(database: Database, told: Incident) -> None:
    """The webhook has taken the alert."""
    _settle(
        database,
        [told],
        "told",
        "told_at = clock_timestamp(), told_cause = :cause, claimed_until = NULL",
        cause=told.cause,
    )


def note_end_told(database: Database, told: Collection[Incident]) -> None:
    """The webhook has taken the message that these incidents are over."""
    _settle(database, told, "told", "end_told_at = clock_timestamp()")


def note_untold(database: Database, untold: Collection[Incident]) -> None:
    """The webhook has not taken the message: it is to be told later."""
    _settle(database, untold, "failed", "claimed_until = NULL")


def _settle(database: Database, incidents: Collection[Incident], outcome: str, change: str, **parameters: Any) -> None:
    with database.transaction(timeout_seconds=TIMEOUT_SECONDS) as tx:
        tx.run(
            f"UPDATE emag_incidents SET {change} WHERE incident_id = ANY(:ids)",
            ids=[incident.incident_id for incident in incidents],
            **parameters,
        )
        counters.add(tx, {("emag_sync_alerts_total", (("outcome", outcome),)): 1})
