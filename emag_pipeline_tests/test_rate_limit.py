import pytest

from emag_pipeline.settings.accounts import pace_seconds


@pytest.mark.parametrize(("per_second", "per_minute"), [(3, 180), (3, 60), (10, 600), (0.5, 180), (12, 720)])
def test_a_pace_breaks_neither_sliding_window(per_second: float, per_minute: float) -> None:
    pace = pace_seconds(per_second, per_minute)
    assert int(per_second) * pace > 1 or per_second < 1, "that many gaps lie between per_second + 1 calls"
    assert int(per_minute) * pace > 60


def test_the_documented_limit_is_used_to_95_percent() -> None:
    assert 1 / pace_seconds(3, 180) >= 0.95 * 3


def test_half_a_share_is_half_the_pace() -> None:
    assert pace_seconds(3, 180, 0.5) == pytest.approx(2 * pace_seconds(3, 180))
