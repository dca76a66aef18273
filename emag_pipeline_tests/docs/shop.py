"""A small shop with a past, to which every question of docs/queries.md has an answer."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from emag_pipeline.db.engine import Database
from emag_pipeline_tests.db.ageing import let_pass
from emag_pipeline_tests.db.offers import offer
from emag_pipeline_tests.db.syncs import sync

_LONG_AGO, _THREE_DAYS, _TWO_DAYS = timedelta(days=6), timedelta(days=1), timedelta(days=2)
_REJECT = SimpleNamespace(emag_offer_id=6, reason="sale_price is 'x', not a number", payload="{}")


def open_shop(database: Database) -> None:
    """Two accounts with nine days of history, reference data, and marts of the last of them."""
    _reference(database)
    sync(database, [_offer(70, sale_price="85.0000", part_number_key="DSHARED1M", brand="Șoim")], account="fbe")
    sync(database, [_offer(1), _offer(2, general_stock=3), _blocked(), _offer(4), _offer(6), _shared()])
    let_pass(database, _LONG_AGO)
    dearer = _offer(1, sale_price="130.0000", buy_button_rank=2, best_offer_sale_price="120.0000")
    sold_out = _offer(2, general_stock=0, is_saleable=False)
    sync(database, [dearer, sold_out, _blocked(), _offer(4), _offer(6), _shared()])
    let_pass(database, _THREE_DAYS)
    strange = _offer(5, category_id=9999, vat_id=77)
    sync(database, [dearer, sold_out, _blocked(), strange, _offer(6), _shared()], gone=[4])
    let_pass(database, _TWO_DAYS)
    sync(database, [dearer, sold_out, _blocked(), strange, _shared()], rejects=[_REJECT])
    _marts(database)


def _offer(offer_id: int, **values: Any) -> SimpleNamespace:
    usual: dict[str, Any] = {
        "sale_price": "100.0000",
        "currency": "RON",
        "brand": "Zăpada",
        "category_id": 2101,
        "vat_id": 1,
        "buy_button_rank": 1,
        "offer_validation_status": 1,
    }
    return offer(offer_id, **(usual | values))


def _blocked() -> SimpleNamespace:
    return _offer(3, sale_price="50.0000", general_stock=10, validation_status=(8,), is_saleable=False)


def _shared() -> SimpleNamespace:
    return _offer(7, sale_price="80.0000", part_number_key="DSHARED1M", brand="Șoim")


def _reference(database: Database) -> None:
    with database.transaction() as tx:
        for statement in _REFERENCE:
            tx.run(statement)


def _marts(database: Database) -> None:
    with database.transaction() as tx:
        for statement in _MARTS:
            tx.run(statement)


_REFERENCE = (
    "INSERT INTO {schema}.emag_accounts VALUES ('main', 'sandbox', 'RON'), ('fbe', 'sandbox', 'RON')",
    """INSERT INTO {schema}.emag_vat_rates (marketplace, vat_id, rate, raw, changed_at)
       VALUES ('sandbox', 1, 0.21, '{}', now())""",
    """INSERT INTO {schema}.emag_categories (marketplace, category_id, name, raw, changed_at)
       VALUES ('sandbox', 2101, 'Fierbătoare', '{}', now())""",
)
_MARTS = (
    """INSERT INTO {schema}.emag_offer_issues
           (account_type, emag_offer_id, issue_code, reason, remedy, since, stock_held_back, value_held_back, currency)
       VALUES ('main', 3, 'product_8', 'The product was refused for its documentation',
               'Correct what the marketplace names and send it again', now() - interval '9 days', 10, 500, 'RON'),
              ('main', 2, 'out_of_stock', 'There is no stock', 'Deliver stock, or correct the stock that is reported',
               now() - interval '3 days', 0, 0, 'RON')""",
    """INSERT INTO {schema}.emag_buy_button
           (account_type, emag_offer_id, buy_button_rank, rank_a_day_ago, has_buy_button, change, sale_price,
            best_offer_sale_price, gap, gap_percent, gap_with_vat, vat_rate, sale_price_with_vat, best_price_with_vat,
            currency)
       VALUES ('main', 1, 2, 1, false, 'lost', 130, 120, 10, 8.3333, 12.1, 0.21, 157.3, 145.2, 'RON'),
              ('main', 7, 1, 1, true, 'kept', 80, 80, 0, 0, 0, 0.21, 96.8, 96.8, 'RON')""",
    """INSERT INTO {schema}.emag_low_stock
           (account_type, emag_offer_id, general_stock, sold_a_day, days_of_cover, observed_days, sold, sold_out_on)
       VALUES ('main', 6, 5, 2, 2.5, 9, 18, current_date + 3),
              ('main', 7, 5, 0.1, 50, 9, 1, current_date + 50)""",
    """INSERT INTO {schema}.emag_daily_assortment
           (day, account_type, offers, saleable_offers, saleable_share, stock, stock_value, median_price, arrivals,
            departures, price_moves, price_rises, currency, issues)
       VALUES (current_date - 3, 'main', 6, 4, 0.666667, 31, 2680, 100, 0, 0, 1, 1, 'RON',
               '{"out_of_stock": 1, "product_8": 1}')""",
    """INSERT INTO {schema}.emag_mart_refreshes (account_type, mart, sync_id, published_at, rows, rows_changed)
       SELECT account_type, 'offer_issues', sync_id, completed_at, 2, 2 FROM {schema}.emag_offer_syncs
       WHERE account_type = 'main' ORDER BY completed_at DESC LIMIT 1""",
    """INSERT INTO {schema}.emag_incidents (subject, kind, message, remedy)
       VALUES ('fbe', 'stale', 'fbe: the last publish is 9 days old', 'Look at `emag-pipeline status`')""",
)
