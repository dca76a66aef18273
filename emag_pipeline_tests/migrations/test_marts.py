"""0006 on marts that the version before has filled."""

from collections.abc import Iterator
from contextlib import closing
from datetime import date

import pytest

from emag_pipeline.store import migrate
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.sync.syncs import rows

_FIRST = date(2026, 1, 1)


@pytest.fixture
def filled(empty_url: str) -> Iterator[Database]:
    """An account that was first published on the first of January, with two days of figures, upgraded."""
    database = Database(empty_url)
    migrate.upgrade(database, "0005")
    with database.transaction() as tx:
        tx.run(
            """INSERT INTO emag_offer_history
                   (account_type, emag_offer_id, validation_status, translation_validation_status, is_saleable,
                    valid_from, valid_to, sync_id)
               SELECT 'main', 1, '{9}', '{}', true, at, till, gen_random_uuid()
               FROM (VALUES (timestamptz '2026-01-01 23:59Z', timestamptz '2026-01-02 05:00Z'),
                            ('2026-01-02 05:00Z', NULL)) v (at, till)"""
        )
        tx.run(
            """INSERT INTO emag_daily_assortment
                   (day, account_type, offers, saleable_offers, stock, stock_value, arrivals, departures, price_moves)
               SELECT day, account, 1, 1, 1, 1, 1, 0, 0
               FROM unnest(ARRAY['main', 'fbe']) account,
                    unnest(ARRAY['2026-01-01', '2026-01-02']::date[]) day"""
        )
        tx.run(
            """INSERT INTO emag_low_stock
                   (account_type, emag_offer_id, general_stock, sold_a_day, days_of_cover, observed_days)
               VALUES ('main', 1, 5, 1, 5, 30)"""
        )
    migrate.upgrade(database)
    yield database
    database.close()


def test_arrivals_of_the_first_day_are_not_known_any_more(filled: Database) -> None:
    found = rows(filled, "SELECT account_type, day FROM emag_daily_assortment WHERE arrivals IS NULL")
    assert [tuple(row) for row in found] == [("main", _FIRST)]


def test_what_an_older_version_did_not_tell_is_null(filled: Database) -> None:
    for row in rows(filled, "SELECT * FROM emag_daily_assortment"):
        assert (row.publishes, row.last_published_at, row.is_carried_forward) == (None, None, None)
    (row,) = rows(filled, "SELECT * FROM emag_low_stock")
    assert (row.general_stock, row.is_saleable, row.has_jumps) == (5, None, None)


def test_what_has_no_price_above_0_is_not_saleable_any_more_nor_was_it(empty_url: str) -> None:
    columns = "account_type, emag_offer_id, validation_status, translation_validation_status, is_saleable, sale_price"
    values = "'main', offer, '{9}', '{}', true, price"
    prices = "(VALUES (1, 10), (2, 0), (3, NULL)) v (offer, price)"
    with closing(Database(empty_url)) as database:
        migrate.upgrade(database, "0005")
        with database.transaction() as tx:
            tx.run(
                f"""INSERT INTO emag_product_offers
                        ({columns}, row_hash, first_seen_at, changed_at, last_sync_id)
                    SELECT {values}, '', now(), now(), gen_random_uuid() FROM {prices}"""
            )
            tx.run(
                f"""INSERT INTO emag_offer_history ({columns}, valid_from, sync_id)
                    SELECT {values}, now(), gen_random_uuid() FROM {prices}"""
            )
            tx.run("INSERT INTO emag_account_figures VALUES ('main', 3, 3, 0, 0, now())")
        migrate.upgrade(database)
        for table in ("emag_product_offers", "emag_offer_history"):
            saleable = rows(database, f"SELECT emag_offer_id FROM {table} WHERE is_saleable")
            assert [row.emag_offer_id for row in saleable] == [1], table
        (figures,) = rows(database, "SELECT offers, saleable FROM emag_account_figures")
        assert tuple(figures) == (3, 1)
