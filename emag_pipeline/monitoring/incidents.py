"""Incidents: what is wrong is noted once, told once, and stays listed until it is well.

What is found is derived anew at each look from how the accounts stand, not from events: a look that was missed, a tick
that failed and a retry that was lost change nothing.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from math import inf

from emag_pipeline.logs import logger
from emag_pipeline.monitoring import incident_table
from emag_pipeline.monitoring.incident_table import Incident, IncidentFinding, open_incidents
from emag_pipeline.settings import Settings
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.account_health import (
    AccountStanding,
    bound_seconds,
    bound_words,
    due_seconds,
    is_about_to_be_tried_again,
    published_words,
)
from emag_pipeline.sync.status import AccountStatus

__all__ = ["Incident", "IncidentFinding", "close", "findings", "is_told_by", "note", "note_findings", "open_incidents"]

log = logger(__name__)


def findings(standing: AccountStanding, settings: Settings) -> list[IncidentFinding]:
    """What is wrong with an account now: it does not publish (`failing`, `refused`), it has not for long (`stale`)."""
    return [found for found in (_unpublished(standing, settings), _stale(standing, settings)) if found is not None]


def _unpublished(standing: AccountStanding, settings: Settings) -> IncidentFinding | None:
    """What may pass, as a process that was killed, is an incident once the try that follows by itself failed too."""
    cause = standing.cause
    if cause is None or cause.is_quiet or standing.status.awaits_publish:
        return None
    if is_about_to_be_tried_again(standing, settings):
        return None
    anew = f". A new reading starts only with `emag-pipeline sync --account {standing.account}`"
    return IncidentFinding(
        subject=standing.account,
        kind="refused" if cause.is_refusal else "failing",
        message=cause.message,
        remedy=cause.remedy + (anew if cause.is_refusal else _by_itself(standing, settings)),
        error_class=cause.error_class,
        run_id=cause.run_id,
    )


def _by_itself(standing: AccountStanding, settings: Settings) -> str:
    due = due_seconds(standing, settings)
    if not 0 < due < inf:
        return ""
    return f". By itself it is tried again at {datetime.now(UTC) + timedelta(seconds=due):%H:%M} UTC"


def _stale(standing: AccountStanding, settings: Settings) -> IncidentFinding | None:
    """While a run is under way, staleness is no news before that run's time is over."""
    status = standing.status
    seconds = standing.past.tried_for_seconds if status.age_seconds is None else status.age_seconds
    own_seconds = standing.newest.allowed_seconds if standing.newest is not None else 0.0
    run_seconds = max(settings.timeout_hours * 3600, own_seconds) if standing.is_under_way else 0.0
    if seconds <= bound_seconds(status.scan_seconds, settings) + run_seconds:
        return None
    published = "it was never published" if status.age_seconds is None else published_words(status)
    return IncidentFinding(
        subject=standing.account,
        kind="stale",
        message=f"{published}, {bound_words(status, settings)}",
        remedy="See `emag-pipeline status` and `emag-pipeline doctor`; refresh it now with "
        f"`emag-pipeline sync --account {status.account}`",
        run_id=status.running.dagster_run_id if status.running else None,
    )


def is_told_by(incident: Incident, status: AccountStatus) -> bool:
    """Whether the account's newest error, or its approval, says what this incident says: its cause is the same.

    Otherwise both stand: after Ctrl-C the newest sync was interrupted, and the account fails still.
    """
    error = status.last_error
    if error is None or incident.subject != status.account or incident.kind not in ("failing", "refused"):
        return False
    if incident.kind == "refused":
        return status.awaits_publish or str(error.sync_id) in incident.remedy
    return status.awaits_publish or incident.error_class == error.error_class


def note_findings(database: Database, standings: Sequence[AccountStanding], settings: Settings) -> None:
    """Open, renew and close the incidents of all accounts. Raises DatabaseUnavailable."""
    for standing in standings:
        found = findings(standing, settings)
        for finding in found:
            note(database, finding)
        if standing.status.last_publish_at is not None:
            still = {finding.kind for finding in found}
            close(database, standing.account, well_at=standing.status.last_publish_at, still=still)


def note(database: Database, finding: IncidentFinding) -> None:
    """Write down what is wrong; the log hears only of news."""
    if incident_table.note(database, finding):
        log.warning("incident_noted", **asdict(finding))


def close(database: Database, subject: str, *, well_at: datetime, still: Collection[str] = ()) -> None:
    """Close what had begun before the subject was well, but for the kinds that are still found."""
    for incident in incident_table.close(database, subject, well_at=well_at, still=still):
        log.info("incident_closed", subject=incident.subject, kind=incident.kind)
