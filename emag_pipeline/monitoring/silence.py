"""Silence is a state to be checked: a daemon that is dead raises no alarm, so another process listens for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf

from emag_pipeline import running_up, wording
from emag_pipeline.monitoring import incidents, outbox
from emag_pipeline.monitoring.incidents import IncidentFinding
from emag_pipeline.settings import Settings
from emag_pipeline.store import ticks
from emag_pipeline.store.engine import Database
from emag_pipeline.wording import age

#: The sensors that are on by default: as long as the daemon lives, each ticks once a monitor interval.
SENSORS = ("stuck_syncs", "stale_accounts", "stale_marts", "stale_reference", "run_failures")
DAEMON = "daemon"

_INTERVALS = 3
_LEAST_SECONDS = 60.0

#: how the sentence begins that a daemon explains which does not run
NO_SENSOR = "no sensor of Dagster's daemon"

Silent = Sequence[tuple[str, float]]


@dataclass(frozen=True, slots=True)
class Silence:
    """That a sensor, or every one, has not ticked for so many seconds (infinite: never), and what to do about it."""

    said: str
    remedy: str
    seconds: float


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
    return silent_of(ticks.ages(database), settings)


def silent_of(ages: Mapping[str, float], settings: Settings) -> Silent:
    """The same by the seconds since each sensor's last tick."""
    bound = bound_seconds(settings)
    return [(sensor, age) for sensor in SENSORS if (age := ages.get(sensor, inf)) > bound]


def in_words(silent: Silent, settings: Settings) -> list[Silence]:
    """What is wrong, in the words of every display: one cause where each sensor is silent, else one a sensor."""
    if len(silent) == len(SENSORS):
        seconds = min(seconds for _, seconds in silent)
        unseen = "has ever looked at anything" if seconds == inf else f"has looked at anything for {age(seconds)}"
        said = f"{NO_SENSOR} {unseen}: nothing is refreshed or recovered by itself"
        return [Silence(said, start_again(settings), seconds)]
    return [_of_one(sensor, seconds) for sensor, seconds in silent]


def _of_one(sensor: str, seconds: float) -> Silence:
    unseen = "has never looked at anything" if seconds == inf else f"has not looked at anything for {age(seconds)}"
    said = f"the sensor {sensor} {unseen}: nothing of what it watches over is done by itself"
    return Silence(
        said, "See in Dagster's UI, under Automation, whether it is on, and the errors of its ticks", seconds
    )


def start_again(settings: Settings) -> str:
    """What brings a daemon back that is not heard: a living `up` of this home has one, and starts no second one."""
    up = running_up.running(settings.home)
    if up is None:
        return "Start it: `emag-pipeline up`, or its service (restart that where it runs); what was missed is caught up"
    wrong = wording.see(" {log} says what is wrong;", settings.home / "logs" / "daemon.log")
    goes_on = f"`emag-pipeline up` (process {up.pid}) runs, and starts the daemon again by itself if it ends"
    return f"{goes_on}:{wrong} one that only hangs goes on when this `up` is ended and started again"


def daemon_silence(database: Database, settings: Settings) -> Silence | None:
    """What is wrong where every sensor has been silent for too long; None otherwise.

    None also where none ever ticked (whoever refreshes by cron alone has no daemon), and as long as an `up` has just
    started. Raises as `silent_sensors`.
    """
    silent = silent_sensors(database, settings)
    if len(silent) < len(SENSORS) or has_just_started(settings):
        return None
    (found,) = in_words(silent, settings)
    return found if found.seconds < inf else None


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
        incidents.note(database, _finding(silent, settings))
    outbox.deliver(database, settings)


def _finding(silent: Silent, settings: Settings) -> IncidentFinding:
    found = in_words(silent, settings)
    return IncidentFinding(DAEMON, "silent", "; ".join(one.said for one in found), found[0].remedy)
