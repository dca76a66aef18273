"""Silence is a state to be checked: a daemon that is dead raises no alarm, so another process listens for it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from math import inf

from emag_pipeline import running_up
from emag_pipeline.db import ticks
from emag_pipeline.db.engine import Database
from emag_pipeline.db.incidents import Finding
from emag_pipeline.monitoring import incidents, outbox
from emag_pipeline.monitoring.durations import age
from emag_pipeline.settings import Settings

#: The sensors that are on by default: as long as the daemon lives, each ticks once a monitor interval.
SENSORS = ("stuck_syncs", "stale_accounts", "stale_marts", "stale_reference", "run_failures")
DAEMON = "daemon"

_INTERVALS = 3
_LEAST_SECONDS = 60.0

Silent = Sequence[tuple[str, float]]


def bound_seconds(settings: Settings) -> float:
    """How long a sensor may go without a tick: three monitor intervals, at least a minute."""
    return max(_LEAST_SECONDS, _INTERVALS * settings.monitor_interval_seconds)


def has_just_started(settings: Settings) -> bool:
    """Whether an `up` of this home began so lately that each of its sensors still has its time for a first look."""
    up = running_up.running(settings.home)
    return up is not None and up.runs_for_seconds < bound_seconds(settings)


def silent_sensors(database: Database, settings: Settings) -> Silent:
    """The sensors that have not ticked for too long, with the seconds since they did; infinite for one that never did.

    Raises DatabaseUnavailable, SchemaMismatch.
    """
    ages = ticks.ages(database)
    bound = bound_seconds(settings)
    return [(sensor, age) for sensor in SENSORS if (age := ages.get(sensor, inf)) > bound]


def daemon_silence(database: Database, settings: Settings) -> float | None:
    """Seconds since any sensor ticked, where each has been silent for too long; None otherwise.

    None also where none ever ticked: whoever refreshes by cron alone has no daemon. Raises as `silent_sensors`.
    """
    silent = silent_sensors(database, settings)
    seconds = min((seconds for _, seconds in silent), default=inf)
    return seconds if len(silent) == len(SENSORS) and seconds < inf else None


def watch(database: Database, settings: Settings, listening_seconds: float) -> None:
    """Open or close the incident `silent` of the daemon, and tell what is to be told; once a monitor interval.

    For a process that is not the daemon. Only after it has listened for as long as a sensor may be silent
    (`listening_seconds`) does it say so: after a stop of everything, the daemon needs its time too.
    Raises DatabaseUnavailable, SchemaMismatch; never because of the webhook.
    """
    silent = silent_sensors(database, settings)
    if not silent:
        incidents.close(database, DAEMON, well_at=datetime.now(UTC))
    elif listening_seconds > bound_seconds(settings):
        incidents.note(database, _finding(silent))
    outbox.deliver(database, settings)


def _finding(silent: Silent) -> Finding:
    said = ", ".join(f"{sensor} {_since(seconds)}" for sensor, seconds in silent)
    all_of_it = "Dagster's daemon is silent, nothing is refreshed or recovered"
    some = "not every sensor of the daemon comes to a good end, and nothing does their work"
    return Finding(
        subject=DAEMON,
        kind="silent",
        message=f"{all_of_it if len(silent) == len(SENSORS) else some}: {said}",
        remedy="See `emag-pipeline doctor`; start the daemon again (`emag-pipeline up`, or its service), "
        "and see in the UI under Automation that these sensors are on",
    )


def _since(seconds: float) -> str:
    return "never ticked" if seconds == inf else f"has not ticked for {age(seconds)}"
