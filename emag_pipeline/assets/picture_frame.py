"""Pictures beside a materialization, as Dagster's UI shows them: small ones at once, charts behind `[Show Markdown]`.

A chart is stored in Dagster's event log with each materialization, 6 to 12 kB, and drawing the first one costs a run
41 MB and 0.6 s (a refresh has 150 MB). Therefore the refresh of an account has a small picture only (`charts.small`);
marts and report, whose runs are others, have charts too. None may cost what it belongs to: one that fails is left out,
with a warning.
"""

from collections.abc import Callable, Sequence

import dagster as dg

from emag_pipeline.assets.metadata import Metadata
from emag_pipeline.charts import sparkline
from emag_pipeline.charts.svg import alternative, data_uri
from emag_pipeline.logs import logger

log = logger(__name__)


def shown(svg: str) -> dg.MarkdownMetadataValue:
    """A chart as an image in Markdown, which the UI renders, with its words for those who do not see it."""
    return dg.MetadataValue.md(f"![{alternative(svg)}]({data_uri(svg)})")


def small_picture(name: str, draw: Callable[[Sequence[float]], str], numbers: Sequence[float]) -> Metadata:
    """A small picture, none of nothing; where it is not rendered, a sparkline stands in its place."""
    if not numbers:
        return {}
    return {name: dg.MetadataValue.md(f"![{sparkline.draw(numbers)}]({data_uri(draw(numbers))})")}


def unless_it_fails(name: str, draw: Callable[[], Metadata]) -> Metadata:
    """What is drawn; nothing, and a warning, where drawing it fails."""
    try:
        return draw()
    except Exception as error:
        log.warning("picture_not_drawn", picture=name, error=f"{type(error).__name__}: {error}")
        return {}
