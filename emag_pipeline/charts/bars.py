"""Horizontal bars with labels and numbers: offers by issue, by buy button, by days of cover."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from emag_pipeline.charts.svg import BLUE, Sheet, plain

_BAR_HEIGHT, _HALF_A_BAR = 32, 0.29
_WORDS_WIDTH, _WORDS_IN_A_LINE = 172, 23


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its label, a number of 0 or more, the text after it, and a colour of the palette."""

    words: str
    number: int
    said: str
    colour: str = BLUE


def draw(name: str, title: str, bars: Sequence[Bar], *, empty: str) -> str:
    """The chart, first bar on top; `empty` is its text without bars."""
    described = "; ".join(f"{bar.words}: {bar.said}" for bar in bars) + "." if bars else empty
    places = max(1, len(bars))
    sheet = Sheet(
        name, title, described, height=36 + _BAR_HEIGHT * places, left=_WORDS_WIDTH, right=118,
        x=(0, max([bar.number for bar in bars] or [0]) or 1), y=(places - 0.5, -0.5),
    )  # fmt: skip
    if not bars:
        sheet.say_nothing_known(empty)
    for place, bar in enumerate(bars):
        sheet.text(0, place, _wrapped(bar.words), dx=-5, anchor="end")
        sheet.areas([((0, place - _HALF_A_BAR), (bar.number, place + _HALF_A_BAR))], bar.colour)
        sheet.text(bar.number, place, bar.said, dx=5, is_bold=True)
    return sheet.finished()


def _wrapped(words: str) -> str:
    """The text in at most two lines, the rest omitted."""
    return "\n".join(textwrap.wrap(plain(words), _WORDS_IN_A_LINE, max_lines=2, placeholder="…"))
