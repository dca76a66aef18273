"""What Dagster's daemon does, as its own storage tells. Only reads: no instance is made, no table is created."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

from dagster._core.scheduler.instigation import InstigatorStatus
from dagster_postgres import PostgresRunStorage, PostgresScheduleStorage
from dagster_shared.error import SerializableErrorInfo

from emag_pipeline.wording import gist

# What Dagster's errors say: the one that was raised, not those around it, nor what gRPC says of a call that failed.

#: Of a code server that is gone, frozen or being started again; beneath them is nothing but gRPC.
UNREACHABLE = frozenset({"DagsterUserCodeUnreachableError", "DagsterUserCodeUnreachableTimeoutError"})
_STATUS = re.compile(r"gRPC Error code: (\w+)")


def innermost(error: SerializableErrorInfo) -> SerializableErrorInfo:
    """What was raised, without the errors that Dagster wraps around it."""
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
    return f"the code server could not be reached{how}: it was ended, does not answer or is being started again"


#: It speaks every 30 seconds, or when a look at a sensor ends: after so long it does not run.
SILENT_SECONDS = 150.0


@dataclass(frozen=True, slots=True)
class Daemon:
    """Seconds since each of its parts (SENSOR, SCHEDULER, …) last said that it lives; what they complained of then."""

    silent_seconds: Mapping[str, float]
    complaints: Mapping[str, str]

    @property
    def silence_seconds(self) -> float | None:
        """Since anything of it was heard; None when it never ran."""
        return min(self.silent_seconds.values(), default=None)


def heard(dagster_url: str) -> Daemon:
    """What was heard of it: the heartbeats in Dagster's database, whose tables must exist."""
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
