"""The pictures beside marts and reports: an account's charts, from the rows that the database gives."""

from datetime import date

from emag_pipeline.charts import small
from emag_pipeline.dagster_runs.metadata import Metadata, as_markdown, small_picture, unless_it_fails
from emag_pipeline.marts import assortment as days
from emag_pipeline.marts import buy_button as button_figures
from emag_pipeline.marts import charts
from emag_pipeline.marts import issues as issue_figures
from emag_pipeline.marts import low_stock as cover
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import published, timeline


def timeline_of(database: Database, account: str) -> Metadata:
    """The account's newest scan over time, as a chart."""
    return unless_it_fails("scan_timeline", lambda: _timeline(database, account))


def assortment(database: Database, account: str, day: date) -> Metadata:
    """The 30 days up to this one, small; as charts beside the newest day only, for a backfill has many days."""
    return unless_it_fails("assortment", lambda: _assortment(database, account, day))


def issues(database: Database, account: str) -> Metadata:
    """Offers by the reason why they cannot be bought, as a chart."""
    return unless_it_fails("issues", lambda: _issues(database, account))


def buy_button(database: Database, account: str) -> Metadata:
    """Who has the buy button, and what changed, as a chart."""
    return unless_it_fails("buy_button", lambda: _buy_button(database, account))


def low_stock(database: Database, account: str) -> Metadata:
    """Offers by the days that their stock will last, as a chart."""
    return unless_it_fails("low_stock", lambda: _low_stock(database, account))


def _timeline(database: Database, account: str) -> Metadata:
    sync_id = timeline.newest_scan(database, account)
    return {} if sync_id is None else {"scan": as_markdown(charts.of_scan(timeline.timeline(database, sync_id)))}


def _assortment(database: Database, account: str, day: date) -> Metadata:
    known = days.days(database, account, until=day)
    if not known:
        return {}
    at_once = {
        **small_picture("offers_by_day", small.line, [one.offers for one in known]),
        **small_picture("saleable_by_day", small.line, [one.saleable_offers for one in known]),
        **small_picture("price_moves_by_day", small.columns, [one.price_rises + one.price_cuts for one in known]),
    }
    if days.newest(database, account) != day:
        return at_once
    return at_once | {
        "picture": as_markdown(charts.of_assortment(known)),
        "price_moves_picture": as_markdown(charts.of_price_moves(known)),
    }


def _issues(database: Database, account: str) -> Metadata:
    offers = published.headline(database, account).offers
    counts = issue_figures.issue_counts(database, account)
    return {
        **small_picture("offers_by_issue", small.columns, [count.offers for count in counts]),
        "picture": as_markdown(charts.of_issues(counts, offers)),
    }


def _buy_button(database: Database, account: str) -> Metadata:
    return {"picture": as_markdown(charts.of_buy_button(button_figures.button_counts(database, account)))}


def _low_stock(database: Database, account: str) -> Metadata:
    bands = cover.bands(database, account)
    return {
        **small_picture("offers_by_cover", small.columns, [band.offers for band in bands]),
        "picture": as_markdown(charts.of_cover(bands)),
    }
