import re
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from time import process_time
from typing import Any
from xml.etree import ElementTree

import pytest

from emag_pipeline.charts import bars, by_day, scan_timeline, small, svg
from emag_pipeline.charts.bars import Bar
from emag_pipeline.sync.timeline import ScanTimeline

_SVG = "{http://www.w3.org/2000/svg}"
_HOSTILE = "<b>&amp; ]]> $x^2$ 漢字 \u0007\ud800 --> ăîșț"


def _scan(seconds: float = 40.0, pages_expected: int = 120, **known: Any) -> ScanTimeline:
    nothing = {"readings": [], "answered": 0, "failed": 0, "limited": 0, "failed_at": [], "limited_at": [],
               "pauses": [], "answers_over_time": []}  # fmt: skip
    return ScanTimeline(seconds=seconds, pages_expected=pages_expected, **(nothing | known))


def _days(number: int) -> list[tuple[date, int, int]]:
    return [(date(2026, 10, 1) + timedelta(n), 300 + 7 * n % 40, 200 + n) for n in range(number)]


def _moves(number: int) -> list[tuple[date, int, int]]:
    return [(date(2026, 10, 1) + timedelta(n), n % 5, n % 3) for n in range(number)]


_DAY = date(2026, 11, 1)
_READING = [(n / 3, n) for n in range(1, 121)]
_HOURS = [(n * 60.0, n * 99) for n in range(99)]
_SCAN = _scan(
    readings=[_READING[:60], _READING], failed_at=[3.0], limited_at=[4.0], failed=2, limited=1, pauses=[(20.0, 31.0)]
)
_BARS = [Bar("There is no stock", 120, "120 · 37.5 %"), Bar(_HOSTILE, 3, _HOSTILE), Bar("nothing", 0, "0")]

_DRAWINGS: dict[str, Callable[[], str]] = {
    "assortment": lambda: by_day.draw_offers("assortment", _days(60)),
    "assortment of one day": lambda: by_day.draw_offers("assortment", _days(1)),
    "assortment of no day": lambda: by_day.draw_offers("assortment", []),
    "assortment without an offer": lambda: by_day.draw_offers("assortment", [(_DAY, 0, 0)]),
    "moves": lambda: by_day.draw_moves("moves", _moves(60)),
    "moves of one day": lambda: by_day.draw_moves("moves", [(_DAY, 3, 5)]),
    "no move": lambda: by_day.draw_moves("moves", [(_DAY, 0, 0)]),
    "moves of no day": lambda: by_day.draw_moves("moves", []),
    "bars": lambda: bars.draw("bars", _HOSTILE, _BARS, empty="nothing"),
    "no bar": lambda: bars.draw("bars", "Bars", [], empty=_HOSTILE),
    "bars of nothing": lambda: bars.draw("bars", "Bars", [Bar("nothing", 0, "0")], empty=""),
    "scan": lambda: scan_timeline.draw("scan", _SCAN),
    "scan of one page": lambda: scan_timeline.draw("scan", _scan(0.0, 1, readings=[[(0.0, 1)]])),
    "scan of hours": lambda: scan_timeline.draw(
        "scan", _scan(7000.0, 10_000, readings=[[(n * 60, n * 99) for n in range(99)]])
    ),
    "scan of no page": lambda: scan_timeline.draw("scan", _scan(readings=[[]])),
}
_every = pytest.mark.parametrize("draw", _DRAWINGS.values(), ids=_DRAWINGS)


def _parsed(drawn: str) -> ElementTree.Element:
    return ElementTree.fromstring(drawn)  # noqa: S314 - drawn a moment ago


def _texts(drawn: str) -> str:
    """What stands in the picture, title and description aside."""
    return " ".join("".join(element.itertext()) for element in _parsed(drawn).iter(f"{_SVG}text"))


@_every
def test_a_chart_is_well_formed_and_says_in_words_what_it_shows(draw: Callable[[], str]) -> None:
    root = _parsed(draw())
    named = {element.get("id"): element.text for element in list(root)[:2]}
    assert root.get("role") == "img"
    assert list(named) == (root.get("aria-labelledby") or "").split()
    assert all(named.values())


@_every
def test_the_same_numbers_give_the_same_bytes_in_any_thread(draw: Callable[[], str]) -> None:
    with ThreadPoolExecutor(4) as threads:
        drawn = {future.result() for future in [threads.submit(draw) for _ in range(4)]}
    assert drawn == {draw()}


@_every
def test_a_chart_is_small_and_refers_to_nothing_outside(draw: Callable[[], str]) -> None:
    drawn = draw()
    assert len(drawn.encode()) < 25_000
    assert re.findall(r"https?://[^\"]+", drawn) == ["http://www.w3.org/2000/svg"]
    assert all(
        found.startswith("#")
        for found in re.findall(r'href="([^"]*)"|url\(([^)]*)\)', drawn)
        for found in found
        if found
    )
    assert "<style" not in drawn
    assert "<script" not in drawn


def test_what_a_chart_refers_to_is_there_and_named_after_the_chart() -> None:
    for name in ("one", "other"):
        drawn = scan_timeline.draw(name, _SCAN)
        ids = re.findall(r' id="([^"]*)"', drawn)
        assert set(re.findall(r'(?:href="|url\()#([^")]*)', drawn)) <= set(ids)
        assert all(found.startswith(f"{name}-") for found in ids)
        assert len(ids) == len(set(ids))


def test_texts_of_strangers_are_shown_as_they_are() -> None:
    told = _texts(bars.draw("bars", "Bars", [Bar("offers", 3, _HOSTILE)], empty=""))
    assert "<b>&amp; ]]> $x^2$ 漢字 \ufffd\ufffd --> ăîșț" in told


def test_nothing_known_is_said_and_not_an_empty_axis() -> None:
    assert "No day is known yet." in _texts(by_day.draw_offers("assortment", []))
    assert "No page of it is known any more." in _texts(scan_timeline.draw("scan", _scan()))


def test_lines_are_named_at_their_ends_with_their_last_numbers() -> None:
    told = _texts(by_day.draw_offers("assortment", _days(3)))
    assert "314 offers" in told
    assert "202 saleable" in told


def test_labels_of_lines_that_meet_stand_apart() -> None:
    drawn = _parsed(by_day.draw_offers("assortment", [(_DAY, 100, 100)]))
    labels = [element for element in drawn.iter() if element.text in ("100 offers", "100 saleable")]
    heights = sorted(float(label.get("y", "0")) for label in labels)
    assert len(heights) == 2
    assert heights[1] - heights[0] > 12


def test_a_scan_tells_readings_pauses_failures_and_429() -> None:
    told = _texts(scan_timeline.draw("scan", _SCAN))
    for words in ("reading 1", "reading 2", "waited 11 s", "2 failed", "1 × 429", "expected"):
        assert words in told


def test_colours_can_be_replaced_by_the_page() -> None:
    drawn = by_day.draw_offers("assortment", _days(3))
    assert "var(--chart-ink, #1c2430)" in bars.draw("bars", "Bars", _BARS, empty="")
    assert set(re.findall(r"#[0-9a-f]{6}", drawn)) == set(re.findall(r"var\(--chart-\w+, (#[0-9a-f]{6})\)", drawn))


def test_an_images_alternative_text_holds_nothing_that_markdown_takes_for_its_own() -> None:
    drawn = bars.draw("bars", "A [title](x)\nof two lines", [], empty="`nothing`\\")
    assert svg.alternative(drawn) == "A title (x) of two lines: nothing "


@pytest.mark.parametrize(
    ("numbers", "drawn"), [([], ""), ([0, 0], "▁▁"), ([5], "█"), ([0, 1, 7], "▁▂█"), ([3, 3, 3], "███")]
)
def test_a_sparkline_has_a_block_for_each_number(numbers: list[float], drawn: str) -> None:
    assert small.draw(numbers) == drawn


def test_charts_cost_a_run_nearly_nothing() -> None:
    """Marts and report both draw, in each run: no library to load, and a thousandth of a CPU-second or so a chart."""
    began = process_time()
    for draw in _DRAWINGS.values():
        draw()
    assert process_time() - began < 0.02 * len(_DRAWINGS)
    code = """import sys; before = set(sys.modules)
from emag_pipeline.charts import bars, by_day, small, svg
by_day.draw_offers('name', []); by_day.draw_moves('name', []); bars.draw('name', 'Title', [], empty='nothing')
ours = {name.partition('.')[0] for name in set(sys.modules) - before}
print(*sorted(ours - {'emag_pipeline'} - sys.stdlib_module_names))"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == []
