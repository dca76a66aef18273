"""A scan over time: pages by reading, with pauses, failed calls and calls over the rate limit."""

from emag_pipeline.charts.svg import BLUE, GREY, MUTED, ORANGE, YELLOW, Point, Sheet, whole_ticks
from emag_pipeline.sync.timeline import ScanTimeline
from emag_pipeline.wording import counted

#: Position of failure marks below zero, as a share of the axis.
_BELOW = -0.12
#: A cross and a triangle that points down.
_CROSS, _TRIANGLE = "m-3 -3l6 6m0 -6l-6 6", "m-3 -2h6l-3 5z"
#: Seconds between the labels of the time.
_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600)
_MOST_LABELS = 6


def draw(name: str, timeline: ScanTimeline) -> str:
    """The chart; for a sync without pages, a text."""
    described, expected = describe(timeline), timeline.pages_expected
    top = max(expected, 1, *(reading[-1][1] for reading in timeline.readings if reading), 1)
    seconds = max(timeline.seconds, 0.001)
    sheet = Sheet(
        name, "The newest scan over time", described, height=210, left=42, right=76,
        x=(0, seconds), y=(_BELOW * 2 * top, 1.2 * top),
    )  # fmt: skip
    if not any(timeline.readings):
        sheet.say_nothing_known(described)
        return sheet.finished()
    sheet.areas([((start, _BELOW * 2 * top), (end, 1.2 * top)) for start, end in timeline.pauses], YELLOW, opacity=0.35)
    sheet.label_y(whole_ticks(top))
    sheet.label_x(_time_labels(timeline.seconds))
    sheet.line([(0, expected), (seconds, expected)], GREY, width=1, dashes="2 2")
    sheet.text(seconds, expected, "expected", dx=8, color=MUTED)
    _draw_readings(sheet, timeline)
    _mark_failures(sheet, timeline, _BELOW * top)
    _name_pauses(sheet, timeline, 1.1 * top)
    return sheet.finished()


def describe(timeline: ScanTimeline) -> str:
    """The chart in a sentence."""
    if not any(timeline.readings):
        return "No page of it is known any more."
    again = f" in {len(timeline.readings)} readings" if len(timeline.readings) > 1 else ""
    said = [f"{counted(timeline.pages_expected, 'page')}{again} within {timeline.seconds:,.1f} s"]
    said.append(f"{counted(timeline.failed, 'call')} failed, {timeline.limited:,} of them over the rate limit")
    if timeline.pauses:
        said.append(f"the longest pause took {timeline.longest_pause_seconds:,.0f} s")
    return "; ".join(said) + "."


def _draw_readings(sheet: Sheet, timeline: ScanTimeline) -> None:
    """Each reading as steps from its first page to a dot at its last; numbered if there are several."""
    for number, reading in enumerate(timeline.readings, start=1):
        if not reading:
            continue
        steps: list[Point] = [(reading[0][0], 0)]
        for at, pages in reading:
            steps += [(at, steps[-1][1]), (at, pages)]
        sheet.line(steps, BLUE)
        sheet.dots(steps[-1:], BLUE)
        if len(timeline.readings) > 1:
            sheet.text(*steps[0], f"reading {number}", dx=12, dy=-6)


def _time_labels(seconds: float) -> list[tuple[float, str]]:
    step = next((step for step in _STEPS if seconds / step <= _MOST_LABELS), _STEPS[-1])
    ticks = [place * step for place in range(int(seconds / step) + 1)][:: 1 + int(seconds / step / _MOST_LABELS)]
    return [(tick, f"{tick / 60:g} min" if step >= 60 else f"{tick:g} s") for tick in ticks]


def _mark_failures(sheet: Sheet, timeline: ScanTimeline, y: float) -> None:
    """Below the pages: a cross for each time of failures, a triangle for each HTTP 429."""
    if not timeline.failed:
        return
    sheet.marks([(at, y) for at in timeline.failed_at], _CROSS, ORANGE)
    sheet.marks([(at, y) for at in timeline.limited_at], _TRIANGLE, ORANGE)
    words = f"{timeline.failed:,} failed" + (f"\n{timeline.limited:,} × 429" if timeline.limited else "")
    sheet.text(max(timeline.seconds, 0.001), y, words, dx=8, color=ORANGE, is_bold=True)


def _name_pauses(sheet: Sheet, timeline: ScanTimeline, y: float) -> None:
    """The lengths of the pauses, if there is room."""
    for start, end in timeline.pauses:
        share = (end - start) / max(timeline.seconds, 0.001)
        if share > 0.06:
            said = f"{end - start:,.0f} s" if share < 0.2 else f"waited {end - start:,.0f} s"
            sheet.text((start + end) / 2, y, said, anchor="middle")
