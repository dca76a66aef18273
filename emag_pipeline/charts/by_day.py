"""Charts over days: the size of the assortment as lines, and price moves as columns above and below zero."""

from collections.abc import Sequence
from datetime import date

from emag_pipeline.charts.svg import BLUE, MUTED, ORANGE, Sheet, whole_ticks
from emag_pipeline.wording import counted

#: The height of a line of text, as a share of the axis.
_LABEL_HEIGHT = 0.11
#: Space before the first day, so that its label does not touch the axis of offers.
_MARGIN = 0.06
#: With fewer days, each has a dot, without which a single day would be invisible.
_MARKED_DAYS = 15
_MOST_LABELS = 5
#: The minimum width in days, so that a single day is a column and does not fill the chart.
_LEAST_DAYS, _HALF_A_COLUMN = 9, 0.35

#: A day, its offers, and how many of them were saleable, at its end.
DayOfOffers = tuple[date, int, int]
#: A day, and how many prices were higher and lower at its end than at the end of the day before.
DayOfMoves = tuple[date, int, int]


def draw_offers(name: str, days: Sequence[DayOfOffers]) -> str:
    """The chart of days in order; gaps are allowed. One day is a point; without days it shows a text."""
    described, offers = _describe_offers(days), [offers for _, offers, _ in days]
    top, (first, last) = max(*offers, 1, 1), _ends(days)
    sheet = Sheet(
        name, "Offers and saleable offers by day", described, height=200, left=42, right=106,
        x=(first - max(1, last - first) * _MARGIN, last), y=(0, top * 1.08),
    )  # fmt: skip
    if not days:
        sheet.say_nothing_known(described)
        return sheet.finished()
    sheet.label_y(whole_ticks(top * 1.08))
    sheet.label_x(_day_labels([day for day, _, _ in days]))
    saleable = [saleable for _, _, saleable in days]
    for numbers, colour, dashes in ((offers, BLUE, ""), (saleable, ORANGE, "8 3")):
        points = [(day.toordinal(), number) for (day, _, _), number in zip(days, numbers, strict=True)]
        sheet.line(points, colour, dashes=dashes)
        sheet.dots(points if len(days) < _MARKED_DAYS else [], colour)
    # the names of the lines at their ends, moved apart if they would overlap
    lower = max(0, min(saleable[-1], offers[-1] - top * _LABEL_HEIGHT))
    upper = max(offers[-1], lower + top * _LABEL_HEIGHT)
    sheet.text(last, upper, counted(offers[-1], "offer"), dx=8, color=BLUE, is_bold=True)
    sheet.text(last, lower, f"{saleable[-1]:,} saleable", dx=8, color=ORANGE, is_bold=True)
    return sheet.finished()


def draw_moves(name: str, days: Sequence[DayOfMoves]) -> str:
    """The chart of days in order; gaps are allowed. Without moves it shows a text."""
    described, rises, cuts = _describe_moves(days), sum(up for _, up, _ in days), sum(down for _, _, down in days)
    most, (first, last) = max((max(up, down) for _, up, down in days), default=1), _ends(days)
    sheet = Sheet(
        name, "Price moves by day", described, height=180, left=42, right=106,
        x=(min(first, last - _LEAST_DAYS) - 0.5, last + 0.5), y=(-1.1 * most, 1.1 * most),
    )  # fmt: skip
    if not rises and not cuts:
        sheet.say_nothing_known(described)
        return sheet.finished()
    ticks = whole_ticks(most, 2)
    sheet.label_y([*(-tick for tick in ticks[1:]), *ticks])
    sheet.label_x(_day_labels([day for day, _, _ in days]))
    for sign, numbers, colour in ((1, [up for _, up, _ in days], ORANGE), (-1, [down for _, _, down in days], BLUE)):
        columns = [(day.toordinal(), sign * number) for (day, _, _), number in zip(days, numbers, strict=True)]
        sheet.areas([((x - _HALF_A_COLUMN, 0), (x + _HALF_A_COLUMN, y)) for x, y in columns if y], colour)
    sheet.line([(min(first, last - _LEAST_DAYS) - 0.5, 0), (last + 0.5, 0)], MUTED, width=1)
    for y, number, word, colour in ((0.5, rises, "rise", ORANGE), (-0.5, cuts, "cut", BLUE)):
        sheet.text(last + 0.5, y * most, counted(number, word), dx=8, color=colour, is_bold=True)
    return sheet.finished()


def _describe_offers(days: Sequence[DayOfOffers]) -> str:
    """The chart in a sentence, for those who cannot see it."""
    if not days:
        return "No day is known yet."
    (first, first_offers, first_saleable), (last, offers, saleable) = days[0], days[-1]
    described = f"{counted(offers, 'offer')} on {last}, {saleable:,} of them saleable"
    return f"{described}." if len(days) == 1 else f"{described}; {first_offers:,} and {first_saleable:,} on {first}."


def _describe_moves(days: Sequence[DayOfMoves]) -> str:
    if not days:
        return "No day with a day before it is known yet."
    rises, cuts = sum(up for _, up, _ in days), sum(down for _, _, down in days)
    when = f"on {days[0][0]}" if len(days) == 1 else f"from {days[0][0]} to {days[-1][0]}"
    if not rises and not cuts:
        return f"No price moved {when}."
    return f"{counted(rises, 'rise')} and {counted(cuts, 'cut')} {when}."


def _ends(days: Sequence[tuple[date, int, int]]) -> tuple[int, int]:
    return (days[0][0].toordinal(), days[-1][0].toordinal()) if days else (0, 1)


def _day_labels(days: Sequence[date]) -> list[tuple[float, str]]:
    """Some of the days, always including the last one; a day is at x = its ordinal number."""
    step = max(1, -(-(len(days) - 1) // (_MOST_LABELS - 1)))
    named = [day for place, day in enumerate(reversed(days)) if place % step == 0]
    return [(day.toordinal(), f"{day.day} {day:%b}") for day in named]
