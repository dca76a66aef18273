"""Marts and report of a sync show the same charts."""

import pytest

from emag_pipeline.charts import bars
from emag_pipeline.marts import charts
from emag_pipeline.marts.low_stock import Band

_BANDS = [Band("gone", 3, "gone", 0), Band("1-7 days", 20, "soon", 2)]


def test_a_chart_of_the_same_data_is_drawn_once_and_of_others_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    draw = bars.draw

    def counted(*given: object, **named: object) -> str:
        drawn.append("once")
        return draw(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(bars, "draw", counted)
    first = charts.of_cover(_BANDS)
    assert charts.of_cover([*_BANDS]) == first
    assert drawn == ["once"]
    assert charts.of_cover(_BANDS[:1]) != first
    assert charts.of_cover(_BANDS) == first
    assert drawn == ["once"] * 3
