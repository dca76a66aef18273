"""Pictures beside a materialization, as Dagster's UI shows them: small ones at once, charts behind `[Show Markdown]`.

A chart is stored in Dagster's event log with each materialization, 6 to 12 kB, and drawing the first one costs a run
41 MB and 0.6 s (a refresh has 150 MB). Therefore the refresh of an account has a small picture only (`charts.small`);
marts and report, whose runs are others, have charts too. None may cost what it belongs to: one that fails is left out,
with a warning.
"""

from collections.abc import Callable, Sequence
from datetime import date
from uuid import UUID

import dagster as dg

from emag_pipeline.assets.metadata import Metadata
from emag_pipeline.charts import small, sparkline
from emag_pipeline.charts.svg import alternative, data_uri
from emag_pipeline.db.engine import Database
from emag_pipeline.db.report import buy_button as button_figures
from emag_pipeline.db.report import cover, days, headline, timeline
from emag_pipeline.db.report import issues as issue_figures
from emag_pipeline.logs import logger
from emag_pipeline.report import pictures

log = logger(__name__)


def scan(database: Database, sync_id: UUID) -> Metadata:
    """How a scan went: calls that failed, the longest pause in seconds, and good answers over time."""
    return _unless_it_fails("scan", lambda: _scan(database, sync_id))


def timeline_of(database: Database, account: str) -> Metadata:
    """The account's newest scan over time, as a chart."""
    return _unless_it_fails("scan_timeline", lambda: _timeline(database, account))


def assortment(database: Database, account: str, day: date) -> Metadata:
    """The 30 days up to this one, small; as charts beside the newest day only, for a backfill has many days."""
    return _unless_it_fails("assortment", lambda: _assortment(database, account, day))


def issues(database: Database, account: str) -> Metadata:
    """Offers by the reason why they cannot be bought, as a chart."""
    return _unless_it_fails("issues", lambda: _issues(database, account))


def buy_button(database: Database, account: str) -> Metadata:
    """Who has the buy button, and what changed, as a chart."""
    return _unless_it_fails("buy_button", lambda: _buy_button(database, account))


def low_stock(database: Database, account: str) -> Metadata:
    """Offers by the days that their stock will last, as a chart."""
    return _unless_it_fails("low_stock", lambda: _low_stock(database, account))


def shown(svg: str) -> dg.MarkdownMetadataValue:
    """A chart as an image in Markdown, which the UI renders, with its words for those who do not see it."""
    return dg.MetadataValue.md(f"![{alternative(svg)}]({data_uri(svg)})")


def _small(name: str, draw: Callable[[Sequence[float]], str], numbers: Sequence[float]) -> Metadata:
    """A small picture, none of nothing; where it is not rendered, a sparkline stands in its place."""
    if not numbers:
        return {}
    return {name: dg.MetadataValue.md(f"![{sparkline.draw(numbers)}]({data_uri(draw(numbers))})")}


def _scan(database: Database, sync_id: UUID) -> Metadata:
    found = timeline.timeline(database, sync_id)
    return {
        "calls_failed": found.failed,
        "calls_over_rate_limit": found.limited,
        "longest_pause_seconds": round(found.longest_pause_seconds, 1),
        **_small("answers_over_time", small.columns, found.answers_over_time),
    }


def _timeline(database: Database, account: str) -> Metadata:
    sync_id = timeline.newest_scan(database, account)
    return {} if sync_id is None else {"scan": shown(pictures.of_scan(timeline.timeline(database, sync_id)))}


def _assortment(database: Database, account: str, day: date) -> Metadata:
    known = days.days(database, account, until=day)
    if not known:
        return {}
    at_once = {
        **_small("offers_by_day", small.line, [one.offers for one in known]),
        **_small("saleable_by_day", small.line, [one.saleable_offers for one in known]),
        **_small("price_moves_by_day", small.columns, [one.price_rises + one.price_cuts for one in known]),
    }
    if days.newest(database, account) != day:
        return at_once
    return at_once | {
        "picture": shown(pictures.of_assortment(known)),
        "price_moves_picture": shown(pictures.of_price_moves(known)),
    }


def _issues(database: Database, account: str) -> Metadata:
    offers = headline.headline(database, account).offers
    counts = issue_figures.issue_counts(database, account)
    return {
        **_small("offers_by_issue", small.columns, [count.offers for count in counts]),
        "picture": shown(pictures.of_issues(counts, offers)),
    }


def _buy_button(database: Database, account: str) -> Metadata:
    return {"picture": shown(pictures.of_buy_button(button_figures.button_counts(database, account)))}


def _low_stock(database: Database, account: str) -> Metadata:
    bands = cover.bands(database, account)
    return {
        **_small("offers_by_cover", small.columns, [band.offers for band in bands]),
        "picture": shown(pictures.of_cover(bands)),
    }


def _unless_it_fails(name: str, draw: Callable[[], Metadata]) -> Metadata:
    try:
        return draw()
    except Exception as error:
        log.warning("picture_not_drawn", picture=name, error=f"{type(error).__name__}: {error}")
        return {}
