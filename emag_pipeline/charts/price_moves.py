"""Bars above and below a line: how many prices rose and fell, day by day."""

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from emag_pipeline.charts.canvas import Sheet, sheet
from emag_pipeline.charts.days import few_ticks, label_days, short
from emag_pipeline.charts.svg import BLUE, MUTED, ORANGE
from emag_pipeline.wording import counted

#: A single day is a bar, not a wall.
_LEAST_DAYS = 9
#: In days.
_HALF_A_BAR = 0.35


class DayOfMoves(Protocol):
    """One day: prices that are higher than at the end of the day before, and lower."""

    @property
    def day(self) -> date: ...
    @property
    def price_rises(self) -> int: ...
    @property
    def price_cuts(self) -> int: ...


def draw(name: str, days: Sequence[DayOfMoves]) -> str:
    """The chart of days in their order, gaps allowed."""
    with sheet(name, "Price moves by day", describe(days), height=180, left=42, right=106) as paper:
        if any(day.price_rises or day.price_cuts for day in days):
            _draw(paper, days)
        else:
            paper.say_nothing_known(describe(days))
    return paper.text


def describe(days: Sequence[DayOfMoves]) -> str:
    """The chart in a sentence."""
    if not days:
        return "No day with a day before it is known yet."
    rises, cuts = sum(day.price_rises for day in days), sum(day.price_cuts for day in days)
    when = f"on {days[0].day}" if len(days) == 1 else f"from {days[0].day} to {days[-1].day}"
    if not rises and not cuts:
        return f"No price moved {when}."
    return f"{counted(rises, 'rise')} and {counted(cuts, 'cut')} {when}."


def _draw(paper: Sheet, days: Sequence[DayOfMoves]) -> None:
    axes, x = paper.axes, [day.day.toordinal() for day in days]
    edges = [edge for day in x for edge in (day - _HALF_A_BAR, day + _HALF_A_BAR)]
    for heights, colour in (
        ([day.price_rises for day in days], ORANGE),
        ([-day.price_cuts for day in days], BLUE),
    ):
        between = [value for height in heights for value in (height, 0)][:-1]
        axes.stairs(between, edges, fill=True, color=colour, linewidth=0)  # one shape: a tenth of the bytes of bars
    most = max(max(day.price_rises, day.price_cuts) for day in days)
    axes.set_ylim(-1.1 * most, 1.1 * most)
    axes.set_xlim(min(x[0], x[-1] - _LEAST_DAYS) - 0.5, x[-1] + 0.5)
    few_ticks(axes)
    axes.yaxis.set_major_formatter(lambda value, _: short(abs(value)))
    axes.axhline(0, color=MUTED, linewidth=1)
    label_days(axes, [day.day for day in days])
    last, rises, cuts = x[-1] + 0.5, sum(day.price_rises for day in days), sum(day.price_cuts for day in days)
    for y, number, word, colour in ((0.5, rises, "rise", ORANGE), (-0.5, cuts, "cut", BLUE)):
        paper.say(last, y * most, counted(number, word), dx=8, color=colour, fontweight="bold")
