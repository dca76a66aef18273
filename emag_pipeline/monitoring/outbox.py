"""The outbox: incidents that the webhook has still to be told. What it does not take is told at a later call.

Called by the sensors and by the exporter, never by a run: a webhook that fails harms nothing, and shows in the counter
`emag_sync_alerts_total` and in the log.
"""

import time

from pydantic import SecretStr

from emag_pipeline.db import outbox
from emag_pipeline.db.engine import Database
from emag_pipeline.db.status import account_statuses
from emag_pipeline.logs import logger
from emag_pipeline.monitoring import alerts, webhook
from emag_pipeline.monitoring.alerts import Document
from emag_pipeline.settings import Settings

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
    incident = outbox.claim_alert(database, _CLAIM_SECONDS)
    if incident is None:
        return None
    if _post(url, alerts.alert(incident, settings)):
        outbox.note_alert_told(database, incident)
        return True
    outbox.note_untold(database, [incident])
    return False


def _tell_end(database: Database, settings: Settings, url: SecretStr) -> bool | None:
    ended = outbox.claim_end(database, _CLAIM_SECONDS)
    if not ended:
        return None
    subject = ended[0].subject
    is_account = any(account.name == subject for account in settings.accounts)
    offers = account_statuses(database, [subject])[0].offers if is_account else None
    if _post(url, alerts.all_clear(ended, settings, offers)):
        outbox.note_end_told(database, ended)
        return True
    outbox.note_untold(database, ended)
    return False


def _post(url: SecretStr, document: Document) -> bool:
    wrong = webhook.post(url, document)
    about = {"subject": document["subject"], "state": document["state"]}
    if wrong:
        log.warning("alert_not_told", why=wrong, remedy="It is tried again; see EMAG_ALERT_WEBHOOK_URL", **about)
    else:
        log.info("alert_told", **about)
    return not wrong
