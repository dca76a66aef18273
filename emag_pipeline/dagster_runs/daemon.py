"""The state of Dagster's daemon, from its own storage. Read-only: creates no instance and no tables."""

import re
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg
from dagster._core.scheduler.instigation import InstigatorStatus, InstigatorTick, InstigatorType, TickStatus
from dagster._core.storage.schedules.base import ScheduleStorage
from dagster_postgres import PostgresRunStorage, PostgresScheduleStorage
from dagster_shared.error import SerializableErrorInfo

from emag_pipeline.wording import gist

# Messages of Dagster's errors: of the original error, not of those that wrap it, nor gRPC's text for a failed call.

#: Errors of a code server that is gone, frozen or restarting; they wrap nothing but gRPC's own.
UNREACHABLE = frozenset({"DagsterUserCodeUnreachableError", "DagsterUserCodeUnreachableTimeoutError"})
_STATUS = re.compile(r"gRPC Error code: (\w+)")


def innermost(error: SerializableErrorInfo) -> SerializableErrorInfo:
    """The original error, without those that Dagster wraps around it."""
    while error.cause is not None and (error.cls_name not in UNREACHABLE or error.cause.cls_name in UNREACHABLE):
        error = error.cause
    return error


def said(error: SerializableErrorInfo) -> str:
    """The innermost error in one line."""
    found = innermost(error)
    if found.cls_name not in UNREACHABLE:
        return gist(found.message)
    status = _STATUS.search(found.message)
    how = f" (gRPC {status[1]})" if status else ""
    return f"the code server could not be reached{how}: it has stopped, does not answer or is being restarted"


#: It sends a heartbeat every 30 seconds, or when a sensor's tick ends; after this long it is not running.
SILENT_SECONDS = 150.0


@dataclass(frozen=True, slots=True)
class Daemon:
    """Seconds since the last heartbeat of each part (SENSOR, SCHEDULER, …), and the errors reported with it."""

    silent_seconds: Mapping[str, float]
    complaints: Mapping[str, str]

    @property
    def silence_seconds(self) -> float | None:
        """Seconds since its last heartbeat; None if it never ran."""
        return min(self.silent_seconds.values(), default=None)


def heartbeats(dagster_url: str) -> Daemon:
    """The heartbeats in Dagster's database, whose tables must exist."""
    beats = PostgresRunStorage(dagster_url, should_autocreate_tables=False).get_daemon_heartbeats()
    now = time.time()
    return Daemon(
        silent_seconds={name: now - beat.timestamp for name, beat in beats.items()},
        complaints={name: said(beat.errors[0]) for name, beat in beats.items() if beat.errors},
    )


def switched_off(dagster_url: str) -> list[str]:
    """The sensors and schedules that a person has stopped in the UI."""
    storage = PostgresScheduleStorage(dagster_url, should_autocreate_tables=False)
    stopped = storage.all_instigator_state(instigator_statuses={InstigatorStatus.STOPPED})
    return sorted(state.instigator_name for state in stopped)


# How the newest tick of each sensor and schedule ended, from Dagster's own storage.
#
# A sensor's own record is written before Dagster stores the sensor's result, which can fail too. Dagster 1.13.27 then
# leaves the tick as started, and records it as skipped at the next one (`dagster._daemon.sensor`,
# `_get_evaluation_tick`): without a reason, which our sensors give if they request nothing, and without run keys, which
# a tick has that requests only known runs. If not even that can be stored, no further tick starts, and the sensor
# becomes silent. A schedule's tick stays started and is retried repeatedly: it is not reported here, but Dagster's
# daemon shows the error in the UI.

#: the last two that have ended, after one that may be in progress
_NEWEST = 3
#: The error class of a tick whose end Dagster could not store.
NOT_STORED = "TickNotStored"
_NOT_STORED = SerializableErrorInfo("Dagster could not store how it ended, see the daemon's log", [], NOT_STORED)
_KINDS = {InstigatorType.SENSOR: "sensor", InstigatorType.SCHEDULE: "schedule"}


@dataclass(frozen=True, slots=True)
class LastTick:
    """A sensor's or schedule's newest tick that has ended.

    `error` is None if it succeeded; `failures`: how many of the newest ticks failed in a row, at most two.
    """

    kind: str
    name: str
    at: datetime
    error: SerializableErrorInfo | None
    failures: int

    @property
    def subject(self) -> str:
        """Its name in incidents, e.g. `sensor stale_accounts`."""
        return f"{self.kind} {self.name}"


def last_ticks(storage: ScheduleStorage, names: Collection[str] | None = None) -> list[LastTick]:
    """The newest tick of each sensor and schedule that is on and has ticked: of all, or of those with these names."""
    states = {
        state.selector_id: state
        for state in storage.all_instigator_state()
        if state.status is not InstigatorStatus.STOPPED and (names is None or state.instigator_name in names)
    }
    found = []
    # without the argument `statuses`, with which Dagster 1.13.27 raises an AttributeError
    for selector, ticks in storage.get_batch_ticks(list(states), limit=_NEWEST).items():
        ended = [tick for tick in ticks if tick.status is not TickStatus.STARTED]
        newest = sorted(ended, key=lambda tick: tick.timestamp, reverse=True)[:2]
        if newest:
            found.append(_last(_KINDS[states[selector].instigator_type], states[selector].instigator_name, newest))
    return sorted(found, key=lambda tick: tick.subject)


def ticks_of_instance(instance: dg.DagsterInstance, names: Collection[str]) -> list[LastTick]:
    """The same for an opened instance; empty if its storage keeps no ticks."""
    storage = instance.schedule_storage
    return [] if storage is None else last_ticks(storage, names)


def ticks_of_database(dagster_url: str) -> list[LastTick]:
    """The same from Dagster's database, whose tables must exist; creates no instance and no tables."""
    return last_ticks(PostgresScheduleStorage(dagster_url, should_autocreate_tables=False))


def _last(kind: str, name: str, newest: list[InstigatorTick]) -> LastTick:
    errors = [_error(tick) for tick in newest]
    failures = errors.index(None) if None in errors else len(errors)
    return LastTick(kind, name, datetime.fromtimestamp(newest[0].timestamp, UTC), errors[0], failures)


def _error(tick: InstigatorTick) -> SerializableErrorInfo | None:
    if tick.status is TickStatus.FAILURE:
        return tick.error
    is_sensor = tick.instigator_type is InstigatorType.SENSOR
    is_lost = is_sensor and tick.status is TickStatus.SKIPPED and not (tick.skip_reason or tick.run_keys)
    return _NOT_STORED if is_lost else None
