"""0005 on a database that the version before has filled."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from emag_pipeline.marketplace import normalise
from emag_pipeline.model import Offer
from emag_pipeline.store import migrate
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.publish import Published
from emag_pipeline_tests.sync.syncs import rows, sync

_CONTACTS = [{"name": "ACME", "address": "Cluj", "email": "x@y.ro"}]


def _answer(offer_id: int, **changes: Any) -> dict[str, Any]:
    """An offer as the marketplace answers it, before and after the upgrade."""
    return {
        "id": offer_id, "part_number_key": "DKEY", "part_number": "", "name": f"Cană {offer_id}", "brand": "",
        "status": 1, "sale_price": Decimal("10.5000"), "recommended_price": 0, "currency": "ron",
        "general_stock": 5, "warranty": 24, "handling_time": [{"warehouse_id": 1, "value": 0}],
        "validation_status": [{"value": 9, "description": "ok", "errors": None}],
        "offer_validation_status": [{"value": 1, "description": "Saleable"}], "ean": ["5941234567899"],
        "family": {"id": 3, "name": "Căni", "family_type_id": 95}, "manufacturer": True, "weight": "3",
        "offer_details": {"id": 4, "supply_lead_time": 14, "emag_club": 1}, "min_sale_price": Decimal("9.0000"),
        **changes,
    }  # fmt: skip


#: what the version before made of that answer
_NARROW = """
    (account_type, emag_offer_id, part_number_key, part_number, status, sale_price, recommended_price, currency,
     general_stock, offer_validation_status, validation_status, translation_validation_status, is_saleable,
     handling_time, warranty"""
_VALUES = """
    'main', :id, 'DKEY', '', 1, 10.5, 0, 'ron', 5, 1, '{9}', '{}', true, '[{"value": 0, "warehouse_id": 1}]', 24"""
_DETAILS = {
    "validation_status": [{"value": 9, "description": "ok"}],
    "offer_validation_status": [{"value": 1, "description": "Saleable"}],
}


def _fill(database: Database, answer: dict[str, Any]) -> None:
    """Publish an answer as the version before did."""
    with database.transaction() as tx:
        tx.run(
            f"""INSERT INTO emag_product_offers
                {_NARROW}, row_hash, first_seen_at, changed_at, last_sync_id)
                VALUES ({_VALUES}, decode(md5('x'), 'hex'), '2026-01-01', '2026-01-01', gen_random_uuid())""",
            id=answer["id"],
        )
        tx.run(
            f"""INSERT INTO emag_offer_history {_NARROW}, valid_from, valid_to, sync_id)
                SELECT {_VALUES}, at, till, gen_random_uuid()
                FROM (VALUES (timestamptz '2025-12-01', timestamptz '2026-01-01'), ('2026-01-01', NULL)) v (at, till)
                """,
            id=answer["id"],
        )
        tx.run(
            """INSERT INTO emag_products
                   (account_type, emag_offer_id, name, brand, family_id, family_name, ean, validation_details,
                    has_manufacturer, raw, row_hash, changed_at)
               VALUES ('main', :id, :name, '', 3, 'Căni', '{5941234567899}', CAST(:details AS jsonb), true,
                       CAST(:raw AS jsonb), decode(md5('y'), 'hex'), '2026-01-01')""",
            id=answer["id"],
            name=answer["name"],
            details=json.dumps(_DETAILS),
            raw=json.dumps(answer | {"sale_price": 7, "recommended_price": 0, "min_sale_price": 9}, default=str),
        )


def _sync(database: Database, *answers: dict[str, Any]) -> Published:
    read = [normalise(answer) for answer in answers]
    return sync(database, [one for one in read if isinstance(one, Offer)])


@pytest.fixture
def filled(empty_url: str) -> Iterator[Database]:
    """Three offers of the version before, upgraded; the third one came from a read by its id."""
    database = Database(empty_url)
    migrate.upgrade(database, "0004")
    for answer in (_answer(1), _answer(2), _answer(3, manufacturer=_CONTACTS)):
        _fill(database, answer)
    migrate.upgrade(database)
    yield database
    database.close()


_OFFERS = """
    SELECT part_number, currency, recommended_price, min_sale_price, supply_lead_time, emag_club, changed_at,
           row_hash = '' AS is_old
    FROM emag_product_offers ORDER BY emag_offer_id
"""


def test_what_was_published_is_brought_under_the_new_rules(filled: Database) -> None:
    offers = rows(filled, _OFFERS)
    assert len(offers) == 3
    for row in offers:
        assert tuple(row)[:4] == (None, "RON", None, None)
        assert row.is_old
    history = rows(filled, "SELECT part_number, currency, recommended_price, unreadable FROM emag_offer_history")
    assert {(*tuple(row)[:3], tuple(row.unreadable)) for row in history} == {(None, "RON", None, ())}
    assert {row.brand for row in rows(filled, "SELECT brand FROM emag_products")} == {None}


def test_raw_is_stripped_of_what_stands_in_columns_and_of_contacts(filled: Database) -> None:
    products = rows(filled, "SELECT emag_offer_id AS id, raw FROM emag_products")
    assert products
    for row in products:
        assert row.raw == {
            "id": row.id,
            "name": f"Cană {row.id}",
            "brand": "",
            "ean": ["5941234567899"],
            "family": {"id": 3, "name": "Căni", "family_type_id": 95},
            "manufacturer": True,
            "weight": "3",
            "offer_details": {"id": 4},
        }


def test_the_first_sync_takes_equal_offers_over_without_a_new_state(filled: Database) -> None:
    done = _sync(filled, _answer(1), _answer(2), _answer(3))
    assert (done.created, done.updated, done.unchanged, done.deleted) == (0, 0, 3, 0)
    offers = rows(filled, _OFFERS)
    assert len(offers) == 3
    for row in offers:
        assert tuple(row)[3:6] == (Decimal("9.0000"), 14, True)
        assert (row.changed_at.year, row.changed_at.month, row.is_old) == (2026, 1, False)
    states = rows(filled, "SELECT valid_to, min_sale_price, emag_club FROM emag_offer_history")
    assert len(states) == 6
    assert {(row.min_sale_price, row.emag_club) for row in states if row.valid_to is None} == {
        (Decimal("9.0000"), True)
    }
    products = rows(filled, "SELECT family_type_id, changed_at, row_hash = '' AS is_old FROM emag_products")
    assert {(row.family_type_id, row.changed_at.month, row.is_old) for row in products} == {(95, 1, False)}


def test_the_second_sync_finds_everything_unchanged(filled: Database) -> None:
    _sync(filled, _answer(1), _answer(2), _answer(3))
    versions = rows(filled, "SELECT o.xmin::text, p.xmin::text FROM emag_product_offers o, emag_products p")
    done = _sync(filled, _answer(1), _answer(2), _answer(3))
    assert done.unchanged == 3
    assert versions == rows(filled, "SELECT o.xmin::text, p.xmin::text FROM emag_product_offers o, emag_products p")


def test_a_price_that_did_change_opens_exactly_one_state(filled: Database) -> None:
    done = _sync(filled, _answer(1), _answer(2, sale_price=Decimal("11")), _answer(3))
    assert (done.updated, done.unchanged) == (1, 2)
    states = rows(
        filled,
        """SELECT emag_offer_id, sale_price, valid_to IS NULL AS is_open, min_sale_price
           FROM emag_offer_history ORDER BY emag_offer_id, valid_from""",
    )
    assert [row.emag_offer_id for row in states] == [1, 1, 2, 2, 2, 3, 3]
    assert [tuple(row)[1:] for row in states[3:5]] == [
        (Decimal("10.5000"), False, None),
        (Decimal("11.0000"), True, Decimal("9.0000")),
    ]


def test_a_text_that_did_change_is_a_change_of_content(filled: Database) -> None:
    done = _sync(filled, _answer(1), _answer(2, name="Cană mare"), _answer(3))
    assert (done.updated, done.unchanged) == (1, 2)
    assert len(rows(filled, "SELECT 1 FROM emag_offer_history")) == 6


def test_an_offer_in_quarantine_that_can_be_read_now_loses_its_flag_without_a_new_state(filled: Database) -> None:
    with filled.transaction() as tx:
        tx.run("UPDATE emag_product_offers SET rejected_at = now() WHERE emag_offer_id = 2")
    _sync(filled, _answer(1), _answer(2), _answer(3))
    assert rows(filled, "SELECT 1 FROM emag_product_offers WHERE rejected_at IS NOT NULL") == []
    assert len(rows(filled, "SELECT 1 FROM emag_offer_history")) == 6


def test_what_the_seller_had_sent_of_a_refused_offer_is_removed(empty_url: str) -> None:
    database = Database(empty_url)
    migrate.upgrade(database, "0004")
    _fill(database, _answer(1))
    errors = {"errors": [{"code": "x"}], "seller_input": {"name": "Ion"}}
    details = {"validation_status": [{"value": 9}, {"value": 8, "errors": errors}]}
    with database.transaction() as tx:
        tx.run("UPDATE emag_products SET validation_details = CAST(:told AS jsonb)", told=json.dumps(details))
    migrate.upgrade(database)
    (row,) = rows(database, "SELECT validation_details AS told FROM emag_products")
    assert row.told == {"validation_status": [{"value": 9}, {"value": 8, "errors": {"errors": [{"code": "x"}]}}]}
    database.close()


def test_a_raw_offer_whose_details_are_an_empty_list_is_stripped_too(empty_url: str) -> None:
    database = Database(empty_url)
    migrate.upgrade(database, "0004")
    _fill(database, _answer(1, offer_details=[], manufacturer=[]))
    migrate.upgrade(database)
    (row,) = rows(database, "SELECT raw FROM emag_products")
    assert (row.raw["offer_details"], row.raw["manufacturer"], "sale_price" in row.raw) == ([], True, False)
    database.close()
