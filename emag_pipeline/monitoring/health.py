"""`/health`: whether everything is healthy, for people and probes. 200 if nothing needs a person, else 503, as JSON:

healthy         whether the status is 200
problems        what needs a person: {subject, what, remedy} of `daemon`, `database`, an account, `sensor NAME`, …
at              when this was read (ISO 8601, UTC)
sensors_tick    whether the daemon's sensors are running; null if the database is unreachable
sensors         seconds since each sensor's last tick, null for one that never ticked
incidents       open incidents: a list of {subject, kind, what, remedy, since}
checks          failing checks, which are not problems as such: {subject, check, part, severity, said, remedy, since}
not_configured  accounts whose offers are kept although they are not in the settings: not a problem
stopped         programs of this home's `up` that were stopped (SIGSTOP): {subject, what, remedy}
accounts        by name, each with the keys below

An account has `state`, `phase`, `last_publish_at`, `oldest_page_at` (when the oldest page of that publish was read),
`age_seconds` (since then: the age of the data that readers see), `stale`, `trouble`, `error_class`, `error` and
`remedy`.

What needs a person: the database cannot be read; a program of `up` is stopped; a sensor is silent, or the ticks of a
sensor or schedule fail; an account's data was read too long ago (EMAG_SYNC_STALE_AFTER_HOURS, at least two scans), or
it has none; its running sync is stuck or dead; its last sync failed in a way that a retry cannot fix, including a
refusal. A failure that is retried is shown, but is not a problem while the account is fresh. Keys are added, never
renamed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from emag_pipeline.errors import DatabaseUnavailable, PipelineError, Rerun, TransientError, rerun_after
from emag_pipeline.monitoring import silence
from emag_pipeline.monitoring.incidents import Incident, open_incidents
from emag_pipeline.monitoring.silence import DAEMON, Silence
from emag_pipeline.running_up import StoppedProgram, stopped_programs
from emag_pipeline.settings import Settings
from emag_pipeline.store import monitoring_tables
from emag_pipeline.store.engine import Database
from emag_pipeline.store.monitoring_tables import CheckResult, check_results
from emag_pipeline.sync.account_health import is_stale, published_words
from emag_pipeline.sync.accounts import left_accounts
from emag_pipeline.sync.liveness import Bounds, RunningSync, Trouble, running_syncs, trouble_of
from emag_pipeline.sync.status import AccountStatus, account_statuses
from emag_pipeline.wording import iso, iso_now

_RECOVERED_BY_ITSELF = "No action needed: the sensor stuck_syncs ends it; `emag-pipeline recover` ends it now"
_RECOVERED_BY_HAND = "Run `emag-pipeline recover`: the sensor stuck_syncs, which would end the sync, is silent"


@dataclass(frozen=True, slots=True)
class AccountHealth:
    """One account. `trouble` is None, `stuck` or `dead`; `said` and `remedy` are empty if there is no problem.

    `age_seconds` counts from `oldest_page_at`, when the oldest page of the last publish was read, not from the publish.
    `is_stale`: its last publish is too old or missing; `published` gives its time in words. `phase` is that of a
    running sync.
    """

    account: str
    state: str
    phase: str | None
    last_publish_at: datetime | None
    oldest_page_at: datetime | None
    age_seconds: float | None
    published: str
    is_stale: bool
    trouble: str | None
    error_class: str | None
    said: str
    remedy: str

    @property
    def is_well(self) -> bool:
        """Fresh; a running sync is not stuck; the last sync did not fail in a way that a retry cannot fix."""
        return not (self.is_stale or self.trouble or self.is_broken)

    @property
    def is_broken(self) -> bool:
        """The last sync failed in a way that a retry cannot fix, including a refusal by the audit."""
        return self.error_class is not None and rerun_after(self.error_class) is Rerun.NEVER


@dataclass(frozen=True, slots=True)
class HealthStatus:
    """All accounts, and seconds since each sensor's last tick (None: never)."""

    at: datetime
    accounts: tuple[AccountHealth, ...]
    sensor_ages: Mapping[str, float | None]
    #: open incidents, the oldest first; failing checks, likewise
    incidents: tuple[Incident, ...]
    checks: tuple[CheckResult, ...]
    #: a sensor without a tick for this long is silent
    tick_bound_seconds: float
    #: accounts whose offers are kept although they are not in the settings
    not_configured: tuple[str, ...] = ()
    #: problems of silent sensors; none while an `up` has just started
    silences: tuple[Silence, ...] = ()
    #: programs of an `up` of this home that were stopped (SIGSTOP)
    stopped: tuple[StoppedProgram, ...] = ()

    @property
    def silent_sensors(self) -> tuple[str, ...]:
        """The sensors that have not ticked for too long."""
        bound = self.tick_bound_seconds
        return tuple(name for name, age in self.sensor_ages.items() if age is None or age > bound)

    @property
    def sensors_tick(self) -> bool:
        """Whether the daemon's sensors are running."""
        return not self.silent_sensors

    @property
    def is_well(self) -> bool:
        """Every account is healthy, the sensors tick, and no program is stopped."""
        return self.sensors_tick and not self.stopped and all(account.is_well for account in self.accounts)

    def as_dict(self) -> dict[str, Any]:
        """The same as plain values, for JSON; the keys are documented at `monitoring.get_sync_health_status`."""
        return {
            "at": iso(self.at),
            "healthy": self.is_well,
            "sensors_tick": self.sensors_tick,
            "sensors": dict(self.sensor_ages),
            "incidents": [_incident(incident) for incident in self.incidents],
            "checks": [_check(result) for result in self.checks],
            "not_configured": list(self.not_configured),
            "stopped": [{"subject": one.name, "what": one.said, "remedy": one.remedy} for one in self.stopped],
            "accounts": {account.account: _as_dict(account) for account in self.accounts},
        }


def sync_troubles(database: Database, settings: Settings) -> dict[str, Trouble]:
    """By account, why a sync that is recorded as running will not end on its own."""
    found = ((sync.account, trouble_of(sync, Bounds.of(settings))) for sync in running_syncs(database))
    return {account: trouble for account, trouble in found if trouble is not None}


def health_status(database: Database, settings: Settings) -> HealthStatus:
    """The current health of all configured accounts and the sensors. Raises the errors of the database."""
    bounds = Bounds.of(settings)
    running = {sync.account: sync for sync in running_syncs(database)}
    ages = monitoring_tables.tick_ages(database)
    names = [account.name for account in settings.accounts]
    silent = [] if silence.has_just_started(settings) else silence.silent_of(ages, settings)
    recovery = _RECOVERED_BY_HAND if "stuck_syncs" in dict(silent) else _RECOVERED_BY_ITSELF
    return HealthStatus(
        at=datetime.now(UTC),
        accounts=tuple(
            _account(status, running.get(status.account), bounds, settings, recovery)
            for status in account_statuses(database, names)
        ),
        sensor_ages={name: ages.get(name) for name in silence.SENSORS},
        incidents=tuple(open_incidents(database)),
        checks=tuple(one for one in check_results(database, settings.subjects) if not one.passed),
        tick_bound_seconds=silence.bound_seconds(settings),
        not_configured=tuple(left_accounts(database, names)),
        silences=tuple(silence.in_words(silent, settings)),
        stopped=tuple(stopped_programs(settings.home)),
    )


def _account(
    status: AccountStatus, running: RunningSync | None, bounds: Bounds, settings: Settings, recovery: str
) -> AccountHealth:
    trouble = trouble_of(running, bounds) if running else None
    error_class, said, remedy = _error(status, trouble, recovery)
    return AccountHealth(
        account=status.account,
        state=status.state,
        phase=status.running.phase if status.running else None,
        last_publish_at=status.last_publish_at,
        oldest_page_at=status.oldest_page_at,
        age_seconds=status.age_seconds,
        published=published_words(status),
        is_stale=is_stale(status, settings),
        trouble=trouble.condition if trouble else None,
        error_class=error_class,
        said=said,
        remedy=remedy,
    )


def _error(status: AccountStatus, trouble: Trouble | None, recovery: str) -> tuple[str | None, str, str]:
    if trouble is not None:
        return trouble.error_class, trouble.why, recovery
    if status.last_error is not None:
        return status.last_error.error_class, status.last_error.message, status.last_error.remedy
    return None, "", ""


def _as_dict(account: AccountHealth) -> dict[str, Any]:
    return {
        "state": account.state,
        "phase": account.phase,
        "last_publish_at": iso(account.last_publish_at),
        "oldest_page_at": iso(account.oldest_page_at),
        "age_seconds": account.age_seconds,
        "stale": account.is_stale,
        "trouble": account.trouble,
        "error_class": account.error_class,
        "error": account.said or None,
        "remedy": account.remedy or None,
    }


def _incident(incident: Incident) -> dict[str, Any]:
    return {
        "subject": incident.subject,
        "kind": incident.kind,
        "what": incident.message,
        "remedy": incident.remedy,
        "since": iso(incident.opened_at),
    }


def _check(result: CheckResult) -> dict[str, Any]:
    return {
        "subject": result.subject,
        "check": result.check,
        "part": result.part,
        "severity": result.severity,
        "said": result.sentence,
        "remedy": result.remedy,
        "since": iso(result.failing_since),
    }


# The documents of `/health` and `/ready`. Each has `problems`; if there are any, the status is 503.

Document = dict[str, Any]
Problem = dict[str, str]

#: Subjects of incidents about ticks, which no account's state shows.
_TICKING = ("sensor ", "schedule ")


def health_page(health: HealthStatus) -> Document:
    """The document if the database could be read."""
    found = list(problems(health))
    return {**health.as_dict(), "healthy": not found, "problems": found}


def unreadable_page(error: PipelineError) -> Document:
    """The document if it could not be read."""
    return {
        "healthy": False,
        "problems": [database_problem(error)],
        "at": iso_now(),
        "sensors_tick": None,
        "sensors": {},
        "incidents": [],
        "checks": [],
        "not_configured": [],
        "stopped": [],
        "accounts": {},
    }


def ready_page(error: PipelineError | None) -> Document:
    """`/ready`: whether the database can be read and its schema is this version's; `error` says why not."""
    return {"ready": error is None, "problems": [] if error is None else [database_problem(error)]}


def problems(health: HealthStatus) -> Iterator[Problem]:
    """The problems that need a person, the daemon's first: without it nothing recovers automatically."""
    for one in health.stopped:
        yield _problem(one.name, one.said, one.remedy)
    for silent in health.silences:
        yield _problem(DAEMON, silent.said, silent.remedy)
    for incident in health.incidents:
        if incident.kind == "failing" and incident.subject.startswith(_TICKING):
            yield _problem(incident.subject, incident.message, incident.remedy)
    for account in health.accounts:
        yield from _account_problems(account)


def database_problem(error: PipelineError) -> Problem:
    """Why the database could not be read. One that is merely busy counts as not examined: its state is unknown."""
    is_known = isinstance(error, DatabaseUnavailable) and error.is_frozen
    late = "not examined" if isinstance(error, TransientError) and error.is_late and not is_known else ""
    return _problem("database", ": ".join(filter(None, (late, error.what, error.why))), error.remedy)


def _account_problems(account: AccountHealth) -> Iterator[Problem]:
    if account.trouble is not None or account.is_broken:
        yield _problem(account.account, account.said, account.remedy)
    elif account.is_stale:
        yield _problem(account.account, _staleness(account), _way_out(account))


def _staleness(account: AccountHealth) -> str:
    return account.published if account.phase is None else f"{account.published}; a sync is {account.phase}"


def _way_out(account: AccountHealth) -> str:
    if account.phase is not None:
        return "Wait for the running sync; `emag-pipeline status --watch` shows its progress"
    return account.remedy or (
        f"See `emag-pipeline doctor`; refresh it now with `emag-pipeline sync --account {account.account}`"
    )


def _problem(subject: str, what: str, remedy: str) -> Problem:
    return {"subject": subject, "what": what, "remedy": remedy}
