"""Detects a silent daemon: a dead daemon cannot raise an alarm, so the exporter, a separate process, checks for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf

from emag_pipeline import running_up, wording
from emag_pipeline.monitoring import incidents, outbox
from emag_pipeline.monitoring.incidents import IncidentFinding
from emag_pipeline.settings import Settings
from emag_pipeline.store import monitoring_tables
from emag_pipeline.store.engine import Database
from emag_pipeline.wording import age

#: The sensors that are on by default; while the daemon runs, each ticks once per monitor interval.
SENSORS = ("stuck_syncs", "stale_accounts", "stale_marts", "stale_reference", "run_failures")
DAEMON = "daemon"

_INTERVALS = 3
_LEAST_SECONDS = 60.0

#: The beginning of the sentence that is replaced by an explanation if the daemon is known not to run.
NO_SENSOR = "no sensor of Dagster's daemon"

Silent = Sequence[tuple[str, float]]


@dataclass(frozen=True, slots=True)
class Silence:
    """One sensor, or all, did not tick for this many seconds (infinite: never), and the remedy."""

    said: str
    remedy: str
    seconds: float


def bound_seconds(settings: Settings) -> float:
    """How long a sensor may go without a tick: three monitor intervals, at least a minute."""
    return max(_LEAST_SECONDS, _INTERVALS * settings.monitor_interval_seconds)


def has_just_started(settings: Settings) -> bool:
    """Whether an `up` of this home has just started, so that its sensors may not have ticked yet."""
    up = running_up.running(settings.home)
    return up is not None and up.runs_for_seconds < bound_seconds(settings)


def silent_sensors(database: Database, settings: Settings) -> Silent:
    """The sensors that have not ticked for too long, with the seconds since their last tick; infinite if never.

    Raises DatabaseUnavailable, SchemaMismatch.
    """
    return silent_of(monitoring_tables.tick_ages(database), settings)


def silent_of(ages: Mapping[str, float], settings: Settings) -> Silent:
    """The same by the seconds since each sensor's last tick."""
    bound = bound_seconds(settings)
    return [(sensor, age) for sensor in SENSORS if (age := ages.get(sensor, inf)) > bound]


def in_words(silent: Silent, settings: Settings) -> list[Silence]:
    """The problems as shown everywhere: one if all sensors are silent, else one per sensor."""
    if len(silent) == len(SENSORS):
        seconds = min(seconds for _, seconds in silent)
        unseen = "has ever ticked" if seconds == inf else f"has ticked for {age(seconds)}"
        said = f"{NO_SENSOR} {unseen}: nothing is refreshed or recovered automatically"
        return [Silence(said, start_again(settings), seconds)]
    return [_of_one(sensor, seconds) for sensor, seconds in silent]


def _of_one(sensor: str, seconds: float) -> Silence:
    unseen = "has never ticked" if seconds == inf else f"has not ticked for {age(seconds)}"
    said = f"the sensor {sensor} {unseen}: nothing that it watches over is done automatically"
    return Silence(said, "See in Dagster's UI, under Automation, whether it is on, and why its ticks fail", seconds)


def start_again(settings: Settings) -> str:
    """How to restart a silent daemon: a running `up` of this home has one already, and a second `up` starts none."""
    up = running_up.running(settings.home)
    if up is None:
        return "Start it: `emag-pipeline up`, or its service (restart it if it runs); it catches up on what it missed"
    wrong = wording.see(" {log} says what is wrong;", settings.home / "logs" / "daemon.log")
    goes_on = f"`emag-pipeline up` (process {up.pid}) runs, and restarts the daemon if it ends"
    return f"{goes_on}:{wrong} if the daemon hangs, end this `up` and start it again"


def daemon_silence(database: Database, settings: Settings) -> Silence | None:
    """The problem if all sensors have been silent for too long, else None.

    Also None if none ever ticked (an installation that refreshes by cron only has no daemon), and while an `up` has
    just started. Raises the errors of `silent_sensors`.
    """
    silent = silent_sensors(database, settings)
    if len(silent) < len(SENSORS) or has_just_started(settings):
        return None
    (found,) = in_words(silent, settings)
    return found if found.seconds < inf else None


def watch(database: Database, settings: Settings, listening_seconds: float) -> None:
    """Open or close the incident `silent` of the daemon, and deliver alerts; once per monitor interval.

    For a process other than the daemon. Reports nothing until it has itself run (`listening_seconds`) for as long as a
    sensor may be silent: after a full stop the daemon also needs time to start.
    Raises DatabaseUnavailable, SchemaMismatch; never because of the webhook.
    """
    silent = silent_sensors(database, settings)
    if not silent:
        incidents.close(database, DAEMON, well_at=datetime.now(UTC))
    elif listening_seconds > bound_seconds(settings):
        incidents.note(database, _finding(silent, settings))
    outbox.deliver(database, settings)


def _finding(silent: Silent, settings: Settings) -> IncidentFinding:
    found = in_words(silent, settings)
    return IncidentFinding(DAEMON, "silent", "; ".join(one.said for one in found), found[0].remedy)
