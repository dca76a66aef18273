"""Offers with fields that cannot be read, through COPY, the publish and the history."""

import json
from decimal import Decimal
from typing import Any

from emag_pipeline.marketplace import normalise
from emag_pipeline.model import Offer
from emag_pipeline.store.columns import STAGED
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.marketplace.wrong_values import cases
from emag_pipeline_tests.sync.syncs import rows, sync

_GOOD: dict[str, Any] = {
    "id": 7, "sale_price": Decimal("10.5"), "currency": "RON", "general_stock": 5, "status": 1,
    "validation_status": [{"value": 9}], "offer_validation_status": {"value": 1}, "name": "Ceașcă",
}  # fmt: skip
_STATE = """
    SELECT sale_price, currency, general_stock, status, is_saleable, unreadable
    FROM emag_product_offers WHERE emag_offer_id = 7
"""
_STATES = "SELECT count(*) FROM emag_offer_history WHERE emag_offer_id = 7"
_PUBLISHED = """
    SELECT o.*, p.*
    FROM emag_product_offers o JOIN emag_products p USING (account_type, emag_offer_id)
"""
_JSON = (
    "handling_time", "start_date", "stock_by_warehouse", "availability_by_warehouse", "images", "characteristics",
    "validation_details", "doc_errors", "raw",
)  # fmt: skip
_CODES = """
    SELECT emag_issue_codes(status, general_stock, sale_price, offer_validation_status, validation_status,
                                     translation_validation_status, unreadable)
    FROM emag_product_offers WHERE emag_offer_id = 7
"""


def _read(*answers: object) -> list[Offer]:
    read = [normalise(answer) for answer in answers]
    offers = [one for one in read if isinstance(one, Offer)]
    assert len(offers) == len(read)
    return offers


def _state(database: Database) -> tuple[Any, ...]:
    return tuple(rows(database, _STATE)[0])


def test_every_wrong_value_of_every_field_is_published_as_its_row_with_null_in_its_column(database: Database) -> None:
    every = list(cases())
    offers = _read(*[case.row(number) for number, case in enumerate(every, start=1)])
    assert sync(database, offers).created == len(every)
    stored: dict[int, Any] = {row.emag_offer_id: dict(row._mapping) for row in rows(database, _PUBLISHED)}
    for offer in offers:
        _assert_stored(offer, stored[offer.emag_offer_id])
    noticed = rows(database, "SELECT DISTINCT field FROM emag_answer_surprises WHERE field <> '…'")
    expected = {case.field for case in every if case.is_noticed}
    assert {row.field for row in noticed} >= {field for field in expected if "." not in field}


def _assert_stored(offer: Offer, stored: Any) -> None:
    for name in STAGED:
        if name in ("row_hash", "content_hash", "row_digest", "noticed"):
            continue
        value, held = getattr(offer, name), stored[name]
        if name in _JSON and value is not None:
            value = json.loads(value)
        elif isinstance(held, list):
            held = tuple(held)
        assert held == value, (offer.emag_offer_id, name)


def test_an_unreadable_field_keeps_its_last_good_value_and_the_offer_cannot_be_bought(database: Database) -> None:
    sync(database, _read(_GOOD))
    sync(database, _read(_GOOD | {"sale_price": "soon", "currency": ["RON"], "general_stock": 3}))
    assert _state(database) == (Decimal("10.5000"), "RON", 3, 1, False, ["sale_price", "currency"])
    assert rows(database, _CODES)[0][0] == ["field_unreadable"]


def test_an_unreadable_field_that_never_had_a_value_is_null(database: Database) -> None:
    sync(database, _read(_GOOD | {"status": {}, "sale_price": True}))
    assert _state(database) == (None, "RON", 5, None, False, ["sale_price", "status"])


def test_the_same_unreadable_answer_is_unchanged_the_next_time(database: Database) -> None:
    sync(database, _read(_GOOD))
    bad = _GOOD | {"sale_price": "soon"}
    sync(database, _read(bad))
    again = sync(database, _read(bad))
    assert (again.unchanged, again.updated) == (1, 0)
    assert rows(database, _STATES)[0][0] == 2


def test_a_value_that_can_be_read_again_opens_a_new_state_even_if_it_is_the_old_one(database: Database) -> None:
    sync(database, _read(_GOOD))
    sync(database, _read(_GOOD | {"sale_price": "soon"}))
    done = sync(database, _read(_GOOD))
    assert _state(database) == (Decimal("10.5000"), "RON", 5, 1, True, [])
    assert (done.updated, rows(database, _STATES)[0][0]) == (1, 3)


def test_what_readers_see_by_warehouse(database: Database) -> None:
    told = {
        "stock": [{"warehouse_id": 1, "value": 3}, {"warehouse_id": 2, "value": 4}],
        "handling_time": [{"warehouse_id": 2, "value": 1}],
        "availability": [{"value": 5}],
    }
    sync(database, _read(_GOOD | told))
    found = rows(
        database,
        """SELECT warehouse_id, stock, handling_time, availability FROM emag_offer_warehouses
           WHERE account_type = 'main' ORDER BY 1""",
    )
    assert [tuple(row) for row in found] == [(1, 3, None, None), (2, 4, 1, None), (None, None, None, 5)]


def test_the_current_view_shows_the_younger_columns(database: Database) -> None:
    sync(database, _read(_GOOD | {"min_sale_price": 9, "max_sale_price": "12.5", "family": {"family_type_id": 95}}))
    row = rows(database, "SELECT min_sale_price, max_sale_price, family_type_id FROM emag_current_offers")[0]
    assert tuple(row) == (Decimal("9.0000"), Decimal("12.5000"), 95)
