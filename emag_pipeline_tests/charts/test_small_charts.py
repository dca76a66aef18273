import re
from xml.etree import ElementTree

import pytest

from emag_pipeline.charts import small
from emag_pipeline.charts.svg import data_uri

_SERIES = [[], [5.0], [0.0, 0.0], [float(number) for number in range(1_000_000, 1_000_100)]]


@pytest.mark.parametrize("numbers", _SERIES)
def test_a_small_picture_is_short_enough_for_the_ui_to_show_it_at_once(numbers: list[float]) -> None:
    for drawn in (small.line(numbers), small.columns(numbers)):
        ElementTree.fromstring(drawn)  # noqa: S314 - our own
        assert len(f"![{'x' * 100}]({data_uri(drawn)})") < 1000


def test_a_line_goes_up_where_the_numbers_grow() -> None:
    heights = [int(point) for point in re.findall(r"\d+,(\d+)", small.line([10, 20, 30]))]
    assert heights == sorted(heights, reverse=True)
    assert len(set(heights)) == 3


def test_the_largest_column_is_the_highest() -> None:
    tops = [int(top) for top in re.findall(r"V(\d+)h", small.columns([1, 4, 2]))]
    assert tops.index(min(tops)) == 1
