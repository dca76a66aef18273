from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from emag_pipeline.db.engine import Database
from emag_pipeline.db.marts.marts import LOW_STOCK
from emag_pipeline.db.marts.refresh import refresh
from emag_pipeline_tests.db.pasts import Past, good
from emag_pipeline_tests.db.syncs import rows


def _low(database: Database) -> dict[int, Any]:
    refresh(database, LOW_STOCK, "main")
    return {row.emag_offer_id: row for row in rows(database, "SELECT * FROM {schema}.emag_low_stock")}


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
    assert (row.sold, row.observed_days, row.sold_a_day, row.days_of_cover) == (10, 4, Decimal("2.5"), 4)
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
    (publish,) = rows(database, "SELECT published_at FROM {schema}.emag_mart_refreshes")
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


@pytest.mark.parametrize("stocks", [(9, 0, None), (2**63 - 1, -(2**63))])
def test_stocks_that_are_none_or_absurd_cost_no_refresh(database: Database, stocks: tuple[int | None, ...]) -> None:
    found = _stocks(database, *stocks)
    assert found.keys() == ({1} if stocks[-1] is not None else set())
