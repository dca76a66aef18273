"""Incidents (emag_incidents): a problem is recorded once, reported once (`outbox`), and listed until it is resolved.

There is one open row per subject and kind, and one for `failing` and `refused` together, which are two states of the
same problem: an account that does not publish. A different cause opens a new row, starting when it was found, and the
previous row closes without a message. The end is reported once for all of them, with the duration since the first.

At each evaluation, findings are derived from the state of the accounts, not from events: a missed evaluation, a failed
tick or a lost retry does no harm.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from math import inf
from typing import Any

from emag_pipeline.logs import logger
from emag_pipeline.settings import Settings
from emag_pipeline.store.engine import Database
from emag_pipeline.store.rows import rows_of
from emag_pipeline.store.sql import statements
from emag_pipeline.sync.account_health import (
    AccountState,
    bound_seconds,
    bound_words,
    due_seconds,
    is_about_to_be_tried_again,
    is_stale,
    published_words,
)
from emag_pipeline.sync.status import AccountStatus
from emag_pipeline.wording import minute

log = logger(__name__)

TIMEOUT_SECONDS = 30
_SQL = statements("monitoring/incidents.sql")
#: Kinds that are states of the same problem.
_UNPUBLISHED = ("failing", "refused")


@dataclass(frozen=True, slots=True)
class IncidentFinding:
    """A current problem of a subject: an account, a check (`… of main`), a job, a sensor, a schedule, or `daemon`."""

    subject: str
    kind: str
    message: str
    remedy: str
    error_class: str | None = None
    run_id: str | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    """One row. Times are UTC; `closed_at` is None while it is open, `told_at` until it was reported."""

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

    @property
    def cause(self) -> str:
        """The cause; a further alert is sent only if it changes."""
        return cause_of(self)


def cause_of(one: Incident | IncidentFinding) -> str:
    """What distinguishes alerts: for a refusal the remedy, which names the sync to decide on, else the error."""
    return one.remedy if one.kind == "refused" else one.error_class or ""


def note(database: Database, finding: IncidentFinding) -> bool:
    """Record a problem that was found, or found again. Returns whether it is new or has a different cause; then it is
    logged.
    """
    kinds = _UNPUBLISHED if finding.kind in _UNPUBLISHED else (finding.kind,)
    values: dict[str, Any] = {**asdict(finding), "kinds": list(kinds), "cause": cause_of(finding)}
    with database.transaction(timeout_seconds=TIMEOUT_SECONDS) as tx:
        if tx.run(_SQL["lock_open"], **values).one_or_none() is not None:
            if tx.run(_SQL["renew"], **values).one_or_none() is not None:
                return False
            tx.run(_SQL["replace"], **values)
        tx.run(_SQL["open"], **values)
    log.warning("incident_noted", **asdict(finding))
    return True


def close(database: Database, subject: str, *, well_at: datetime, still: Collection[str] = ()) -> list[Incident]:
    """Close the subject's incidents that started before it recovered, except the kinds that are `still` found."""
    with database.transaction(timeout_seconds=TIMEOUT_SECONDS) as tx:
        closed = rows_of(tx.run(_SQL["close"], subject=subject, at=well_at, still=list(still)), Incident)
    for incident in closed:
        log.info("incident_closed", subject=incident.subject, kind=incident.kind)
    return closed


def forget_others(database: Database, subjects: Collection[str], unseen_seconds: float) -> None:
    """Close, without a message, the incidents of subjects that no longer exist, e.g. removed accounts.

    Those found within the last `unseen_seconds` stay: they belong to another installation on the same database.
    """
    with database.transaction(timeout_seconds=TIMEOUT_SECONDS) as tx:
        tx.run(_SQL["forget_others"], subjects=list(subjects), unseen=unseen_seconds)


def open_incidents(database: Database, account: str | None = None) -> list[Incident]:
    """The open incidents, the oldest first; with an account, its own and those that affect all accounts."""
    sql = _SQL["all_open"] if account is None else _SQL["open_for_account"]
    with database.transaction(timeout_seconds=TIMEOUT_SECONDS) as tx:
        return rows_of(tx.run(sql, account=account), Incident)


def note_findings(database: Database, account_states: Sequence[AccountState], settings: Settings) -> None:
    """Open, renew and close the incidents of all accounts. Raises DatabaseUnavailable."""
    for state in account_states:
        found = findings(state, settings)
        for finding in found:
            note(database, finding)
        if state.status.last_publish_at is not None:
            still = {finding.kind for finding in found}
            close(database, state.account, well_at=state.status.last_publish_at, still=still)


def findings(state: AccountState, settings: Settings) -> list[IncidentFinding]:
    """The current problems of an account: it does not publish (`failing`, `refused`), or its data is old (`stale`)."""
    return [found for found in (_unpublished(state, settings), _stale(state, settings)) if found is not None]


def _unpublished(state: AccountState, settings: Settings) -> IncidentFinding | None:
    """A transient failure, e.g. a killed process, is an incident only once the automatic retry has failed too."""
    cause = state.cause
    if cause is None or cause.is_quiet or state.status.awaits_publish:
        return None
    if is_about_to_be_tried_again(state, settings):
        return None
    anew = f". A new reading starts only with `emag-pipeline sync --account {state.account}`"
    return IncidentFinding(
        subject=state.account,
        kind="refused" if cause.is_refusal else "failing",
        message=cause.message,
        remedy=cause.remedy + (anew if cause.is_refusal else _by_itself(state, settings)),
        error_class=cause.error_class,
        run_id=cause.run_id,
    )


def _by_itself(state: AccountState, settings: Settings) -> str:
    due = due_seconds(state, settings)
    if not 0 < due < inf:
        return ""
    return f". It is retried automatically at {minute(datetime.now(UTC) + timedelta(seconds=due))}"


def _stale(state: AccountState, settings: Settings) -> IncidentFinding | None:
    """While a run is in progress, staleness is reported only after that run's time limit."""
    status = state.status
    seconds = state.past.tried_for_seconds if status.age_seconds is None else status.age_seconds
    own_seconds = state.newest.allowed_seconds if state.newest is not None else 0.0
    run_seconds = max(settings.timeout_hours * 3600, own_seconds) if state.is_under_way else 0.0
    if seconds <= bound_seconds(status.scan_seconds, settings) + run_seconds:
        return None
    published = "it was never published" if status.age_seconds is None else published_words(status)
    return IncidentFinding(
        subject=state.account,
        kind="stale",
        message=f"{published}, {bound_words(status, settings)}",
        remedy="See `emag-pipeline status` and `emag-pipeline doctor`; refresh it now with "
        f"`emag-pipeline sync --account {status.account}`",
        run_id=status.running.dagster_run_id if status.running else None,
    )


def unresolved_incidents(database: Database, statuses: Sequence[AccountStatus], settings: Settings) -> list[Incident]:
    """The open incidents without those that a publish has ended since: the next evaluation closes these."""
    by_name = {status.account: status for status in statuses}
    return [
        one
        for one in open_incidents(database)
        if one.subject not in by_name or not _is_ended_by_a_publish(one, by_name[one.subject], settings)
    ]


def _is_ended_by_a_publish(incident: Incident, status: AccountStatus, settings: Settings) -> bool:
    """By the rule of `note_findings`: it began before the last publish, and its kind is not found any more."""
    if status.last_publish_at is None or incident.opened_at > status.last_publish_at:
        return False
    return not is_stale(status, settings) if incident.kind == "stale" else status.last_error is None


def is_reported_by(incident: Incident, status: AccountStatus) -> bool:
    """Whether the account's newest error, or its approval, has the same cause as this incident.

    Otherwise both are shown: after Ctrl-C the newest sync was interrupted, and the account is still failing.
    """
    error = status.last_error
    if error is None or incident.subject != status.account or incident.kind not in ("failing", "refused"):
        return False
    if incident.kind == "refused":
        return status.awaits_publish or str(error.sync_id) in incident.remedy
    return status.awaits_publish or incident.error_class == error.error_class
