"""Moments as programs read them: one format wherever JSON, logs and CSV files tell a time."""

from datetime import UTC, datetime
from typing import overload


@overload
def iso(moment: datetime) -> str: ...
@overload
def iso(moment: None) -> None: ...
def iso(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC, such as 2026-03-01T04:00:00.000005Z; None stays None.

    Always to the microsecond: a publish is known by it, and a column of times of one length has one format to guess.
    """
    return (
        None if moment is None else moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    )


def iso_now() -> str:
    """This moment."""
    return iso(datetime.now(UTC))
