"""Each mart against a computation in plain Python, which goes publish by publish and never looks at the history."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from statistics import median, median_low
from typing import Any

import pytest

from emag_pipeline.marts.refresh import refresh
from emag_pipeline.marts.registry import BUY_BUTTON, DAILY_ASSORTMENT, LOW_STOCK, OFFER_ISSUES
from emag_pipeline.model import Offer
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.sync.pasts import Past, random_past
from emag_pipeline_tests.sync.syncs import rows

_DAY = timedelta(days=1)


@pytest.fixture(params=range(2))
def past(request: pytest.FixtureRequest, database: Database) -> Past:
    return random_past(database, seed=request.param)


def codes_of(one: Offer) -> set[str]:
    """Written from docs/marketplace-api.md, "When an offer can be bought", without a look at the SQL."""
    found = set()
    if one.general_stock is None or one.general_stock <= 0:
        found.add("stock_unknown" if one.general_stock is None else "out_of_stock")
    if not one.sale_price:
        found.add("no_price")
    if one.status != 1:
        found.add({0: "inactive", 2: "end_of_life"}.get(one.status, "status_unknown"))
    if one.offer_validation_status != 1:
        found.add("price_invalid" if one.offer_validation_status == 2 else "price_not_validated")
    found |= {f"product_{code}" for code in one.validation_status if code not in (3, 9, 11, 12)}
    found |= {f"translation_{code}" for code in one.translation_validation_status if code not in (3, 9, 11, 12, 17)}
    return found if one.validation_status else found | {"product_not_validated"}


def test_offer_issues(database: Database, past: Past) -> None:
    refresh(database, OFFER_ISSUES, "main")
    found = rows(database, "SELECT emag_offer_id, issue_code, since, stock_held_back FROM emag_offer_issues")
    assert {tuple(row) for row in found} == set(_issues(past))


def _issues(past: Past) -> Iterator[tuple[int, str, datetime, int]]:
    for key, one in past.now.items():
        for code in codes_of(one):
            since = past.published_at
            for at, shelf in reversed(past.publishes):
                if key not in shelf or code not in codes_of(shelf[key]):
                    break
                since = at
            yield key, code, since, max(one.general_stock or 0, 0)


def test_buy_button(database: Database, past: Past) -> None:
    refresh(database, BUY_BUTTON, "main")
    found = rows(database, "SELECT emag_offer_id, rank_a_day_ago, change, gap FROM emag_buy_button")
    assert {tuple(row) for row in found} == set(_buttons(past))


def _buttons(past: Past) -> Iterator[tuple[int, int | None, str, Decimal | None]]:
    since = past.published_at - _DAY
    before = past.at(since)
    within = [before, *(shelf for at, shelf in past.publishes if at > since)]
    for key, one in past.now.items():
        rank = before[key].buy_button_rank if key in before else None
        had_it = any(key in shelf and shelf[key].buy_button_rank == 1 for shelf in within)
        has_it = one.buy_button_rank == 1
        if one.buy_button_rank is None and not had_it:
            continue
        if had_it and not has_it:
            change = "lost"
        elif rank is None:
            change = "new"
        else:
            change = {(True, True): "kept", (False, True): "won", (False, False): "missed"}[rank == 1, has_it]
        known = one.sale_price is not None and one.best_offer_sale_price
        yield key, rank, change, one.sale_price - one.best_offer_sale_price if known else None


def test_low_stock(database: Database, past: Past) -> None:
    refresh(database, LOW_STOCK, "main")
    found = {row.emag_offer_id: row for row in rows(database, "SELECT * FROM emag_low_stock")}
    expected = dict(_low(past))
    assert found.keys() == expected.keys()
    for key, (sold, days, cover, has_jumps) in expected.items():
        assert (found[key].sold, found[key].has_jumps) == (sold, has_jumps)
        assert found[key].is_saleable == (not codes_of(past.now[key]))
        assert abs(found[key].observed_days - Decimal(days)) <= Decimal("0.0051")
        assert abs(float(found[key].days_of_cover) - cover) < 0.001


def test_sales_lost_by_what_is_sold_out(database: Database, past: Past) -> None:
    refresh(database, OFFER_ISSUES, "main")
    found = rows(database, "SELECT * FROM emag_offer_issues WHERE sales_lost_a_day IS NOT NULL")
    expected = {
        key: float(past.now[key].sale_price) * sold / max(days, 1)
        for key, (sold, days, _, _) in _low(past)
        if "out_of_stock" in codes_of(past.now[key]) and past.now[key].sale_price is not None
    }
    assert {row.emag_offer_id: float(row.sales_lost_a_day) for row in found} == pytest.approx(expected, abs=0.01)
    assert {row.issue_code for row in found} <= {"out_of_stock"}


def _low(past: Past) -> Iterator[tuple[int, tuple[int, float, float, bool]]]:
    since = past.published_at - 30 * _DAY
    for key, one in past.now.items():
        if one.general_stock is None:
            continue
        changes: list[int | None] = []
        observed = timedelta(0)
        for (start, before), (end, after) in pairwise(past.publishes):
            stock = before[key].general_stock if key in before else None
            next_stock = after[key].general_stock if key in after else None
            if end > since:
                changes.append(None if None in (stock, next_stock) else max(stock, 0) - max(next_stock, 0))
            if stock is not None and stock > 0 and end > since:
                observed += end - max(start, since)
        days = observed / _DAY
        sold, has_jumps = _sold(changes)
        cover = max(one.general_stock, 0) * max(days, 1) / sold if sold else float("inf")
        if cover <= 30:
            yield key, (sold, days, cover, has_jumps)


def _sold(changes: list[int | None]) -> tuple[int, bool]:
    """Falls above 0, rises below; None where nothing can be said. What of it was sold, and whether there were jumps."""
    moved = [one for one in changes if one != 0]
    falls, taken_back = [], 0
    for place, fell_by in enumerate(moved):
        if fell_by is None or fell_by < 0:
            continue
        next_one = moved[place + 1] if place + 1 < len(moved) else None
        if fell_by > 10 and next_one == -fell_by:
            taken_back += 1
        else:
            falls.append(fell_by)
    sales = [one for one in falls if one <= 10 or one <= 5 * median_low(falls)]
    return sum(sales), taken_back > 0 or len(sales) < len(falls)


def test_daily_assortment(database: Database, past: Past) -> None:
    first, today = past.publishes[0][0].date(), past.published_at.date()
    for day in (first + timedelta(days=one) for one in range(-1, (today - first).days + 1)):
        refresh(database, DAILY_ASSORTMENT, "main", day)
    found = rows(database, "SELECT * FROM emag_daily_assortment ORDER BY day")
    assert [row.day for row in found] == [first + timedelta(days=one) for one in range((today - first).days + 1)]
    for row in found:
        told = {name: value for name, value in row._mapping.items() if name not in ("account_type", "as_of")}
        assert told == _assortment(past, row.day)


def _assortment(past: Past, day: date) -> dict[str, Any]:
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    before, now = past.at(midnight - timedelta(microseconds=1)), past.at(midnight + _DAY - timedelta(microseconds=1))
    currencies = Counter(one.currency for one in now.values() if one.currency)
    currency = min(currencies, key=lambda name: (-currencies[name], name), default=None)
    priced = [one for one in now.values() if one.sale_price is not None and (one.currency or currency) == currency]
    alike = [key for key in before.keys() & now.keys() if before[key].currency == now[key].currency]
    both = [(before[key].sale_price, now[key].sale_price) for key in alike]
    moves = [(old, new) for old, new in both if old != new]
    saleable = sum(not codes_of(one) for one in now.values())
    until = [at for at, _ in past.publishes if at < midnight + _DAY]
    publishes = sum(at >= midnight for at in until)
    return {
        "day": day,
        "offers": len(now),
        "saleable_offers": saleable,
        "saleable_share": round(Decimal(saleable) / len(now), 6) if now else None,
        "stock": sum(max(one.general_stock or 0, 0) for one in now.values()),
        "stock_value": sum(max(one.general_stock or 0, 0) * one.sale_price for one in priced),
        "median_price": median(one.sale_price for one in priced) if priced else None,
        "currency": currency,
        "arrivals": len(now.keys() - before.keys()) if past.publishes[0][0] < midnight else None,
        "departures": len(before.keys() - now.keys()),
        "price_moves": len(moves),
        "price_rises": sum(old is not None and new is not None and new > old for old, new in moves),
        "price_cuts": sum(old is not None and new is not None and new < old for old, new in moves),
        "issues": Counter(code for one in now.values() for code in codes_of(one)),
        "publishes": publishes,
        "last_published_at": until[-1],
        "is_carried_forward": publishes == 0,
        "offers_in_other_currencies": sum((one.currency or currency) != currency for one in now.values()),
    }
