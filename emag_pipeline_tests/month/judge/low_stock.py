"""What runs out, at the pace of the sales that the publishes of thirty days show."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from fractions import Fraction
from itertools import pairwise
from statistics import median_low
from typing import Any

from emag_pipeline_tests.month.judge.numbers import rounded
from emag_pipeline_tests.month.past import Past

_WINDOW = timedelta(days=30)
_LONGEST_COVER_DAYS = 30
#: Smaller falls are sales whatever the others are.
_SMALL = 10
_TIMES_THE_USUAL = 5
_DAY, _MICROSECOND = timedelta(days=1), timedelta(microseconds=1)


def expected(past: Past, account: str) -> dict[int, dict[str, Any]]:
    """The rows of emag_low_stock of an account, by offer."""
    paces = paces_of(past, account)
    newest = past.newest(account)
    found = {}
    for offer_id, state in newest.offers.items():
        stock, pace = state["general_stock"], paces.get(offer_id)
        if stock is None or pace is None:
            continue
        cover = max(stock, 0) / pace.a_day
        if cover <= _LONGEST_COVER_DAYS:
            end = newest.at + timedelta(seconds=float(cover * 86400))
            found[offer_id] = {
                "general_stock": stock,
                "sold": pace.sold,
                "observed_days": rounded(pace.days, 2),
                "sold_a_day": rounded(pace.a_day, 4),
                "days_of_cover": rounded(cover, 4),
                "sold_out_on": end.astimezone(UTC).date() if stock > 0 else None,
                "sale_price": state["sale_price"],
                "currency": state["currency"],
                "is_saleable": state["is_saleable"],
                "has_jumps": pace.has_jumps,
            }
    return found


@dataclass(frozen=True, slots=True)
class Pace:
    """Pieces sold in so many days with stock, and whether falls were left out as corrections."""

    sold: int
    days: Fraction
    has_jumps: bool

    @property
    def a_day(self) -> Fraction:
        """Pieces a day with stock."""
        return self.sold / max(self.days, Fraction(1))


def paces_of(past: Past, account: str) -> dict[int, Pace]:
    """The pace of every offer that sold anything."""
    changes, in_stock = _observed(past, account)
    found = {}
    for offer_id, moved in changes.items():
        sold, has_jumps = _sales(moved)
        if sold:
            found[offer_id] = Pace(sold, Fraction(in_stock[offer_id] // _MICROSECOND, _DAY // _MICROSECOND), has_jumps)
    return found


def _sales(changes: Sequence[int | None]) -> tuple[int, bool]:
    """What of the changes of a stock was sold, and whether any fall was a correction.

    Falls are above 0; None is where nothing can be compared.
    """
    moved = [one for one in changes if one != 0]
    pairs = pairwise([*moved, None])
    falls = [(one, one > _SMALL and after == -one) for one, after in pairs if one is not None and one > 0]
    lasting = [fall for fall, was_taken_back in falls if not was_taken_back]
    sales = [fall for fall in lasting if fall <= max(_SMALL, _TIMES_THE_USUAL * median_low(lasting))]
    return sum(sales), len(sales) < len(falls)


def _observed(past: Past, account: str) -> tuple[dict[int, list[int | None]], dict[int, timedelta]]:
    """Pieces that each offer's stock fell by, publish by publish, and how long there was any."""
    changes: dict[int, list[int | None]] = defaultdict(list)
    in_stock: dict[int, timedelta] = defaultdict(timedelta)
    since = past.newest(account).at - _WINDOW
    for before, publish in past.pairs(account):
        if before is None or publish.at <= since:
            continue
        lasted = publish.at - max(before.at, since)
        for offer_id, state in before.offers.items():
            then = state["general_stock"]
            now = publish.offers[offer_id]["general_stock"] if offer_id in publish.offers else None
            changes[offer_id].append(None if then is None or now is None else max(then, 0) - max(now, 0))
            if then is not None and then > 0:
                in_stock[offer_id] += lasted
    return changes, in_stock
