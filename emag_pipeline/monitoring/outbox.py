"""The outbox: incidents that the webhook has still to be told. What it does not take is told at a later call.

Called by the sensors and by the exporter, never by a run: a webhook that fails harms nothing, and shows in the
counter `emag_sync_alerts_total` and in the log.
"""

import time
from collections.abc import Collection
from typing import Any

from pydantic import SecretStr

from emag_pipeline.logs import logger
from emag_pipeline.monitoring import alerts, webhook
from emag_pipeline.monitoring.alerts import Document
from emag_pipeline.monitoring.incident_table import CAUSE, COLUMNS, TIMEOUT_SECONDS, Incident
from emag_pipeline.settings import Settings
from emag_pipeline.store import counters
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.status import account_statuses

# What of the incidents the webhook has still to be told; each is claimed first, so that two processes do not tell it.
#
# A row is told once a cause (`incident_table.CAUSE`). One that has closed untold is not told at all.

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
    """Take, for so many seconds, all told incidents of one subject that has recovered, and whose end was not told."""
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


log = logger(__name__)

#: Of one call of `deliver`, so that a slow webhook delays no sensor for long.
_PATIENCE_SECONDS = 20.0
#: Longer than one post takes; a process that dies while it tells leaves the incident to others after that.
_CLAIM_SECONDS = 60.0


def deliver(database: Database, settings: Settings) -> None:
    """Tell every incident that was not told, and every end. Stops at the first message that is not taken.

    Without EMAG_ALERT_WEBHOOK_URL nothing is told, and nothing is lost: what is open then is told once there is one.
    Raises DatabaseUnavailable.
    """
    url = settings.alert_webhook_url
    if url is None:
        return
    until = time.monotonic() + _PATIENCE_SECONDS
    for tell in (_tell_alert, _tell_end):
        while time.monotonic() < until and (taken := tell(database, settings, url)) is not None:
            if not taken:
                return


def _tell_alert(database: Database, settings: Settings, url: SecretStr) -> bool | None:
    """Tell the next alert; None when there is none, else whether it was taken."""
    incident = claim_alert(database, _CLAIM_SECONDS)
    if incident is None:
        return None
    if _post(url, alerts.alert(incident, settings)):
        note_alert_told(database, incident)
        return True
    note_untold(database, [incident])
    return False


def _tell_end(database: Database, settings: Settings, url: SecretStr) -> bool | None:
    ended = claim_end(database, _CLAIM_SECONDS)
    if not ended:
        return None
    subject = ended[0].subject
    is_account = any(account.name == subject for account in settings.accounts)
    offers = account_statuses(database, [subject])[0].offers if is_account else None
    if _post(url, alerts.all_clear(ended, settings, offers)):
        note_end_told(database, ended)
        return True
    note_untold(database, ended)
    return False


def _post(url: SecretStr, document: Document) -> bool:
    wrong = webhook.post(url, document)
    about = {"subject": document["subject"], "state": document["state"]}
    if wrong:
        log.warning("alert_not_told", why=wrong, remedy="It is tried again; see EMAG_ALERT_WEBHOOK_URL", **about)
    else:
        log.info("alert_told", **about)
    return not wrong
