"""Tests are not played across midnight."""

from datetime import UTC, datetime, timedelta

import pytest

from emag_pipeline_tests.midnight import ROOM_SECONDS, seconds_to_wait

_MIDNIGHT = datetime(2026, 11, 28, tzinfo=UTC)


@pytest.mark.parametrize("before", [0.001, 1, ROOM_SECONDS - 1])
def test_what_would_begin_just_before_midnight_begins_just_after_it(before: float) -> None:
    now = (_MIDNIGHT - timedelta(seconds=before)).timestamp()
    began = datetime.fromtimestamp(now + seconds_to_wait(now), UTC)
    assert _MIDNIGHT < began < _MIDNIGHT + timedelta(seconds=2)


@pytest.mark.parametrize("before", [-1, 0, ROOM_SECONDS, 12 * 60 * 60])
def test_at_every_other_time_nothing_is_waited_for(before: float) -> None:
    assert seconds_to_wait((_MIDNIGHT - timedelta(seconds=before)).timestamp()) == 0
