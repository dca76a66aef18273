from decimal import Decimal
from typing import Any

import pytest

from emag_pipeline.marts.checks import look_at
from emag_pipeline.marts.refresh import refresh
from emag_pipeline.marts.registry import BUY_BUTTON
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.accounts import note_accounts
from emag_pipeline_tests.sync.pasts import Past, good
from emag_pipeline_tests.sync.syncs import rows


def _buttons(database: Database) -> dict[int, Any]:
    refresh(database, BUY_BUTTON, "main")
    return {row.emag_offer_id: row for row in rows(database, "SELECT * FROM emag_buy_button")}


@pytest.fixture
def past(database: Database) -> Past:
    return Past(database)


@pytest.mark.parametrize(
    ("before", "now", "change"),
    [
        (1, 1, "kept"), (1, 2, "lost"), (3, 1, "won"), (2, 3, "missed"), (None, 1, "new"), (None, 4, "new"),
        (1, None, "lost"),
    ],
)  # fmt: skip
def test_change_compares_with_the_publish_of_a_day_ago(
    database: Database, past: Past, before: int | None, now: int | None, change: str
) -> None:
    past.publish(good(1, buy_button_rank=before))
    past.wait(hours=25)
    past.publish(good(1, buy_button_rank=now))
    row = _buttons(database)[1]
    assert (row.change, row.rank_a_day_ago, row.has_buy_button) == (change, before, now == 1)


def test_what_happened_within_the_day_does_not_count_as_before(database: Database, past: Past) -> None:
    past.publish(good(1, buy_button_rank=1))
    past.wait(hours=20)
    past.publish(good(1, buy_button_rank=5))
    past.wait(hours=23)
    past.publish(good(1, buy_button_rank=1))
    assert _buttons(database)[1].change == "kept"


@pytest.mark.parametrize("before", [2, None])
def test_what_was_won_and_lost_within_the_day_is_lost(database: Database, past: Past, before: int | None) -> None:
    past.publish(good(1, buy_button_rank=before))
    past.wait(hours=25)
    past.publish(good(1, buy_button_rank=1))
    past.wait(hours=3)
    past.publish(good(1, buy_button_rank=before))
    row = _buttons(database)[1]
    assert (row.change, row.rank_a_day_ago, row.buy_button_rank) == ("lost", before, before)


def test_what_was_lost_more_than_a_day_ago_is_no_news(database: Database, past: Past) -> None:
    past.publish(good(1, buy_button_rank=1), good(2, buy_button_rank=1))
    past.wait(hours=25)
    past.publish(good(1, buy_button_rank=None), good(2, buy_button_rank=3))
    past.wait(hours=25)
    past.publish(good(1, buy_button_rank=None), good(2, buy_button_rank=3))
    assert {key: row.change for key, row in _buttons(database).items()} == {2: "missed"}


def test_the_share_is_of_what_is_for_sale_and_contested(database: Database, past: Past) -> None:
    past.publish(
        good(1, buy_button_rank=1, number_of_offers=3),
        good(2, buy_button_rank=2, number_of_offers=3),
        good(3, buy_button_rank=2, number_of_offers=2),
        good(4, buy_button_rank=1, number_of_offers=1),
        good(5, buy_button_rank=1, number_of_offers=3, general_stock=0),
    )
    _buttons(database)
    numbers = look_at(database, BUY_BUTTON, "main").numbers
    assert (numbers["offers_with_rank"], numbers["with_buy_button"], numbers["contested"]) == (5, 3, 3)
    assert numbers["buy_button_share"] == Decimal("0.3333")


def test_an_offer_that_was_not_there_a_day_ago_is_new(database: Database, past: Past) -> None:
    past.publish(good(1))
    past.wait(days=2)
    past.publish(good(1), good(2, buy_button_rank=2))
    assert _buttons(database)[2].change == "new"


def test_the_gap_is_money_and_percent_of_the_best_offer(database: Database, past: Past) -> None:
    past.publish(
        good(1, buy_button_rank=2, sale_price=Decimal(11), best_offer_sale_price=Decimal(8)),
        good(2, buy_button_rank=1, sale_price=Decimal(8), best_offer_sale_price=Decimal(8)),
        good(3, buy_button_rank=2, sale_price=Decimal(8), best_offer_sale_price=Decimal(0)),
        good(4, buy_button_rank=2, sale_price=None, best_offer_sale_price=Decimal(8)),
    )
    found = _buttons(database)
    assert (found[1].gap, found[1].gap_percent) == (3, Decimal("37.5"))
    assert (found[2].gap, found[2].gap_percent) == (0, 0)
    assert (found[3].gap, found[3].gap_percent) == (None, None), "a best price of 0 is none"
    assert (found[4].gap, found[4].gap_percent) == (None, None)


def test_prices_with_vat_need_a_rate_that_is_known(database: Database, past: Past) -> None:
    note_accounts(database, [("main", "sandbox", "RON")])
    with database.transaction() as tx:
        tx.run(
            """INSERT INTO emag_vat_rates (marketplace, vat_id, rate, raw, changed_at)
               VALUES ('sandbox', 1, 0.21, '{}', now()), ('emag_hu', 2, 0.27, '{}', now())"""
        )
    prices = {"sale_price": Decimal(11), "best_offer_sale_price": Decimal(10), "buy_button_rank": 2}
    past.publish(good(1, vat_id=1, **prices), good(2, vat_id=2, **prices), good(3, vat_id=None, **prices))
    found = _buttons(database)
    with_vat = found[1].sale_price_with_vat, found[1].best_price_with_vat, found[1].gap_with_vat
    assert with_vat == (Decimal("13.31"), Decimal("12.10"), Decimal("1.21"))
    assert {(row.vat_rate, row.gap_with_vat) for key, row in found.items() if key != 1} == {(None, None)}


def test_offers_without_a_rank_and_offers_that_are_gone_are_not_listed(database: Database, past: Past) -> None:
    past.publish(good(1, buy_button_rank=1), good(2, buy_button_rank=2), good(3, buy_button_rank=None))
    past.wait(days=1)
    past.publish(good(2, buy_button_rank=2), good(3, buy_button_rank=None))
    assert _buttons(database).keys() == {2}


def test_absurd_prices_cost_no_refresh(database: Database, past: Past) -> None:
    past.publish(
        good(
            1,
            buy_button_rank=2,
            sale_price=Decimal("99999999999999.9999"),
            best_offer_sale_price=Decimal("0.0001"),
        )
    )
    assert _buttons(database)[1].gap_percent > 10**19


def test_a_price_with_vat_has_two_decimals_wherever_it_stands(database: Database, past: Past) -> None:
    note_accounts(database, [("main", "emag_ro", "RON")])
    with database.transaction() as tx:
        tx.run(
            """INSERT INTO emag_vat_rates (marketplace, vat_id, rate, raw, changed_at)
               VALUES ('emag_ro', 1, 0.21, '{}', now())"""
        )
    past.publish(good(1, buy_button_rank=1, sale_price=Decimal("10.0099"), vat_id=1))
    (row,) = rows(database, "SELECT sale_price_with_vat FROM emag_current_offers")
    assert row.sale_price_with_vat == _buttons(database)[1].sale_price_with_vat == Decimal("12.11")
