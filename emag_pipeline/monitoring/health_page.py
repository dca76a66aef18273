"""`/health`: one look for a person or a probe. 200 when nothing needs a person, else 503; the body is JSON:

healthy         whether the answer is 200
problems        what needs a person: {subject, what, remedy} of `daemon`, `database`, an account, `sensor NAME`, …
at              when this was read (ISO 8601, UTC)
sensors_tick    whether the daemon's sensors look after the accounts; null when the database is away
sensors         seconds since each sensor's last tick, null for one that never did
incidents       what was noted and is not resolved: a list of {subject, kind, what, remedy, since}
checks          checks that do not pass, no problem by themselves: {subject, check, part, severity, said, remedy, since}
not_configured  names of accounts of which offers are kept, and that are not in the settings: no problem
stopped         programs of this home's `up` that somebody has stopped (SIGSTOP): {subject, what, remedy}
accounts        by name, each with what is named below

An account has `state`, `phase`, `last_publish_at`, `oldest_page_at` (when the oldest page of that publish was read),
`age_seconds` (since then: how old what readers see is), `stale`, `trouble`, `error_class`, `error` and `remedy`.

What needs a person: the database cannot be read; a program of `up` is stopped; a sensor is silent, or the looks of a
sensor or schedule fail; what an account shows was read too long ago (EMAG_SYNC_STALE_AFTER_HOURS, at least two
scans) or it shows nothing; its running sync is stuck or dead; its last sync failed in a way that a retry cannot fix,
refusals included. What is tried again is shown, and is no problem as long as the account is fresh. Keys are added,
never renamed.
"""

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from emag_pipeline.errors import DatabaseUnavailable, PipelineError, TransientError
from emag_pipeline.monitoring.health_status import AccountHealth, HealthStatus
from emag_pipeline.monitoring.silence import DAEMON
from emag_pipeline.monitoring.web import WebPage
from emag_pipeline.wording import iso_now

Problem = dict[str, str]

#: Subjects of incidents: a sensor or a schedule, whose looks are runs of nobody else.
_LOOKERS = ("sensor ", "schedule ")


def health_page(health: HealthStatus) -> WebPage:
    """The answer when the database could be read."""
    found = list(problems(health))
    return _page({**health.as_dict(), "healthy": not found, "problems": found})


def unreadable_page(error: PipelineError) -> WebPage:
    """The answer when it could not."""
    at = iso_now()
    return _page(
        {
            "healthy": False,
            "problems": [database_problem(error)],
            "at": at,
            "sensors_tick": None,
            "sensors": {},
            "incidents": [],
            "checks": [],
            "not_configured": [],
            "stopped": [],
            "accounts": {},
        }
    )


def ready_page(error: PipelineError | None) -> WebPage:
    """`/ready`: the exporter can read the database, whose schema is this code's; `error` says why it cannot."""
    if error is None:
        return _page({"ready": True, "problems": []})
    return _page({"ready": False, "problems": [database_problem(error)]})


def problems(health: HealthStatus) -> Iterator[Problem]:
    """What needs a person, the daemon first: without it nothing mends itself."""
    for one in health.stopped:
        yield _problem(one.name, one.said, one.remedy)
    yield from _silence(health)
    for incident in health.incidents:
        if incident.kind == "failing" and incident.subject.startswith(_LOOKERS):
            yield _problem(incident.subject, incident.message, incident.remedy)
    for account in health.accounts:
        yield from _account_problems(account)


def database_problem(error: PipelineError) -> Problem:
    """Why the database could not be read. One that is only busy is told as not examined: nobody knows how it is."""
    is_known = isinstance(error, DatabaseUnavailable) and error.is_frozen
    late = "not examined" if isinstance(error, TransientError) and error.is_late and not is_known else ""
    return _problem("database", ": ".join(filter(None, (late, error.what, error.why))), error.remedy)


def _silence(health: HealthStatus) -> Iterator[Problem]:
    """One cause, one problem: where all sensors are silent, the daemon is."""
    for silence in health.silences:
        yield _problem(DAEMON, silence.said, silence.remedy)


def _account_problems(account: AccountHealth) -> Iterator[Problem]:
    if account.trouble is not None or account.is_broken:
        yield _problem(account.account, account.said, account.remedy)
    elif account.is_stale:
        yield _problem(account.account, _staleness(account), _way_out(account))


def _staleness(account: AccountHealth) -> str:
    return account.published if account.phase is None else f"{account.published}; a sync is {account.phase}"


def _way_out(account: AccountHealth) -> str:
    if account.phase is not None:
        return "Wait for the sync that is running; `emag-pipeline status --watch` shows how far it is"
    return account.remedy or (
        f"See `emag-pipeline doctor`; refresh it now with `emag-pipeline sync --account {account.account}`"
    )


def _problem(subject: str, what: str, remedy: str) -> Problem:
    return {"subject": subject, "what": what, "remedy": remedy}


def _page(document: dict[str, Any]) -> WebPage:
    status = HTTPStatus.SERVICE_UNAVAILABLE if document["problems"] else HTTPStatus.OK
    body = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    return WebPage(body.encode(), "application/json", status)
