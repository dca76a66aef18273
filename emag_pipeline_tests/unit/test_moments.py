"""The one format of times for programs."""

from datetime import UTC, datetime, timedelta, timezone

from emag_pipeline.wording import iso

_HERE = datetime(2026, 3, 1, 6, tzinfo=timezone(timedelta(hours=2)))


def test_every_time_has_the_same_length_and_zone() -> None:
    assert iso(_HERE) == "2026-03-01T04:00:00.000000Z"
    assert iso(_HERE + timedelta(microseconds=5)) == "2026-03-01T04:00:00.000005Z"
    assert iso(None) is None
    assert datetime.fromisoformat(iso(_HERE)) == _HERE.astimezone(UTC)
