"""The messages to the webhook: a sentence for people (Slack's `text`), and the same in fields for programs.

The document of an alert, and of the message that it is resolved:

text      the problem, the remedy, and where to look
state     open, or closed when it is resolved
subject   the account, or a part of the pipeline such as `daemon`
account   the account, null for another subject
kind      failing, refused, stale, stuck, silent or red (a check); when closed, a list of those that ended
cause     what is wrong and why; null when closed
error_class   the name of the error (docs/runbook.md), null when there is none
remedy    what to do; null when closed
run_url   the Dagster run, null when there is none
since     when it began (ISO 8601, UTC)
"""

from collections.abc import Sequence
from typing import Any

from emag_pipeline.monitoring.incidents import Incident
from emag_pipeline.settings import Settings
from emag_pipeline.wording import age, counted, iso

Document = dict[str, Any]

#: Every kind of incident, with how its message begins.
HEADLINES = {
    "failing": "{subject} is failing",
    "refused": "{subject} needs a decision",
    "stale": "{subject} is stale",
    "stuck": "{subject} is stuck",
    "silent": "the {subject} is silent",
    "red": "{subject} fails",
}


def alert(incident: Incident, settings: Settings) -> Document:
    """The message that an incident is open."""
    url = run_url(settings, incident.dagster_run_id)
    headline = HEADLINES[incident.kind].format(subject=incident.subject)
    parts = [f"{headline}: {incident.message}.", f"{incident.remedy}." if incident.remedy else "", url or ""]
    return {
        "text": _escaped(" ".join(part for part in parts if part)),
        "state": "open",
        "kind": incident.kind,
        **_subject(incident, settings),
        "cause": incident.message,
        "error_class": incident.error_class,
        "remedy": incident.remedy,
        "run_url": url,
        "since": iso(incident.opened_at),
    }


def all_clear(ended: Sequence[Incident], settings: Settings, offers: int | None) -> Document:
    """The message that a subject has recovered; `offers`: how many the account has published, if it is one."""
    first = min(ended, key=lambda incident: incident.opened_at)
    closed_at = max(incident.closed_at or incident.seen_at for incident in ended)
    lasted = age((closed_at - first.opened_at).total_seconds())
    published = "" if offers is None else f": {counted(offers, 'offer')} published"
    return {
        "text": _escaped(f"{first.subject} recovered after {lasted}{published}"),
        "state": "closed",
        "kind": sorted({incident.kind for incident in ended}),
        **_subject(first, settings),
        "cause": None,
        "error_class": None,
        "remedy": None,
        "run_url": None,
        "since": iso(first.opened_at),
    }


def run_url(settings: Settings, run_id: str | None) -> str | None:
    """Where Dagster's UI shows a run."""
    return None if run_id is None else f"http://127.0.0.1:{settings.ui_port}/runs/{run_id}"


def _subject(incident: Incident, settings: Settings) -> Document:
    accounts = [account.name for account in settings.accounts]
    return {
        "subject": incident.subject,
        "account": incident.subject if incident.subject in accounts else None,
    }


def _escaped(text: str) -> str:
    """Escape Slack's three control characters: a marketplace's text must not notify a whole channel (`<!channel>`)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
