"""How a scan went: pages over time, reading by reading, with pauses, failed calls and calls over the rate limit."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from emag_pipeline.charts.canvas import Sheet, sheet
from emag_pipeline.charts.days import few_ticks
from emag_pipeline.charts.svg import BLUE, GREY, INK, MUTED, ORANGE, YELLOW
from emag_pipeline.wording import counted

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Where failures are marked, below the axis' zero, as a share of its top.
_BELOW = -0.12
#: Seconds between the labels of the time.
_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600)
_MOST_LABELS = 6


class TimelineData(Protocol):
    """A sync's calls over time, all in seconds since it began."""

    @property
    def seconds(self) -> float: ...
    @property
    def pages_expected(self) -> int: ...
    @property
    def readings(self) -> Sequence[Sequence[tuple[float, int]]]:
        """Each reading of all pages: when how many of them were there, in order."""

    @property
    def failed_at(self) -> Sequence[float]:
        """Moments of failed calls other than those over the rate limit."""

    @property
    def limited_at(self) -> Sequence[float]:
        """Moments of calls over the rate limit (HTTP 429)."""

    @property
    def failed(self) -> int:
        """All calls that failed."""

    @property
    def limited(self) -> int:
        """Those of them that were over the rate limit."""

    @property
    def pauses(self) -> Sequence[tuple[float, float]]:
        """From when to when no call was under way."""


def draw(name: str, timeline: TimelineData) -> str:
    """The chart; a sync without any page is said in words."""
    with sheet(name, "The newest scan over time", describe(timeline), height=210, left=42, right=76) as paper:
        if any(timeline.readings):
            _draw(paper, timeline)
        else:
            paper.say_nothing_known(describe(timeline))
    return paper.text


def describe(timeline: TimelineData) -> str:
    """The chart in a sentence."""
    if not any(timeline.readings):
        return "No page of it is known any more."
    again = f" in {len(timeline.readings)} readings" if len(timeline.readings) > 1 else ""
    said = [f"{counted(timeline.pages_expected, 'page')}{again} within {timeline.seconds:,.1f} s"]
    said.append(f"{counted(timeline.failed, 'call')} failed, {timeline.limited:,} of them over the rate limit")
    if timeline.pauses:
        said.append(f"the longest pause took {max(end - start for start, end in timeline.pauses):,.0f} s")
    return "; ".join(said) + "."


def _draw(paper: Sheet, timeline: TimelineData) -> None:
    axes, expected = paper.axes, timeline.pages_expected
    top = max(expected, *(reading[-1][1] for reading in timeline.readings if reading), 1)
    axes.set_xlim(0, max(timeline.seconds, 0.001))
    axes.set_ylim(_BELOW * 2 * top, 1.2 * top)
    for start, end in timeline.pauses:
        axes.axvspan(start, end, color=YELLOW, alpha=0.35, linewidth=0)
    for number, reading in enumerate(timeline.readings, start=1):
        _climb(paper, reading, f"reading {number}" if len(timeline.readings) > 1 else "")
    axes.axhline(expected, color=GREY, linewidth=1, linestyle=(0, (2, 2)))
    paper.say(timeline.seconds, expected, "expected", dx=8, color=MUTED)
    few_ticks(axes)
    axes.set_yticks([tick for tick in axes.get_yticks() if 0 <= tick <= 1.05 * top])
    _label_time(axes, timeline.seconds)
    _mark_failures(paper, timeline, _BELOW * top)
    _name_pauses(paper, timeline, 1.16 * top)


def _climb(paper: Sheet, pages: Sequence[tuple[float, int]], label: str) -> None:
    if not pages:
        return
    x, y = [at for at, _ in pages], [number for _, number in pages]
    paper.axes.step([x[0], *x], [0, *y], where="post", color=BLUE, linewidth=2, clip_on=False)
    paper.axes.plot(x[-1:], y[-1:], "o", color=BLUE, markersize=4, clip_on=False)
    paper.say(x[0], 0, label, dx=12, dy=6, color=INK)


def _label_time(axes: "Axes", seconds: float) -> None:
    step = next((step for step in _STEPS if seconds / step <= _MOST_LABELS), _STEPS[-1])
    ticks = [place * step for place in range(int(seconds / step) + 1)][:: 1 + int(seconds / step / _MOST_LABELS)]
    axes.set_xticks(ticks, [f"{tick / 60:g} min" if step >= 60 else f"{tick:g} s" for tick in ticks])


def _mark_failures(paper: Sheet, timeline: TimelineData, y: float) -> None:
    """Below the pages: a cross for each moment of failures, a triangle for each of 429."""
    if not timeline.failed:
        return
    for moments, marker in ((timeline.failed_at, "x"), (timeline.limited_at, "v")):
        paper.axes.plot(moments, [y] * len(moments), marker, color=ORANGE, markersize=6, markeredgewidth=2)
    words = f"{timeline.failed:,} failed" + (f"\n{timeline.limited:,} × 429" if timeline.limited else "")
    paper.say(timeline.seconds, y, words, dx=8, color=ORANGE, fontweight="bold")


def _name_pauses(paper: Sheet, timeline: TimelineData, y: float) -> None:
    """The pauses' lengths, where there is room for them."""
    for start, end in timeline.pauses:
        share = (end - start) / max(timeline.seconds, 0.001)
        if share > 0.06:
            said = f"{end - start:,.0f} s" if share < 0.2 else f"waited {end - start:,.0f} s"
            paper.say((start + end) / 2, y, said, ha="center", va="top", color=INK)
