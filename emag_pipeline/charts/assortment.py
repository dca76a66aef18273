"""Line chart: how many offers there are, and how many can be bought, day by day."""

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from emag_pipeline.charts.canvas import Sheet, sheet
from emag_pipeline.charts.days import few_ticks, label_days
from emag_pipeline.charts.svg import BLUE, ORANGE
from emag_pipeline.wording import counted

#: Of the axis, what a line of text takes.
_LABEL_HEIGHT = 0.11
#: Before the first day, so that its name does not touch the axis of offers.
_MARGIN = 0.06
#: As long as there are fewer, each has a dot: a single day is seen.
_MARKED_DAYS = 15


class DayOfOffers(Protocol):
    """One day's end: offers, and those of them that can be bought."""

    @property
    def day(self) -> date: ...
    @property
    def offers(self) -> int: ...
    @property
    def saleable_offers(self) -> int: ...


def draw(name: str, days: Sequence[DayOfOffers]) -> str:
    """The chart of days in their order, gaps allowed. One day is a point, none is said in words."""
    with sheet(name, "Offers and saleable offers by day", describe(days), height=200, left=42, right=106) as paper:
        if days:
            _lines(paper, days)
        else:
            paper.say_nothing_known("No day is known yet.")
    return paper.text


def describe(days: Sequence[DayOfOffers]) -> str:
    """The chart in a sentence, for those who do not see it."""
    if not days:
        return "No day is known yet."
    first, last = days[0], days[-1]
    told = f"{counted(last.offers, 'offer')} on {last.day}, {last.saleable_offers:,} of them saleable"
    return f"{told}." if len(days) == 1 else f"{told}; {first.offers:,} and {first.saleable_offers:,} on {first.day}."


def _lines(paper: Sheet, days: Sequence[DayOfOffers]) -> None:
    axes, x = paper.axes, [day.day.toordinal() for day in days]
    offers, saleable = [day.offers for day in days], [day.saleable_offers for day in days]
    for y, colour, dashes in ((offers, BLUE, "-"), (saleable, ORANGE, (0, (4, 1.5)))):
        marker = "o" if len(days) < _MARKED_DAYS else ""
        axes.plot(x, y, color=colour, linestyle=dashes, linewidth=2, marker=marker, markersize=4, clip_on=False)
    top = max(*offers, 1)
    axes.set_ylim(0, top * 1.08)
    axes.set_xlim(x[0] - max(1, x[-1] - x[0]) * _MARGIN, x[-1])
    few_ticks(axes)
    label_days(axes, [day.day for day in days])
    _label_ends(paper, x[-1], offers[-1], saleable[-1], top)


def _label_ends(paper: Sheet, x: int, offers: int, saleable: int, top: int) -> None:
    """The lines' names at their ends, moved apart where they would touch."""
    lower = min(saleable, offers - top * _LABEL_HEIGHT)
    upper = max(offers, lower + top * _LABEL_HEIGHT)
    for y, words, colour in ((upper, counted(offers, "offer"), BLUE), (lower, f"{saleable:,} saleable", ORANGE)):
        paper.say(x, y, words, dx=8, color=colour, fontweight="bold")
