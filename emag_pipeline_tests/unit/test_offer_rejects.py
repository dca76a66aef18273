"""Rows that cannot be represented: each is a reject with a reason in words, none is an error."""

import json
import math
from decimal import Decimal
from typing import Any

import pytest

from emag_pipeline.api import Reject, normalise
from emag_pipeline.api.json_text import parse


def refused(row: object) -> Reject:
    reject = normalise(row)
    assert isinstance(reject, Reject), reject
    return reject


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"sale_price": "12,34,56 lei"}, "sale_price is '12,34,56 lei', not a number"),
        ({"sale_price": "NaN"}, "sale_price is 'NaN', not a number"),
        ({"sale_price": "1_000"}, "sale_price is '1_000', not a number"),
        ({"sale_price": "١٢"}, "sale_price is '١٢', not a number"),
        ({"sale_price": []}, "sale_price is [], not a number"),
        ({"sale_price": True}, "sale_price is true, not a number"),
        ({"sale_price": "-1"}, "sale_price is '-1', a negative price"),
        ({"sale_price": "1e14"}, "sale_price is '1e14', too large for 14 digits before the point"),
        (
            {"sale_price": "99999999999999.99999"},
            "sale_price is '99999999999999.99999', too large for 14 digits before the point",
        ),
        ({"sale_price": "1e999999"}, "sale_price is '1e999999', too large for 14 digits before the point"),
        ({"sale_price": Decimal("NaN")}, "sale_price holds NaN, which is not a number"),
        ({"sale_price": Decimal("-Infinity")}, "sale_price holds -Infinity, which is not a number"),
        ({"new": [math.inf]}, "new holds Infinity, which is not a number"),
        ({"new": {"deep": Decimal("1E+200000")}}, "new holds a number of more than 1000 digits"),
        ({"new": 10**4000}, "new holds a number of more than 1000 digits"),
        ({"status": 40_000}, "status is 40000, outside of -32768 to 32767"),
        ({"status": {"value": 1}}, 'status is {"value":1}, not a whole number'),
        ({"warranty": "1.5"}, "warranty is '1.5', not a whole number"),
        ({"vat_id": "1e300"}, "vat_id is '1e300', which is too large"),
        ({"general_stock": 2**63}, "general_stock is 9223372036854775808, outside of -9223372036854775808 to "),
        ({"name": ["not", "a", "name"]}, 'name is ["not","a","name"], not a text'),
        ({"name": False}, "name is false, not a text"),
        ({"images": 7}, "images is 7, not a list"),
        ({"characteristics": {"id": 1}}, 'characteristics is {"id":1}, not a list'),
        ({"ean": {"code": "594"}}, 'ean is {"code":"594"}, not a list'),
        ({"ean": [["594"]]}, 'ean is ["594"], not a text'),
        ({"family": "Căni"}, "family is 'Căni', not an object"),
        ({"family": {"id": "x"}}, "family.id is 'x', not a whole number"),
        ({"validation_status": [{"description": "?"}]}, 'validation_status holds {"description":"?"}, a verdict '),
        ({"validation_status": [70_000]}, "validation_status is 70000, outside of -32768 to 32767"),
        ({"validation_status": True}, "validation_status is true, not a whole number"),
        ({"manufacturer": "ACME"}, "manufacturer is 'ACME', neither a boolean nor a list of contacts"),
        ({"name": "a\0b"}, "name holds NUL, which PostgreSQL cannot store"),
        ({"new": [{"a\0b": 1}]}, "new holds NUL, which PostgreSQL cannot store"),
        ({"a\0b": 1}, "the field name 'a\\x00b' holds NUL, which PostgreSQL cannot store"),
        ({"description": "x \ud83d"}, "description holds half of a surrogate pair, which is no Unicode text"),
        ({"new": [["\udc00"]]}, "new holds half of a surrogate pair, which is no Unicode text"),
        ({"new": nested(101)}, "new is nested deeper than 100 levels"),
    ],
)
def test_the_reason_names_the_field_and_what_is_wrong(fields: dict[str, object], reason: str) -> None:
    reject = refused({"id": 7, **fields})
    assert reject.reason.startswith(reason)
    assert reject.emag_offer_id == 7


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (None, "the row is null, not an object"),
        ([], "the row is [], not an object"),
        ("x" * 200, f"the row is '{'x' * 80}'…, not an object"),
        ({}, "id is missing"),
        ({"id": None}, "id is missing"),
        ({"id": ""}, "id is '', not a whole number"),
        ({"id": True}, "id is true, not a whole number"),
        ({"id": "seven"}, "id is 'seven', not a whole number"),
        ({"id": 0}, "id is 0, outside of 1 to 4294967295"),
        ({"id": 4294967296}, "id is 4294967296, outside of 1 to 4294967295"),
        pytest.param({"id": 10**5000}, "id is ", id="long"),
    ],
)
def test_a_row_without_a_usable_id_has_none(row: object, reason: str) -> None:
    reject = refused(row)
    assert reject.reason.startswith(reason)
    assert reject.emag_offer_id is None


def test_text_that_only_looks_like_an_escaped_nul_is_fine() -> None:
    assert not isinstance(normalise({"id": 7, "name": "\\u0000"}), Reject)


@pytest.mark.parametrize(
    "value",
    [
        "a\0b",
        "x \ud83d",
        math.nan,
        Decimal("NaN"),
        pytest.param(nested(900), id="deep"),
        pytest.param(nested(5000), id="deeper"),
        pytest.param(10**5000, id="long"),
    ],
)
def test_the_payload_is_ascii_json_whatever_the_row_holds(value: object) -> None:
    reject = refused({"id": 7, "name": value})
    assert reject.payload.isascii()
    assert json.loads(reject.payload)["id"] == 7


def test_the_payload_holds_what_jsonb_cannot() -> None:
    row = {"id": 7, "name": "a\0b \ud83d ț"}
    assert json.loads(refused(row).payload) == row


@pytest.mark.parametrize("number", ["1" * 5000, "1e99999999999999999999", "NaN", "-Infinity", "1." + "1" * 5000])
def test_a_number_beyond_all_bounds_costs_its_row_only(number: str) -> None:
    rows = parse(f'[{{"id": 1}}, {{"id": 2, "sale_price": {number}}}]'.encode())
    assert isinstance(rows, list)
    assert not isinstance(normalise(rows[0]), Reject)
    assert refused(rows[1]).emag_offer_id == 2


def test_shown_values_are_short() -> None:
    assert len(refused({"id": 7, "name": ["x" * 10_000]}).reason) < 120
