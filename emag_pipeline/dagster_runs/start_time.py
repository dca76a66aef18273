"""The second at which a scheduled run makes its first call.

Dagster's cron has a resolution of minutes, but the marketplace asks for starts at odd seconds (docs/marketplace-api.md,
"Rate limits"). The schedule writes the moment into a tag of the run, and the run's first step waits for it before it
takes the lease; a signal or Terminate ends the wait at once. A run that starts later, from the queue or as a retry,
does not wait.
"""

import time
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg
from dagster._utils.schedules import cron_string_iterator

from emag_pipeline.dagster_runs.resource import logged_in_the_run
from emag_pipeline.logs import logger

log = logger(__name__)

#: ISO 8601, in UTC
NOT_BEFORE_TAG = "emag/not_before"
#: The longest wait, in case clocks of two machines differ: the moment is within the schedule's minute.
_LONGEST_SECONDS = 60.0


def due_moments(expression: str, timezone: str, since: datetime) -> Iterator[datetime]:
    """The moments from `since` on at which a schedule with this cron expression is due; endless."""
    return cron_string_iterator(since.timestamp(), expression, timezone)


def await_start(context: dg.AssetExecutionContext) -> None:
    """Log and sleep until the moment in the run's tag; does nothing without the tag."""
    moment = context.run.tags.get(NOT_BEFORE_TAG)
    if moment is None:
        return
    seconds = (datetime.fromisoformat(moment) - datetime.now(UTC)).total_seconds()
    if seconds > 0:
        seconds = min(seconds, _LONGEST_SECONDS)
        said = f"Waiting {seconds:.0f} s for {moment}: each account starts at its own second"
        facts = {"subject": str(context.partition_key), "run_id": context.run.run_id, "seconds": round(seconds)}
        with logged_in_the_run(context):
            log.info("start_awaited", **facts, message=said)
        time.sleep(seconds)


# The minute and second at which each account or marketplace starts, so that not all start together.

#: The earliest second: a run needs about ten seconds from its tick to its first step.
_SECONDS = [second for second in range(11, 60) if second % 5]


def minute_of(name: str) -> int:
    """The name's minute of the hour: stable, spread over names, never a multiple of five."""
    chosen = zlib.crc32(name.encode()) % 48
    return chosen + chosen // 4 + 1


def second_of(name: str) -> int:
    """The name's second of the minute, likewise."""
    return _SECONDS[zlib.crc32(b"second of " + name.encode()) % len(_SECONDS)]


def run_of(context: dg.ScheduleEvaluationContext, partition: str) -> dg.RunRequest:
    """The tick's run of a partition, which starts at the partition's second of the tick's minute."""
    start = context.scheduled_execution_time.astimezone(UTC).replace(second=second_of(partition), microsecond=0)
    return dg.RunRequest(partition_key=partition, tags={NOT_BEFORE_TAG: start.isoformat()})
