"""What all charts over days share: the axis of days, and the short way to write numbers."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_LABELS = 5


def short(number: float) -> str:
    """A number in at most five characters or so: `950`, `12.3k`, `1.2M`."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if abs(number) >= size * 10 or (letter == "M" and abs(number) >= size):
            return f"{number / size:.3g}{letter}"
    return f"{number:,.3g}" if number != int(number) else f"{number:,.0f}"


def label_days(axes: "Axes", days: Sequence[date]) -> None:
    """Name a few of the days below the axis, the last one always; day n stands at x = its ordinal number."""
    step = max(1, -(-(len(days) - 1) // (_MOST_LABELS - 1))) if len(days) > 1 else 1
    named = [day for place, day in enumerate(reversed(days)) if place % step == 0]
    axes.set_xticks([day.toordinal() for day in named], [f"{day.day} {day:%b}" for day in named])


def few_ticks(axes: "Axes") -> None:
    """Three or four whole numbers beside the axis, with thin lines behind the chart."""
    from matplotlib.ticker import MaxNLocator

    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
    axes.yaxis.set_major_formatter(lambda value, _: short(value))
    axes.grid(axis="y")
    axes.set_axisbelow(True)
