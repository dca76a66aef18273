"""The sheet that every chart is drawn on: palette, axes, text and shapes as SVG, with the standard library only."""

import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from xml.etree import ElementTree

# The colours of all charts, by Okabe and Ito, are suitable for colour-blind readers. No chart relies on colour alone: a
# label, a dash or a position shows the same, so it is readable in grey.

INK = "#1c2430"
MUTED = "#5b6675"
GRID = "#dfe3e9"
PAPER = "#ffffff"
BLUE = "#0072b2"
SKY = "#56b4e9"
ORANGE = "#b64a00"
YELLOW = "#f0c34e"
GREY = "#9aa3af"

#: The CSS variables by which a page may replace each colour, e.g. in dark mode: `--chart-ink`.
NAMES = {
    INK: "ink",
    MUTED: "muted",
    GRID: "grid",
    PAPER: "paper",
    BLUE: "blue",
    SKY: "sky",
    ORANGE: "orange",
    YELLOW: "yellow",
    GREY: "grey",
}

#: CSS pixels; text stays readable if a phone shows the chart 340 pixels wide.
WIDTH = 420
_FONT_SIZE = 12
_TOP, _BOTTOM = 12, 24

_SVG = "http://www.w3.org/2000/svg"
#: Characters that XML 1.0 cannot represent.
_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Point = tuple[float, float]


def plain(text: str) -> str:
    """The text without characters that XML cannot represent."""
    return _UNWRITABLE.sub("\ufffd", text)


def short(number: float) -> str:
    """A number in about five characters at most: `950`, `12.3k`, `1.2M`."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if abs(number) >= size * 10 or (letter == "M" and abs(number) >= size):
            return f"{number / size:.3g}{letter}"
    return f"{number:,.3g}" if number != int(number) else f"{number:,.0f}"


def whole_ticks(most: float, number: int = 4) -> list[int]:
    """0 and at most `number` round whole numbers above it, none of them above `most`."""
    step = next(size * 10**power for power in count() for size in (1, 2, 5) if most / (size * 10**power) <= number)
    return list(range(0, int(most) + 1, step))


class Sheet:
    """A chart being drawn. Positions are in the units of the data; parameters called `d…` are in pixels.

    `name` is in lower case and makes the ids unique within a page. `title` and `description` are for readers who cannot
    see the chart. `left` and `right` are the space for labels next to the axes, `height` the total height, in pixels.
    `x` and `y` are the first and last value of each axis.
    """

    def __init__(
        self, name: str, title: str, description: str, *, height: int, left: int, right: int, x: Point, y: Point
    ) -> None:
        self._across = _scale(x, left, WIDTH - right)
        self._up = _scale(y, height - _BOTTOM, _TOP)
        self._x, self._y = x, y
        self._middle = height / 2
        self._root = ElementTree.Element(
            "svg",
            {
                "xmlns": _SVG,
                "viewBox": f"0 0 {WIDTH} {height}",
                "width": f"{WIDTH}",
                "height": f"{height}",
                "role": "img",
                "font-family": "system-ui, sans-serif",
                "font-size": f"{_FONT_SIZE}",
                "aria-labelledby": f"{name}-title {name}-desc",
            },
        )
        for tag, text in (("title", title), ("desc", description)):
            self._add(tag, {"id": f"{name}-{tag}"}, text)
        self._add("path", {"d": f"M0 0H{WIDTH}V{height}H0z", "style": f"fill: {_colour(PAPER)}"})

    def finished(self) -> str:
        """The chart as SVG; lengths are CSS pixels."""
        return ElementTree.tostring(self._root, encoding="unicode")

    def text(
        self, x: float, y: float, text: str, *, dx: int = 0, dy: int = 0, anchor: str = "start", color: str = INK,
        is_bold: bool = False,
    ) -> None:  # fmt: skip
        """Write a label `dx` pixels right of a position and `dy` below it, vertically centred; `\\n` breaks it."""
        lines = plain(text).split("\n")
        first = self._up(y) + dy + 4 - 7 * (len(lines) - 1)
        style = f"fill: {_colour(color)}" + ("; font-weight: bold" if is_bold else "")
        for place, line in enumerate(lines):
            at = {"x": _number(self._across(x) + dx), "y": _number(first + 14 * place)}
            self._add("text", {**at, "text-anchor": anchor, "style": style}, line)

    def say_nothing_known(self, text: str) -> None:
        """Write the text of an empty chart in its middle."""
        at = {"x": _number(WIDTH / 2), "y": _number(self._middle), "text-anchor": "middle"}
        self._add("text", {**at, "style": f"fill: {_colour(MUTED)}"}, plain(text))

    def line(self, points: Iterable[Point], color: str, *, width: float = 2, dashes: str = "") -> None:
        """A line through the points."""
        path = "M" + "L".join(f"{_number(self._across(x))} {_number(self._up(y))}" for x, y in points)
        dashed = f"; stroke-dasharray: {dashes}" if dashes else ""
        style = f"fill: none; stroke: {_colour(color)}; stroke-width: {width:g}; stroke-linejoin: round{dashed}"
        self._add("path", {"d": path, "style": style})

    def dots(self, points: Iterable[Point], color: str) -> None:
        """A dot at each point."""
        for x, y in points:
            at = {"cx": _number(self._across(x)), "cy": _number(self._up(y)), "r": "2.5"}
            self._add("circle", {**at, "style": f"fill: {_colour(color)}"})

    def areas(self, boxes: Iterable[tuple[Point, Point]], color: str, *, opacity: float = 1) -> None:
        """Rectangles between two opposite corners each, as one shape."""
        path = "".join(
            f"M{_number(self._across(x))} {_number(self._up(y))}H{_number(self._across(to_x))}"
            f"V{_number(self._up(to_y))}H{_number(self._across(x))}z"
            for (x, y), (to_x, to_y) in boxes
        )
        faint = f"; fill-opacity: {opacity:g}" if opacity < 1 else ""
        if path:
            self._add("path", {"d": path, "style": f"fill: {_colour(color)}{faint}"})

    def marks(self, points: Iterable[Point], shape: str, color: str) -> None:
        """The same small shape at each point, as a path relative to it, in pixels."""
        path = "".join(f"M{_number(self._across(x))} {_number(self._up(y))}{shape}" for x, y in points)
        style = f"fill: {_colour(color)}; stroke: {_colour(color)}; stroke-width: 2"
        if path:
            self._add("path", {"d": path, "style": style})

    def label_x(self, ticks: Iterable[tuple[float, str]]) -> None:
        """Labels below the chart."""
        for x, label in ticks:
            self.text(x, self._y[0], label, dy=15, anchor="middle", color=MUTED)

    def label_y(self, ticks: Sequence[float]) -> None:
        """Labels next to the chart, without a sign, and a thin line across it for each. Draw it first."""
        for y in ticks:
            self.line([(self._x[0], y), (self._x[1], y)], GRID, width=1)
            self.text(self._x[0], y, short(abs(y)), dx=-6, anchor="end", color=MUTED)

    def _add(self, tag: str, attributes: dict[str, str], text: str | None = None) -> None:
        ElementTree.SubElement(self._root, tag, attributes).text = None if text is None else plain(text)


def data_uri(svg: str) -> str:
    """The chart as a data URI, an image address that needs no server."""
    return "data:image/svg+xml;base64," + b64encode(svg.encode()).decode()


def alternative(svg: str) -> str:
    """The chart's title and description in one line, without characters that Markdown interprets."""
    root = ElementTree.fromstring(svg)  # noqa: S314 - `Sheet.finished` made it
    label = ": ".join(root.findtext(f"{{{_SVG}}}{tag}") or "" for tag in ("title", "desc"))
    return re.sub(r"[\[\]\\`\s]+", " ", label)


def _scale(values: Point, start: float, end: float) -> Callable[[float], float]:
    """From a value to its pixel."""
    first, last = values
    per_unit = (end - start) / ((last - first) or 1)
    return lambda value: start + (value - first) * per_unit


def _number(pixels: float) -> str:
    """To a tenth of a pixel."""
    return f"{round(pixels, 1):g}"


def _colour(colour: str) -> str:
    return f"var(--chart-{NAMES[colour]}, {colour})"
