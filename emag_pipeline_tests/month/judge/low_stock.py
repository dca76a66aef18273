"""What runs out, at the pace of the sales that the publishes of thirty days show."""

from collections import defaultdict
from datetime import UTC, timedelta
from fractions import Fraction
from typing import Any

from emag_pipeline_tests.month.judge.numbers import rounded
from emag_pipeline_tests.month.past import Past

_WINDOW = timedelta(days=30)
_LONGEST_COVER_DAYS = 30
_DAY, _MICROSECOND = timedelta(days=1), timedelta(microseconds=1)


def expected(past: Past, account: str) -> dict[int, dict[str, Any]]:
    """The rows of emag_low_stock of an account, by offer."""
    sold, in_stock = _observed(past, account)
    newest = past.newest(account)
    found = {}
    for offer_id, state in newest.offers.items():
        stock, pieces = state["general_stock"], sold[offer_id]
        if stock is None or not pieces:
            continue
        days = Fraction(in_stock[offer_id] // _MICROSECOND, _DAY // _MICROSECOND)
        pace = pieces / max(days, Fraction(1))
        cover = max(stock, 0) / pace
        if cover <= _LONGEST_COVER_DAYS:
            end = newest.at + timedelta(seconds=float(cover * 86400))
            found[offer_id] = {
                "general_stock": stock,
                "sold": pieces,
                "observed_days": rounded(days, 2),
                "sold_a_day": rounded(pace, 4),
                "days_of_cover": rounded(cover, 4),
                "sold_out_on": end.astimezone(UTC).date() if stock > 0 else None,
                "sale_price": state["sale_price"],
                "currency": state["currency"],
            }
    return found


def _observed(past: Past, account: str) -> tuple[dict[int, int], dict[int, timedelta]]:
    """Pieces that each offer's stock fell by, publish by publish, and how long there was any."""
    sold: dict[int, int] = defaultdict(int)
    in_stock: dict[int, timedelta] = defaultdict(timedelta)
    since = past.newest(account).at - _WINDOW
    for before, publish in past.pairs(account):
        if before is None or publish.at <= since:
            continue
        lasted = publish.at - max(before.at, since)
        for offer_id, state in before.offers.items():
            then = state["general_stock"]
            now = publish.offers[offer_id]["general_stock"] if offer_id in publish.offers else None
            if then is not None and now is not None:
                sold[offer_id] += max(then - now, 0)
            if then is not None and then > 0:
                in_stock[offer_id] += lasted
    return sold, in_stock
