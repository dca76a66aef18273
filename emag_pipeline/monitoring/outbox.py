"""The transactional outbox: incidents, and their ends, that were not yet sent to the webhook.

Incidents are committed first and sent later, repeatedly until the webhook accepts them. So no alert is lost with a
process, and none is sent for a rolled back incident. A row is sent once per cause (`incidents.cause_of`); one that
closed before it was sent is never sent.

Called by the sensors and by the exporter, never by a run: a failing webhook does no harm, and is visible in the counter
`emag_sync_alerts_total` and in the log.
"""

import json
import threading
import time
from collections.abc import Collection
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TimedOut
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from pydantic import SecretStr

from emag_pipeline.logs import logger
from emag_pipeline.monitoring import alerts
from emag_pipeline.monitoring.alerts import Document
from emag_pipeline.monitoring.incidents import TIMEOUT_SECONDS, Incident
from emag_pipeline.settings import Settings
from emag_pipeline.store import monitoring_tables
from emag_pipeline.store.engine import Database
from emag_pipeline.store.rows import row_of, rows_of
from emag_pipeline.store.sql import statements
from emag_pipeline.sync.status import account_statuses

log = logger(__name__)

_SQL = statements("monitoring/outbox.sql")
#: Time limit for one call of `deliver`, so that a slow webhook does not delay a sensor for long.
_DELIVERY_SECONDS = 20.0
#: Longer than one post takes; after that another process may send the incident of a process that died.
_CLAIM_SECONDS = 60.0
#: Time limit for one post. Sensors wait for it, so it is short; a failed message is sent again at their next tick.
DEADLINE_SECONDS = 10.0


def deliver(database: Database, settings: Settings) -> None:
    """Send every unsent incident and end of an incident. Stops at the first message that is not accepted.

    Without EMAG_ALERT_WEBHOOK_URL nothing is sent; incidents that are still open are sent once there is one.
    Raises DatabaseUnavailable.
    """
    url = settings.alert_webhook_url
    if url is None:
        return
    until = time.monotonic() + _DELIVERY_SECONDS
    for tell in (_send_alert, _send_end):
        while time.monotonic() < until and (accepted := tell(database, settings, url)) is not None:
            if not accepted:
                return


def _send_alert(database: Database, settings: Settings, url: SecretStr) -> bool | None:
    """Send the next alert; None if there is none, else whether it was accepted."""
    incident = claim_alert(database, _CLAIM_SECONDS)
    if incident is None:
        return None
    if _send(url, alerts.alert(incident, settings)):
        note_alert_sent(database, incident)
        return True
    note_not_sent(database, [incident])
    return False


def _send_end(database: Database, settings: Settings, url: SecretStr) -> bool | None:
    ended = claim_end(database, _CLAIM_SECONDS)
    if not ended:
        return None
    subject = ended[0].subject
    is_account = any(account.name == subject for account in settings.accounts)
    offers = account_statuses(database, [subject])[0].offers if is_account else None
    if _send(url, alerts.all_clear(ended, settings, offers)):
        note_end_sent(database, ended)
        return True
    note_not_sent(database, ended)
    return False


def _send(url: SecretStr, document: Document) -> bool:
    wrong = post(url, document)
    about = {"subject": document["subject"], "state": document["state"]}
    if wrong:
        log.warning("alert_not_sent", why=wrong, remedy="It is sent again; see EMAG_ALERT_WEBHOOK_URL", **about)
    else:
        log.info("alert_sent", **about)
    return not wrong


# The outbox's rows.


def claim_alert(database: Database, claim_seconds: float) -> Incident | None:
    """Claim, for this many seconds, the oldest open incident whose cause was not sent yet."""
    with database.transaction(timeout_seconds=TIMEOUT_SECONDS) as tx:
        return row_of(tx.run(_SQL["claim_alert"], seconds=claim_seconds), Incident)


def claim_end(database: Database, claim_seconds: float) -> list[Incident]:
    """Claim, for this many seconds, all sent incidents of one recovered subject whose end was not sent yet."""
    with database.transaction(timeout_seconds=TIMEOUT_SECONDS) as tx:
        return rows_of(tx.run(_SQL["claim_end"], seconds=claim_seconds), Incident)


def note_alert_sent(database: Database, sent: Incident) -> None:
    """Record that the webhook accepted the alert."""
    _settle(database, "alert_sent", [sent], "told", cause=sent.cause)


def note_end_sent(database: Database, sent: Collection[Incident]) -> None:
    """Record that the webhook accepted the message that these incidents ended."""
    _settle(database, "end_sent", sent, "told")


def note_not_sent(database: Database, unsent: Collection[Incident]) -> None:
    """Record that the webhook did not accept the message, so that it is sent again."""
    _settle(database, "not_sent", unsent, "failed")


def _settle(database: Database, name: str, incidents: Collection[Incident], outcome: str, **parameters: Any) -> None:
    with database.transaction(timeout_seconds=TIMEOUT_SECONDS) as tx:
        tx.run(_SQL[name], ids=[incident.incident_id for incident in incidents], **parameters)
        monitoring_tables.add_to_counters(tx, {("emag_sync_alerts_total", (("outcome", outcome),)): 1})


# The webhook: one JSON POST within one time limit. Its URL is a secret and appears in no text.
#
# It uses the standard library's client and not `requests`, whose urllib3 logs every path at level debug. Both limit
# only single waits: a response that arrives byte by byte would block a sensor forever. So the call has its own thread,
# which is abandoned at the time limit.


class _NoRedirect(HTTPRedirectHandler):
    """Refuses redirects, which could reveal the URL to another host."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follow none: a redirect counts as a failed response."""


def post(url: SecretStr, document: dict[str, Any], deadline_seconds: float = DEADLINE_SECONDS) -> str:
    """Send the document as JSON. Returns the problem in a few words, empty if it was accepted; never raises."""
    outcome: Future[str] = Future()
    threading.Thread(
        target=lambda: outcome.set_result(_post(url, document, deadline_seconds)), name="webhook", daemon=True
    ).start()
    try:
        return outcome.result(timeout=deadline_seconds)
    except TimedOut:
        return f"no answer within {deadline_seconds:g} seconds"


def _post(url: SecretStr, document: dict[str, Any], seconds: float) -> str:
    """As `post`, without its time limit. Texts of errors are not passed on, because they may contain the URL."""
    try:
        if not url.get_secret_value().startswith(("http://", "https://")):
            return "it is not an http:// or https:// address"
        headers = {"Content-Type": "application/json", "User-Agent": "emag-pipeline"}
        request = Request(url.get_secret_value(), json.dumps(document).encode(), headers, method="POST")  # noqa: S310
        with build_opener(_NoRedirect).open(request, timeout=seconds):
            return ""
    except HTTPError as answer:
        return f"the answer was HTTP {answer.code}"
    except Exception as error:  # unknown host, bad certificate, …: a failed alert must not cause a failure elsewhere
        return f"it cannot be reached ({_kind(error)})"


def _kind(error: Exception) -> str:
    """The innermost class: urllib wraps the socket's error."""
    return type(getattr(error, "reason", None) or error).__name__
