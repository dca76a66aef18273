"""The dashboard's two kinds of panels, and their appearance."""

from collections.abc import Mapping

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, timeseries
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    LegendDisplayMode,
    LegendPlacement,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
)

#: The Prometheus selected at the top of the dashboard.
SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")

#: A legend's text, and its query.
Queries = Mapping[str, str]
#: The text and the colour for a value.
Words = Mapping[str, tuple[str, str]]
#: Thresholds and their colours; None is the lowest.
Colours = Mapping[float | None, str]

_PLAIN: Colours = {None: "blue"}


def now(
    title: str,
    help_: str,
    queries: Queries,
    *,
    width: int = 4,
    unit: str = "none",
    words: Words | None = None,
    colours: Colours = _PLAIN,
) -> stat.Panel:
    """The newest values, large. `width` is in 24ths of the page."""
    panel = stat.Panel().title(title).description(help_).datasource(SOURCE).height(4).span(width).unit(unit)
    panel = panel.color_mode(BigValueColorMode.BACKGROUND_SOLID).thresholds(_thresholds(colours))
    if words:
        shown = {value: ValueMappingResult(text=text, color=colour) for value, (text, colour) in words.items()}
        panel = panel.mappings([ValueMap(options=shown)])
    return panel.targets([_query(legend, query).instant() for legend, query in queries.items()])


def over_time(
    title: str,
    help_: str,
    queries: Queries,
    *,
    width: int = 12,
    unit: str = "none",
    stacked: bool = False,
    most: float | None = None,
) -> timeseries.Panel:
    """Lines over time; `most` is the end of the axis, if it is known."""
    panel = timeseries.Panel().title(title).description(help_).datasource(SOURCE).height(8).span(width).unit(unit)
    panel = panel.min(0).line_width(1).fill_opacity(25 if stacked else 5).show_points(VisibilityMode.NEVER)
    panel = panel.legend(_legend()).tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
    if stacked:
        panel = panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL))
    if most is not None:
        panel = panel.max(most)
    return panel.targets([_query(legend, query) for legend, query in queries.items()])


def _query(legend: str, query: str) -> prometheus.Dataquery:
    return prometheus.Dataquery().expr(query).legend_format(legend)


def _legend() -> common.VizLegendOptions:
    shown = common.VizLegendOptions().show_legend(True)
    return shown.display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM)


def _thresholds(colours: Colours) -> dashboard.ThresholdsConfig:
    steps = [Threshold(value=value, color=colour) for value, colour in colours.items()]
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)
