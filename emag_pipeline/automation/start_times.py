"""The minute and the second at which an account or a marketplace begins: its own, so that not all begin together."""

import zlib
from datetime import UTC

import dagster as dg

from emag_pipeline.assets.start_time import NOT_BEFORE_TAG

#: A run needs some ten seconds from its tick to its first step: an earlier second would always be over.
_SECONDS = [second for second in range(11, 60) if second % 5]


def minute_of(name: str) -> int:
    """The name's minute of the hour: stable, spread over names, never a multiple of five."""
    chosen = zlib.crc32(name.encode()) % 48
    return chosen + chosen // 4 + 1


def second_of(name: str) -> int:
    """The name's second of the minute, likewise."""
    return _SECONDS[zlib.crc32(b"second of " + name.encode()) % len(_SECONDS)]


def run_of(context: dg.ScheduleEvaluationContext, partition: str) -> dg.RunRequest:
    """The tick's run of a partition, to begin at the partition's own second of the tick's minute."""
    start = context.scheduled_execution_time.astimezone(UTC).replace(second=second_of(partition), microsecond=0)
    return dg.RunRequest(partition_key=partition, tags={NOT_BEFORE_TAG: start.isoformat()})
