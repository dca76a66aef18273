"""Pictures of less than a thousand characters as Markdown images, which Dagster's UI shows directly.

It hides longer Markdown behind `[Show Markdown]` (dagster-webserver 1.13.27). So they have no text, no axes and no
variables for colours; their numbers are shown next to them. In a terminal a series is a word of block characters.
"""

from collections.abc import Sequence
from decimal import Decimal

from emag_pipeline.charts.svg import BLUE, ORANGE

_BLOCKS = "▁▂▃▄▅▆▇█"
_ABSENT = " "

Number = Decimal | int | float


def draw(numbers: Sequence[Number | None], least: Number = 0) -> str:
    """One block per number, the lowest for `least`, the full one for the largest, a blank for None; empty without any.

    A series that is `least` throughout is drawn at the bottom if that is 0, else in the middle.
    """
    most = max((number for number in numbers if number is not None), default=least)
    return "".join(
        _ABSENT if number is None else _block(float(number), float(least), float(most)) for number in numbers
    )


def _block(number: float, least: float, most: float) -> str:
    if most == least:
        return _BLOCKS[len(_BLOCKS) // 2 if least else 0]
    return _BLOCKS[round((len(_BLOCKS) - 1) * (number - least) / (most - least))]


_WIDTH, _HEIGHT = 240, 40
_MOST_POINTS = 31


def line(numbers: Sequence[float]) -> str:
    """The newest 31 numbers as a line from their least to their largest, the last one with a dot."""
    shown = numbers[-_MOST_POINTS:]
    least, most = min(shown, default=0), max(shown, default=0)
    step = (_WIDTH - 8) / max(len(shown) - 1, 1)
    points = [f"{4 + place * step:.0f},{_y(number - least, most - least):.0f}" for place, number in enumerate(shown)]
    end = points[-1].replace(",", '" cy="') if points else ""
    dot = f'<circle cx="{end}" r="3" fill="{BLUE}"/>' if points else ""
    return _svg(f'<polyline points="{" ".join(points)}" fill="none" stroke="{BLUE}" stroke-width="2"/>{dot}')


def columns(numbers: Sequence[float]) -> str:
    """The first 31 numbers, each 0 or more, as columns; the largest is the highest."""
    shown = numbers[:_MOST_POINTS]
    most = max(shown, default=0)
    step = _WIDTH / max(len(shown), 1)
    wide = max(1, min(24, round(step) - 2))
    drawn = [
        f"M{place * step:.0f} {_HEIGHT}V{_y(number, most):.0f}h{wide}V{_HEIGHT}z" for place, number in enumerate(shown)
    ]
    return _svg(f'<path d="{"".join(drawn)}" fill="{ORANGE}"/>')


def _y(number: float, most: float) -> float:
    return _HEIGHT - 4 - (_HEIGHT - 8) * number / most if most else _HEIGHT - 4


def _svg(content: str) -> str:
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}">{content}</svg>'
