"""When two readings of an offer count as the same."""

import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest

from emag_pipeline.marketplace import normalise
from emag_pipeline.marketplace.pages import page_of
from emag_pipeline.model import Offer

_ROW: dict[str, Any] = {
    "id": 7,
    "name": "Ceașcă",
    "sale_price": Decimal("10.5"),
    "status": 1,
    "general_stock": 0,
    "images": [{"url": "https://x", "display_type": 1}],
    "characteristics": [{"id": 5, "value": "12"}],
    "validation_status": [{"value": 9, "description": "ok", "errors": None}],
    "manufacturer": True,
    "unknown": {"code": 12, "list": [1, 2], "price": Decimal("2.0")},
}


def read(**changes: Any) -> Offer:
    offer = normalise(_ROW | changes)
    assert isinstance(offer, Offer)
    return offer


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "7"},
        {"sale_price": "10.5000"},
        {"sale_price": Decimal("10.5000")},
        {"status": "1"},
        {"general_stock": "0"},
        {"images": {"0": {"display_type": "1", "url": "https://x"}}},
        {"characteristics": [{"value": 12, "id": "5"}]},
        {"validation_status": {"0": {"value": "9", "description": "ok", "errors": []}}},
        {"manufacturer": [{"name": "ACME", "address": "Cluj", "email": "x@y.ro"}]},
        {"unknown": {"price": 2, "list": {"0": "1", "1": 2}, "code": "12"}},
        {"another": None},
        {"another": []},
        {"family": []},
        {"doc_errors": []},
        {"recommended_price": ""},
        {"recommended_price": 0},
        {"part_number": ""},
        {"min_sale_price": ""},
        {"offer_details": {"id": None, "supply_lead_time": ""}},
        {"unknown": {"code": 12, "list": [1, 2], "price": 2, "more": []}},
    ],
)
def test_another_spelling_is_no_change(changes: dict[str, Any]) -> None:
    assert read(**changes).row_hash == read().row_hash
    assert read(**changes).content_hash == read().content_hash


@pytest.mark.parametrize(
    "changes",
    [
        {"sale_price": Decimal("10.5001")},
        {"sale_price": None},
        {"sale_price": 0},
        {"general_stock": None},
        {"general_stock": 1},
        {"part_number": "0"},
        {"sale_price": "none"},
        {"min_sale_price": 5},
        {"stock": [{"warehouse_id": 1, "value": 0}]},
        {"offer_details": {"supply_lead_time": 14}},
        {"handling_time": []},
        {"validation_status": [{"value": 11, "description": "ok"}]},
    ],
)
def test_a_commercial_change_shows(changes: dict[str, Any]) -> None:
    assert read(**changes).row_hash != read().row_hash


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Cană"},
        {"name": None},
        {"name": ["Cană"]},
        {"name": []},
        {"images": []},
        {"characteristics": [{"id": 5, "value": "13"}]},
        {"manufacturer": False},
        {"unknown": {"code": 13}},
        {"family": {"id": None, "family_type_id": 4}},
        {"family": {"more": 4}},
        {"offer_details": {"warranty_type": 1}},
        {"weight": "3"},
        {"ownership": True},
        {"images": "https://x"},
        {"warranty": {"months": 24}},
        {"another": "field"},
        {"validation_status": [{"value": 9, "description": "still ok"}]},
    ],
)
def test_a_change_of_content_shows_there_only(changes: dict[str, Any]) -> None:
    assert read(**changes).content_hash != read().content_hash
    assert read(**changes).row_hash == read().row_hash


def test_two_unreadable_values_differ_in_content_only() -> None:
    one, other = read(sale_price="N/A"), read(sale_price="soon")
    assert one.row_hash == other.row_hash
    assert one.content_hash != other.content_hash


def test_a_boolean_ownership_that_turns_is_a_change_of_content() -> None:
    assert read(ownership=True).content_hash != read(ownership=False).content_hash


def test_a_read_by_id_that_shows_contacts_is_the_offer_that_its_page_shows() -> None:
    contacts = [{"name": "ACME", "address": "Cluj", "email": "x@y.ro"}]
    by_id = read(manufacturer=contacts, eu_representative=[])
    page = read(manufacturer=True, eu_representative=False)
    assert (by_id.content_hash, by_id.raw) == (page.content_hash, page.raw)
    assert "ACME" not in by_id.raw


def test_fingerprints_are_sixteen_bytes() -> None:
    assert len(read().row_hash) == len(read().content_hash) == 16


def test_fingerprints_are_the_same_in_another_process() -> None:
    program = (
        "from emag_pipeline.marketplace import normalise; "
        "offer = normalise({'id': 7, 'b': 1, 'a': 2, 'sale_price': '1.5'}); "
        "print((offer.row_hash + offer.content_hash).hex())"
    )
    said = [
        subprocess.run([sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True)
        for seed in ("1", "2")
    ]
    here = normalise({"id": 7, "a": 2, "b": 1, "sale_price": Decimal("1.50")})
    assert isinstance(here, Offer)
    assert {one.stdout.decode().strip() for one in said} == {(here.row_hash + here.content_hash).hex()}


def _page(*rows: object) -> bytes:
    return page_of(1, 100, list(rows)).content_hash


def test_a_page_is_the_same_when_its_offers_are() -> None:
    assert _page({"id": 1}, {"id": 2}) == _page({"id": "1"}, {"id": 2, "family": []})


@pytest.mark.parametrize(
    "rows",
    [
        [{"id": 2}, {"id": 1}],
        [{"id": 1}],
        [{"id": 1}, {"id": 3}],
        [{"id": 1}, {"id": 2, "status": 1}],
        [{"id": 1}, {"id": 2, "name": "x"}],
        [{"id": 1}, {"id": 2, "name": []}],
    ],
)
def test_a_page_differs_by_order_ids_and_state(rows: list[object]) -> None:
    assert _page(*rows) != _page({"id": 1}, {"id": 2})
