from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from emag_pipeline.marts.checks import look_at, reconcile
from emag_pipeline.marts.refresh import refresh
from emag_pipeline.marts.registry import LOW_STOCK
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.sync.pasts import Past, good
from emag_pipeline_tests.sync.syncs import rows


def _low(database: Database) -> dict[int, Any]:
    refresh(database, LOW_STOCK, "main")
    return {row.emag_offer_id: row for row in rows(database, "SELECT * FROM emag_low_stock")}


def _stocks(database: Database, *stocks: int | None, days: float = 2) -> dict[int, Any]:
    """Offer 1 with these stocks, published so many days apart; what the mart says of it."""
    past = Past(database)
    for stock in stocks[:-1]:
        past.publish(good(1, general_stock=stock))
        past.wait(days=days)
    past.publish(good(1, general_stock=stocks[-1]))
    return _low(database)


def test_the_pace_is_what_was_sold_by_the_days_observed(database: Database) -> None:
    row = _stocks(database, 20, 14, 10)[1]
    # the publishes themselves take their time
    assert (row.sold, row.observed_days, round(row.sold_a_day, 2), round(row.days_of_cover, 2)) == (
        10, 4, Decimal("2.5"), 4,
    )  # fmt: skip
    assert row.general_stock == 10


def test_deliveries_are_no_sales(database: Database) -> None:
    assert _stocks(database, 10, 6, 26, 22)[1].sold == 8


def test_days_without_stock_are_not_observed(database: Database) -> None:
    row = _stocks(database, 8, 0, 8, 4)[1]
    assert (row.sold, row.observed_days) == (12, 4)


def test_a_sold_out_offer_is_listed_without_a_day_to_come(database: Database) -> None:
    row = _stocks(database, 8, 0)[1]
    assert (row.days_of_cover, row.sold_out_on) == (0, None)


def test_the_day_on_which_the_stock_is_gone_follows_from_the_publish(database: Database) -> None:
    row = _stocks(database, 20, 14, 10)[1]
    (publish,) = rows(database, "SELECT published_at FROM emag_mart_refreshes")
    assert row.sold_out_on == (publish.published_at + timedelta(days=4)).date()


def test_an_unknown_stock_breaks_the_chain(database: Database) -> None:
    row = _stocks(database, 20, None, 6, 5)[1]
    assert (row.sold, row.observed_days) == (1, 4)


def test_an_absence_breaks_the_chain(database: Database) -> None:
    past = Past(database)
    for shelf in ([good(1, general_stock=20)], [], [good(1, general_stock=9)], [good(1, general_stock=3)]):
        past.publish(*shelf)
        past.wait(days=2)
    past.publish(good(1, general_stock=3))
    row = _low(database)[1]
    assert (row.sold, row.observed_days) == (6, 6)


def test_only_falls_of_the_last_thirty_days_count(database: Database) -> None:
    """The fall from 100 is 40 days old."""
    row = _stocks(database, 100, 40, 15, 5, days=20)[1]
    assert (row.sold, row.observed_days) == (35, 30)


def test_less_than_a_day_of_observation_counts_as_one(database: Database) -> None:
    row = _stocks(database, 8, 2, days=0.01)[1]
    assert (row.sold_a_day, row.observed_days) == (6, Decimal("0.01"))


def test_what_lasts_longer_than_thirty_days_or_does_not_sell_is_not_listed(database: Database) -> None:
    past = Past(database)
    past.publish(good(1, general_stock=41), good(2, general_stock=42), good(3, general_stock=0), good(4))
    past.wait(days=10)
    past.publish(good(1, general_stock=30), good(2, general_stock=40), good(3, general_stock=0), good(4))
    assert _low(database).keys() == {1}


def test_a_stock_below_0_is_none(database: Database) -> None:
    row = _stocks(database, 20, 14, -3)[1]
    assert (row.sold, row.observed_days, row.days_of_cover, row.general_stock) == (20, 4, 0, -3)


def test_an_offer_whose_stock_fell_from_0_to_below_it_is_not_missed_by_the_check(database: Database) -> None:
    assert _stocks(database, 0, -3) == {}
    found = reconcile(database, LOW_STOCK, "main")
    assert found is not None
    assert (found.is_current, found.found) == (True, 0)


@pytest.mark.parametrize("stocks", [(9, 0, None), (2**63 - 1, -(2**63))])
def test_stocks_that_are_none_or_absurd_cost_no_refresh(database: Database, stocks: tuple[int | None, ...]) -> None:
    found = _stocks(database, *stocks)
    assert found.keys() == ({1} if stocks[-1] is not None else set())


def _pace(database: Database) -> tuple[int, bool]:
    """Of offer 1: what was sold in thirty days, and whether it had jumps."""
    (row,) = rows(
        database,
        "SELECT sold, has_jumps FROM emag_sales_pace('main', '{1}', now() - interval '30 days', now())",
    )
    return row.sold, row.has_jumps


@pytest.mark.parametrize(
    ("stocks", "sold", "has_jumps"),
    [
        ((120, 118, 115, 20, 18), 7, True),  # somebody counted the shelf
        ((100, 98, 0, 98, 96), 4, True),  # a feed without the warehouse, for a time
        ((60, 0, 60, 0, 60, 58), 2, True),
        ((80, 60, 42, 20), 60, False),  # many are usual with this offer
        ((20, 19, 12, 10), 10, False),  # 7 pieces at once happen, whatever is usual
        ((9, 8, 2, 8, 7), 8, False),
        ((60, 0), 60, False),  # a fall alone has nothing to be compared with
        ((5, -3), 5, False),  # more than there was cannot be sold
        ((412, 300, 150, -3, -8), 412, False),
        ((-4, -9, 3, 1), 2, False),
        ((40, 38, -2, 38, 37), 3, True),  # the next change takes back what had been there
    ],
)
def test_a_jump_of_the_stock_is_no_sale(
    database: Database, stocks: tuple[int, ...], sold: int, has_jumps: bool
) -> None:
    _stocks(database, *stocks)
    assert _pace(database) == (sold, has_jumps)


def test_a_mart_says_which_offers_had_jumps(database: Database) -> None:
    row = _stocks(database, 120, 118, 115, 20, 18)[1]
    assert (row.sold, row.has_jumps, row.sold_a_day) == (7, True, Decimal("0.875"))


def test_what_is_taken_back_later_than_by_the_next_change_was_sold(database: Database) -> None:
    _stocks(database, 50, 30, 12, 50)
    assert _pace(database) == (38, False)


def test_a_price_that_changes_in_between_hides_no_correction(database: Database) -> None:
    past = Past(database)
    for stock, price in ((50, 5), (49, 5), (20, 5), (20, 6), (49, 6)):
        past.publish(good(1, general_stock=stock, sale_price=Decimal(price)))
        past.wait(days=1)
    past.publish(good(1, general_stock=48))
    assert _pace(database) == (2, True)


def test_it_says_whether_the_offer_can_be_bought(database: Database) -> None:
    past = Past(database)
    past.publish(*(good(one, general_stock=9) for one in (1, 2, 3)))
    past.wait(days=2)
    past.publish(good(1, general_stock=5), good(2, general_stock=5, status=0), good(3, general_stock=0))
    found = _low(database)
    assert {key: row.is_saleable for key, row in found.items()} == {1: True, 2: False, 3: False}
    numbers = look_at(database, LOW_STOCK, "main").numbers
    assert (numbers["running_out"], numbers["in_stock_but_not_saleable"]) == (3, 1)


def test_sales_are_added_up_in_the_accounts_currency(database: Database) -> None:
    past = Past(database)
    money = {1: "RON", 2: None, 3: "EUR", 4: "RON"}
    for stock in (30, 20):
        past.publish(*(good(one, general_stock=stock, sale_price=Decimal(10), currency=money[one]) for one in money))
        past.wait(days=10)
    _low(database)
    numbers = look_at(database, LOW_STOCK, "main").numbers
    assert numbers["sales_a_day"] == 3 * 10
    told = (numbers["currency"], numbers["offers_in_other_currencies"], numbers["other_currencies"])
    assert told == ("RON", 1, "EUR")
