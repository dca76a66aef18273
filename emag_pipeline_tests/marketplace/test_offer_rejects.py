"""Rows without a usable id: each is a reject with a reason in words, none is an error."""

import json
import math
from decimal import Decimal
from typing import Any

import pytest

from emag_pipeline.marketplace import normalise
from emag_pipeline.model import Reject


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
        ({"id": 0}, "id is 0, outside 1 to 4294967295"),
        ({"id": 4294967296}, "id is 4294967296, outside 1 to 4294967295"),
        pytest.param({"id": 10**5000}, "id is ", id="long"),
    ],
)
def test_a_row_without_a_usable_id_has_none(row: object, reason: str) -> None:
    reject = refused(row)
    assert reject.reason.startswith(reason)
    assert reject.emag_offer_id is None


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
    reject = refused({"id": "seven", "name": value})
    assert reject.payload.isascii()
    assert json.loads(reject.payload)["id"] == "seven"


def test_the_payload_holds_what_jsonb_cannot() -> None:
    row = {"id": "seven", "name": "a\0b \ud83d ț"}
    assert json.loads(refused(row).payload) == row


def test_shown_values_are_short() -> None:
    assert len(refused({"id": ["x" * 10_000]}).reason) < 120
