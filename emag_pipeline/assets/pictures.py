"""Charts and sparklines beside a materialization, as Dagster's UI shows them.

A picture is stored in Dagster's event log with each materialization, 6 to 12 kB, and drawing the first one costs a run
41 MB and 0.6 s (a refresh has 150 MB). Therefore the refresh of an account has sparklines only; marts and report, whose
runs are others, draw. The UI shows Markdown of 1000 characters and more behind `[Show Markdown]`: what must be seen at
once is a number or a sparkline. None of them may cost what it belongs to: one that fails is left out, with a warning.
"""

from collections.abc import Callable
from datetime import date
from uuid import UUID

import dagster as dg

from emag_pipeline.assets.metadata import Metadata
from emag_pipeline.charts import sparkline
from emag_pipeline.charts.svg import alternative, data_uri
from emag_pipeline.db.engine import Database
from emag_pipeline.db.report import buy_button as button_figures
from emag_pipeline.db.report import cover, days, headline, timeline
from emag_pipeline.db.report import issues as issue_figures
from emag_pipeline.logs import logger
from emag_pipeline.report import pictures

log = logger(__name__)


def scan(database: Database, sync_id: UUID) -> Metadata:
    """How a scan went: calls that failed, the longest pause in seconds, and good answers over time as a sparkline."""
    return _unless_it_fails("scan", lambda: _scan(database, sync_id))


def timeline_of(database: Database, account: str) -> Metadata:
    """The account's newest scan over time, as a chart."""
    return _unless_it_fails("scan_timeline", lambda: _timeline(database, account))


def assortment(database: Database, account: str, day: date) -> Metadata:
    """Sparklines of the 30 days up to this one; charts of them beside the newest day only, a backfill has many days."""
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


def _scan(database: Database, sync_id: UUID) -> Metadata:
    found = timeline.timeline(database, sync_id)
    return {
        "calls_failed": found.failed,
        "calls_over_rate_limit": found.limited,
        "longest_pause_seconds": round(found.longest_pause_seconds, 1),
        "answers_over_time": sparkline.draw(found.answers_over_time) or "no call",
    }


def _timeline(database: Database, account: str) -> Metadata:
    sync_id = timeline.newest_scan(database, account)
    return {} if sync_id is None else {"scan": shown(pictures.of_scan(timeline.timeline(database, sync_id)))}


def _assortment(database: Database, account: str, day: date) -> Metadata:
    known = days.days(database, account, until=day)
    if not known:
        return {}
    words = {
        "offers_by_day": sparkline.draw([one.offers for one in known]),
        "saleable_by_day": sparkline.draw([one.saleable_offers for one in known]),
    }
    if days.newest(database, account) != day:
        return dict(words)
    return words | {
        "picture": shown(pictures.of_assortment(known)),
        "price_moves_picture": shown(pictures.of_price_moves(known)),
    }


def _issues(database: Database, account: str) -> Metadata:
    offers = headline.headline(database, account).offers
    return {"picture": shown(pictures.of_issues(issue_figures.issue_counts(database, account), offers))}


def _buy_button(database: Database, account: str) -> Metadata:
    return {"picture": shown(pictures.of_buy_button(button_figures.button_counts(database, account)))}


def _low_stock(database: Database, account: str) -> Metadata:
    return {"picture": shown(pictures.of_cover(cover.bands(database, account)))}


def _unless_it_fails(name: str, draw: Callable[[], Metadata]) -> Metadata:
    try:
        return draw()
    except Exception as error:
        log.warning("picture_not_drawn", picture=name, error=f"{type(error).__name__}: {error}")
        return {}
