"""The pictures of marts and report in Dagster's UI: an account's charts, and small ones that are shown directly."""

from collections.abc import Callable, Mapping
from datetime import date

from emag_pipeline.charts import small
from emag_pipeline.dagster_runs.metadata import Metadata, as_markdown, small_picture, unless_it_fails
from emag_pipeline.marts import charts, figures
from emag_pipeline.marts.registry import BUY_BUTTON, DAILY_ASSORTMENT, LOW_STOCK, OFFER_ISSUES
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import published, timeline


def of_scan(database: Database, account: str) -> Metadata:
    """The account's newest scan over time, as a chart."""
    return unless_it_fails("scan_timeline", lambda: _scan(database, account))


def of_mart(name: str, database: Database, account: str, day: date | None = None) -> Metadata:
    """The pictures of a mart of an account, `day` for a mart by day; empty for a mart without pictures."""
    draw = _PICTURES.get(name)
    return unless_it_fails(name, lambda: draw(database, account, day)) if draw else {}


def _scan(database: Database, account: str) -> Metadata:
    sync_id = timeline.newest_scan(database, account)
    return {} if sync_id is None else {"scan": as_markdown(charts.of_scan(timeline.timeline(database, sync_id)))}


def _assortment(database: Database, account: str, day: date | None) -> Metadata:
    """The 30 days up to this one as small pictures; charts only for the newest day, since a backfill has many days."""
    known = figures.days(database, account, until=day)
    if not known:
        return {}
    at_once = {
        **small_picture("offers_by_day", small.line, [one.offers for one in known]),
        **small_picture("saleable_by_day", small.line, [one.saleable_offers for one in known]),
        **small_picture("price_moves_by_day", small.columns, [one.price_rises + one.price_cuts for one in known]),
    }
    if figures.newest_day(database, account) != day:
        return at_once
    return at_once | {
        "picture": as_markdown(charts.of_assortment(known)),
        "price_moves_picture": as_markdown(charts.of_price_moves(known)),
    }


def _issues(database: Database, account: str, _: date | None) -> Metadata:
    offers = published.headline(database, account).offers
    counts = figures.issue_counts(database, account)
    return {
        **small_picture("offers_by_issue", small.columns, [count.offers for count in counts]),
        "picture": as_markdown(charts.of_issues(counts, offers)),
    }


def _buy_button(database: Database, account: str, _: date | None) -> Metadata:
    return {"picture": as_markdown(charts.of_buy_button(figures.button_counts(database, account)))}


def _low_stock(database: Database, account: str, _: date | None) -> Metadata:
    bands = figures.cover_bands(database, account)
    return {
        **small_picture("offers_by_cover", small.columns, [band.offers for band in bands]),
        "picture": as_markdown(charts.of_cover(bands)),
    }


#: By mart. A mart without an entry has no picture.
_PICTURES: Mapping[str, Callable[[Database, str, date | None], Metadata]] = {
    OFFER_ISSUES.name: _issues,
    BUY_BUTTON.name: _buy_button,
    LOW_STOCK.name: _low_stock,
    DAILY_ASSORTMENT.name: _assortment,
}
