"""The assortment of each day (UTC)."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from statistics import median
from typing import Any

from emag_pipeline_tests.month.judge.issues import codes
from emag_pipeline_tests.month.judge.numbers import rounded, share
from emag_pipeline_tests.month.past import Offers, Past

_INSTANT = timedelta(microseconds=1)


def expected(past: Past, account: str, now: datetime) -> dict[date, dict[str, Any]]:
    """The rows of emag_daily_assortment of an account, by day, from its first publish to today."""
    return {day: _row(past, account, day, now) for day in days(past, account, now)}


def days(past: Past, account: str, now: datetime) -> Iterator[date]:
    """The days that have a row."""
    day = past.publishes[account][0].at.astimezone(UTC).date()
    while day <= now.astimezone(UTC).date():
        yield day
        day += timedelta(days=1)


def _row(past: Past, account: str, day: date, now: datetime) -> dict[str, Any]:
    begins = datetime.combine(day, time(), UTC)
    ends = begins + timedelta(days=1)
    as_of = ends - _INSTANT if ends <= now else max(past.newest(account).at, begins)
    here, before = past.as_of(account, as_of), past.as_of(account, begins - _INSTANT)
    until = [publish.at for publish in past.publishes[account] if publish.at <= as_of]
    publishes = sum(at >= begins for at in until)
    saleable = sum(state["is_saleable"] for state in here.values())
    return {
        "as_of": as_of,
        "offers": len(here),
        "saleable_offers": saleable,
        "saleable_share": share(saleable, len(here), 6),
        "arrivals": len(here.keys() - before.keys()) if past.publishes[account][0].at < begins else None,
        "departures": len(before.keys() - here.keys()),
        "issues": dict(Counter(code for state in here.values() for code in codes(state))),
        "publishes": publishes,
        "last_published_at": until[-1],
        "is_carried_forward": publishes == 0,
        **_amounts(here),
        **_moves(here, before),
    }


def _amounts(here: Offers) -> dict[str, Any]:
    stocks = {offer_id: max(state["general_stock"] or 0, 0) for offer_id, state in here.items()}
    told = Counter(state["currency"] for state in here.values() if state["currency"] is not None)
    usual = told.most_common(1)[0][0] if told else None
    prices = {
        offer_id: state["sale_price"]
        for offer_id, state in here.items()
        if state["sale_price"] is not None and state["currency"] in (usual, None)
    }
    return {
        "currency": usual,
        "offers_in_other_currencies": sum(state["currency"] not in (usual, None) for state in here.values()),
        "stock": sum(stocks.values()),
        "stock_value": sum((stocks[offer_id] * price for offer_id, price in prices.items()), Decimal(0)),
        "median_price": rounded(median(prices.values()), 4) if prices else None,
    }


def _moves(here: Offers, before: Offers) -> dict[str, int]:
    in_both = [one for one in here.keys() & before.keys() if here[one]["currency"] == before[one]["currency"]]
    both = [(here[one]["sale_price"], before[one]["sale_price"]) for one in in_both]
    priced = [(now, then) for now, then in both if now is not None and then is not None]
    return {
        "price_moves": sum(now != then for now, then in both),
        "price_rises": sum(now > then for now, then in priced),
        "price_cuts": sum(now < then for now, then in priced),
    }
