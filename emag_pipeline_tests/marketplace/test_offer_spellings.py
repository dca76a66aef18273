"""PHP's spellings of the same facts (docs/marketplace-api.md, "Types and spellings")."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from emag_pipeline.marketplace import normalise
from emag_pipeline.model import Offer


def read(**fields: Any) -> Offer:
    offer = normalise({"id": 7, **fields})
    assert isinstance(offer, Offer), offer
    return offer


@pytest.mark.parametrize(
    ("field", "value", "meant"),
    [
        ("sale_price", "12.5", Decimal("12.5000")),
        ("sale_price", " 12.50 ", Decimal("12.5000")),
        ("sale_price", 12, Decimal("12.0000")),
        ("sale_price", Decimal("0.00005"), Decimal("0.0001")),
        ("sale_price", "1e3", Decimal("1000.0000")),
        ("sale_price", "99999999999999.9999", Decimal("99999999999999.9999")),
        ("sale_price", "-0", Decimal("0.0000")),
        ("sale_price", "", None),
        ("sale_price", None, None),
        ("status", "1", 1),
        ("status", Decimal("1.0"), 1),
        ("warranty", "", None),
        ("vat_id", "0012", 12),
        ("general_stock", "15", 15),
        ("general_stock", "N/A", None),
        ("estimated_stock", "many", None),
        ("genius_eligibility", True, 1),
        ("part_number", 12, "12"),
        ("part_number", "", None),
        ("name", "", None),
        ("url", "", None),
        ("currency", " ron ", "RON"),
        ("currency", "", None),
        ("recommended_price", 0, None),
        ("recommended_price", "0.0000", None),
        ("recommended_price", "5", Decimal("5.0000")),
        ("best_offer_recommended_price", 0, Decimal("0.0000")),
        ("min_sale_price", "1.5", Decimal("1.5000")),
        ("commission", None, None),
        ("has_smart_deals_badge", 1, True),
        ("auto_translated", 0, False),
        ("rrp_guidelines", "RRP input possible", "RRP input possible"),
        ("handling_time", [{"value": 0}], '[{"value":0}]'),
        ("ownership", 2, 2),
        ("ownership", True, None),
        ("name", "x" * 100_000, "x" * 100_000),
        ("name", "șurubelniță 🪛", "șurubelniță 🪛"),
        ("ean", "5941234567899", ("5941234567899",)),
        ("ean", 5941234567899, ("5941234567899",)),
        ("ean", {"0": "594", "1": "595"}, ("594", "595")),
        ("ean", [], ()),
        ("ean", None, ()),
        ("ean", [""], ()),
    ],
)
def test_a_value_is_read_as_what_it_means(field: str, value: object, meant: object) -> None:
    assert getattr(read(**{field: value}), field) == meant


@pytest.mark.parametrize(
    ("value", "codes"),
    [
        ([{"value": 9, "description": "ok", "errors": []}], (9,)),
        ([{"value": "9"}, {"value": 3}], (9, 3)),
        ({"0": {"value": 9}, "1": {"value": 3}}, (9, 3)),
        ({"value": 9, "description": "ok"}, (9,)),
        ([9, "3"], (9, 3)),
        (9, (9,)),
        ("9", (9,)),
        ([], ()),
        ({}, ()),
        ("", ()),
        (None, ()),
    ],
)
def test_verdicts_are_read_in_every_form(value: object, codes: tuple[int, ...]) -> None:
    assert read(validation_status=value).validation_status == codes


@pytest.mark.parametrize("value", [[{"value": 2, "description": "wrong"}], {"value": "2"}, 2, "2"])
def test_the_verdict_on_the_price_is_one_number(value: object) -> None:
    assert read(offer_validation_status=value).offer_validation_status == 2


def test_the_worst_of_several_verdicts_on_the_price_counts() -> None:
    assert read(offer_validation_status=[{"value": 2}, {"value": 1}]).offer_validation_status == 2


def test_descriptions_and_errors_of_verdicts_are_kept() -> None:
    errors = [{"code": 101, "message": "Denumirea"}]
    details = read(validation_status=[{"value": "8", "description": "no", "errors": errors}]).validation_details
    assert json.loads(details or "") == {
        "validation_status": [{"value": 8, "description": "no", "errors": errors}],
    }


def test_without_verdicts_there_are_no_details() -> None:
    assert read(validation_status=[], translation_validation_status=None).validation_details is None


@pytest.mark.parametrize(
    ("value", "family"),
    [
        ({"id": "5", "name": "Căni"}, (5, "Căni")),
        ({"id": 5, "name": None}, (5, None)),
        ([], (None, None)),
        ({}, (None, None)),
        (None, (None, None)),
        ("", (None, None)),
    ],
)
def test_a_family_is_an_object_or_nothing(value: object, family: tuple[int | None, str | None]) -> None:
    offer = read(family=value)
    assert (offer.family_id, offer.family_name) == family


@pytest.mark.parametrize(
    ("value", "given"),
    [
        (True, True),
        (False, False),
        (1, True),
        ("0", False),
        ([{"name": "ACME", "address": "", "email": ""}], True),
        ([], False),
        (None, None),
        ("", None),
    ],
)
def test_a_manufacturer_is_a_boolean_or_a_list_of_contacts(value: object, given: bool | None) -> None:
    assert read(manufacturer=value).has_manufacturer is given


def test_lists_of_objects_come_as_compact_json_with_typed_keys() -> None:
    offer = read(
        images={"0": {"url": "https://x", "display_type": "1"}},
        characteristics=[{"id": "12", "value": 5}],
        handling_time=[{"value": "2", "warehouse_id": 1}],
    )
    assert offer.images == '[{"display_type":1,"url":"https://x"}]'
    assert offer.characteristics == '[{"id":12,"value":"5"}]'
    assert offer.handling_time == '[{"value":2,"warehouse_id":1}]'


@pytest.mark.parametrize("value", [None, [], {}, "", False])
def test_no_documentation_errors_have_many_spellings(value: object) -> None:
    assert read(doc_errors=value).doc_errors is None


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"offer_details": {"id": 4, "supply_lead_time": "14", "emag_club": 1}}, (14, True)),
        ({"offer_details": {"supply_lead_time": 14}, "supply_lead_time": 3, "emag_club": False}, (3, False)),
        ({"offer_details": []}, (None, None)),
        ({}, (None, None)),
    ],
)
def test_lead_time_and_club_stand_at_the_top_or_in_the_offers_details(fields: dict[str, Any], told: object) -> None:
    offer = read(**fields)
    assert (offer.supply_lead_time, offer.emag_club) == told


def test_what_is_told_by_warehouse_may_name_none() -> None:
    offer = read(stock=[{"value": "139"}], availability=[{"id": 3, "warehouse_id": "1"}], start_date=["2026-01-01"])
    assert offer.stock_by_warehouse == '[{"value":139}]'
    assert offer.availability_by_warehouse == '[{"id":3,"warehouse_id":1}]'
    assert offer.start_date == '["2026-01-01"]'


@pytest.mark.parametrize(
    "errors",
    [
        None,
        {"status": "error", "errors": [{"code": "brand:incorrect", "message": {"ro_RO": "Brand"}}], "seller_input": {}},
        [{"message": "x", "user_message": [{"error_description": "y", "reasons": [{"seller_text": "z"}]}]}],
    ],
)
def test_verdicts_come_with_errors_of_every_form_and_none_is_a_surprise(errors: object) -> None:
    verdict = {"value": 9, "description": "Approved documentation", "errors": errors}
    offer = read(validation_status=[verdict], offer_validation_status={"value": 1, "description": "x", "errors": None})
    assert (offer.validation_status, offer.offer_validation_status, offer.surprises) == ((9,), 1, ())


#: one Romanian and one Bulgarian account's answer, as recorded
_RECORDED: list[dict[str, Any]] = [
    {
        "offer_details": {"id": 42840257, "warranty_type": 1, "supply_lead_time": 14, "emag_club": 1},
        "availability": [{"value": 3}],
        "stock": [{"value": 139}],
        "handling_time": [{"value": 0}],
        "family": {"id": 1, "name": "x", "family_type_id": 95},
        "recommended_price": None,
        "commission": None,
        "url": "",
        "weight": "0.000000",
        "attachments": [],
        "reversible_vat_charging": False,
        "auto_translated": 0,
        "recycleWarranties": 0,
        "ownership": True,
        "genius_eligibility": 1,
        "min_sale_price": Decimal("1.0000"),
        "max_sale_price": Decimal("100387.58"),
        "offer_validation_status": {"value": 1, "description": "Saleable", "errors": None},
    },
    {
        "brand_name": "x",
        "sale_price": Decimal("274.91"),
        "recommended_price": 0,
        "weight": "3",
        "vendor_category_id": None,
        "family": None,
        "ownership": False,
        "rrp_guidelines": "RRP input possible",
        "start_date": [],
        "offer_properties": [],
        "barcode": [],
        "ean": [],
        "content_details": [{"x": 1}],
        "currency_type": None,
        "offer_price_other_currency": None,
        "start_date_other_currency": [],
        "has_smart_deals_badge": False,
    },
]


@pytest.mark.parametrize("row", _RECORDED)
def test_what_accounts_were_seen_to_answer_is_no_surprise(row: dict[str, Any]) -> None:
    assert read(**row).surprises == ()


def test_raw_is_the_row_without_what_the_commercial_columns_hold() -> None:
    row = {"id": "7", "name": "Ceașcă", "sale_price": Decimal("10.50"), "brand_new_field": {"a": [1, None]}}
    details = {"id": 4, "supply_lead_time": 3, "emag_club": True, "status": "x"}
    offer = normalise(row | {"validation_status": [{"value": 9}], "offer_details": details, "warranty": "two years"})
    assert isinstance(offer, Offer)
    assert json.loads(offer.raw) == {
        "id": "7",
        "name": "Ceașcă",
        "brand_new_field": {"a": [1, None]},
        "offer_details": {"id": 4, "status": "x"},
        "warranty": "two years",
    }


_OF_MANY_PARTS = (
    "images", "characteristics", "handling_time", "stock", "availability", "start_date", "doc_errors", "family",
    "offer_details", "validation_status", "translation_validation_status", "offer_validation_status", "attachments",
    "manufacturer", "eu_representative", "commission", "sale_price", "status", "ean",
)  # fmt: skip


@pytest.mark.parametrize("field", _OF_MANY_PARTS)
def test_blank_text_says_that_nothing_is_given(field: str) -> None:
    blank, absent = read(**{field: " "}), read()
    assert replace(blank, raw=absent.raw, content_hash=absent.content_hash) == absent
