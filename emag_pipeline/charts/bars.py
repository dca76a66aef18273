"""Horizontal bars with their words and numbers: offers by issue, by buy button, by days of cover."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from emag_pipeline.charts import svg
from emag_pipeline.charts.canvas import Sheet, sheet
from emag_pipeline.charts.svg import BLUE, INK

_BAR_HEIGHT = 32
_WORDS_WIDTH = 172
_WORDS_IN_A_LINE = 23


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: words, a number of 0 or more, what is written behind it, and a colour of the palette."""

    words: str
    number: int
    said: str
    colour: str = BLUE


def draw(name: str, title: str, bars: Sequence[Bar], *, empty: str) -> str:
    """The chart, first bar on top; `empty` is what it says without bars."""
    height = 36 + _BAR_HEIGHT * max(1, len(bars))
    with sheet(name, title, describe(bars, empty), height=height, left=_WORDS_WIDTH, right=118) as paper:
        if bars:
            _draw(paper, bars)
        else:
            paper.say_nothing_known(empty)
    return paper.text


def describe(bars: Sequence[Bar], empty: str) -> str:
    """The chart in words."""
    return "; ".join(f"{bar.words}: {bar.said}" for bar in bars) + "." if bars else empty


def _draw(paper: Sheet, bars: Sequence[Bar]) -> None:
    axes, places = paper.axes, range(len(bars))
    axes.barh(places, [bar.number for bar in bars], height=0.58, color=[bar.colour for bar in bars])
    axes.set_xlim(0, max(1, *(bar.number for bar in bars)))
    axes.set_ylim(len(bars) - 0.5, -0.5)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.set_yticks(places, [_wrapped(bar.words) for bar in bars], color=INK)
    for place, bar in enumerate(bars):
        paper.say(bar.number, place, bar.said, dx=5, fontweight="bold")


def _wrapped(words: str) -> str:
    """At most two lines, the rest left out."""
    return "\n".join(textwrap.wrap(svg.plain(words), _WORDS_IN_A_LINE, max_lines=2, placeholder="…"))
