"""The sheet that every chart is drawn on: one size, one look, no state of matplotlib that threads would share."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from io import StringIO
from typing import TYPE_CHECKING, Any

from emag_pipeline.charts import svg
from emag_pipeline.charts.svg import GRID, INK, MUTED, PAPER

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: CSS pixels; texts stay readable when a phone shows it in 340.
WIDTH = 420
FONT = 12

#: Set once, before the first chart: the same numbers give the same bytes, a `$` in a name is a `$`.
_SETTINGS: dict[Any, Any] = {
    "svg.hashsalt": "emag_pipeline",
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.size": FONT,
    "text.color": INK,
    "axes.edgecolor": GRID,
    "axes.labelcolor": MUTED,
    "axes.facecolor": "none",
    "xtick.color": GRID,
    "ytick.color": GRID,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
}
_NO_METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))


@cache
def load() -> None:
    """Load matplotlib, unless that has been done; whoever starts processes that will draw does it for them."""
    import warnings

    import matplotlib as mpl
    import matplotlib.backends.backend_svg
    import matplotlib.figure
    import matplotlib.ticker

    mpl.rcParams.update(_SETTINGS)
    warnings.filterwarnings("ignore", message=r"Glyph \d+ .*missing from font")  # the reader's font may have it


class Sheet:
    """A chart under way: draw on `axes`, find the finished text in `text` once the sheet is closed."""

    def __init__(self, axes: "Axes") -> None:
        self.axes = axes
        self.text = ""

    def say(self, x: float, y: float, text: str, /, dx: int = 0, dy: int = 0, **style: Any) -> None:
        """Write a label at a place of the axes' data, `dx` pixels to its right and `dy` above it."""
        style = {"va": "center", "textcoords": "offset pixels", "annotation_clip": False, **style}
        self.axes.annotate(svg.plain(text), (x, y), (dx, dy), **style)

    def say_nothing_known(self, text: str) -> None:
        """The words of an empty chart, in its middle."""
        self.axes.axis("off")
        self.axes.figure.text(0.5, 0.5, svg.plain(text), ha="center", va="center", color=MUTED)


@contextmanager
def sheet(name: str, title: str, description: str, *, height: int, left: int, right: int) -> Iterator[Sheet]:
    """Draw a chart within. `left` and `right` are the room beside the axes for labels, all in CSS pixels."""
    load()
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH / 72, height / 72), facecolor=PAPER)
    FigureCanvasSVG(figure)
    axes = figure.add_axes((left / WIDTH, 24 / height, (WIDTH - left - right) / WIDTH, (height - 36) / height))
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(length=0, pad=5)
    drawn = Sheet(axes)
    yield drawn
    text = StringIO()
    figure.savefig(text, format="svg", dpi=72, metadata=_NO_METADATA)
    drawn.text = svg.finished(text.getvalue(), name, title, description)
