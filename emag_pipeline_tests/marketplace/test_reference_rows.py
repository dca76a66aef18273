"""Rows of reference data in every spelling that may come, and those that cannot be represented."""

from decimal import Decimal
from typing import Any

import pytest

from emag_pipeline.marketplace.fields import UnreadableValue
from emag_pipeline.marketplace.reference_rows import Rows, category, handling_time, once_each, rows_of, vat_rate


@pytest.mark.parametrize(
    ("row", "rate"),
    [
        ({"vat_id": 1, "vat_rate": Decimal("0.21")}, "0.2100"),
        ({"id": "1", "rate": "21"}, "0.2100"),
        ({"vat_id": "1", "vat_rate": "5.5000"}, "0.0550"),
        ({"vat_id": 1, "vat_rate": 0}, "0.0000"),
        ({"vat_id": 1, "vat_rate": 1}, "0.0100"),
        ({"vat_id": 1, "vat_rate": Decimal("0.055"), "is_default": ""}, "0.0550"),
        ({"vat_id": 1, "vat_rate": 21, "is_default": 1}, "0.2100"),
    ],
)
def test_a_vat_rate_is_a_share_of_1_however_it_is_given(row: dict[str, Any], rate: str) -> None:
    assert (vat_rate(row).key, str(vat_rate(row).rate)) == (1, rate)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"vat_rate": 21}, "vat_id or id is missing"),
        ({"vat_id": 1}, "vat_rate or rate is missing"),
        ({"vat_id": 1, "vat_rate": "21 %"}, "vat_rate is '21 %', not a number"),
        ({"vat_id": 1, "vat_rate": -1}, "the rate is not from 0 to 100"),
        ({"vat_id": 1, "vat_rate": 100}, "the rate is not from 0 to 100"),
        ({"vat_id": "x", "vat_rate": 21}, "vat_id is 'x', not a whole number"),
        (["1", 21], "the row is not an object"),
    ],
)
def test_a_vat_rate_that_cannot_be_represented_says_why(row: object, why: str) -> None:
    with pytest.raises(UnreadableValue, match=why):
        vat_rate(row)


@pytest.mark.parametrize("row", [{"id": 3}, {"value": "3"}, {"id": 9, "value": 3}, 3, "3"])
def test_a_handling_time_comes_as_id_value_or_bare_number(row: object) -> None:
    assert handling_time(row).key == 3


@pytest.mark.parametrize("row", [{}, {"id": ""}, None, True, [3], -1, {"value": 2**40}, "soon"])
def test_what_is_no_number_of_days_is_no_handling_time(row: object) -> None:
    with pytest.raises(UnreadableValue):
        handling_time(row)


def test_a_category_is_the_same_in_every_spelling() -> None:
    plain = category({"id": 7, "name": "Ceai", "parent_id": None, "is_allowed": 1, "is_ean_mandatory": 0})
    loose = category({"id": "7", "name": " Ceai ", "parent_id": "0", "is_allowed": "1", "is_ean_mandatory": False})
    assert (plain.key, plain.name, plain.parent_id, plain.is_allowed) == (7, "Ceai", None, True)
    assert [getattr(loose, name) for name in ("key", "name", "parent_id", "is_allowed", "is_ean_mandatory")] == [
        7, "Ceai", None, True, False,
    ]  # fmt: skip
    assert plain.is_warranty_mandatory is None


@pytest.mark.parametrize(
    "row", [{"name": "Ceai"}, {"id": 2**70, "name": "Ceai"}, {"id": "tea", "name": "Ceai"}, ["tea"]]
)
def test_a_category_without_a_usable_id_is_unreadable(row: object) -> None:
    with pytest.raises(UnreadableValue):
        category(row)


def test_what_cannot_be_read_of_a_category_costs_that_field_and_is_noticed() -> None:
    read = category({"id": 7, "name": ["Ceai"], "is_allowed": 2, "is_ean_mandatory": 1, "note": "a\0b"})
    assert (read.key, read.name, read.is_allowed, read.is_ean_mandatory) == (7, None, None, True)
    assert [(one.field, one.kind) for one in read.surprises] == [
        ("note", "unstorable text"),
        ("note", "unknown field"),
        ("name", "unexpected type"),
        ("is_allowed", "unexpected type"),
    ]


def test_surprises_of_many_rows_are_added_up() -> None:
    found = rows_of([{"id": 1, "new": 5}, {"id": 2, "new": 6}, 3, {"id": "soon"}, [4]], handling_time)
    assert [(one.field, one.kind, one.sample, one.times) for one in found.surprises] == [
        ("id", "unexpected type", "soon", 1),
        ("(row)", "unexpected type", "null", 1),
        ("new", "unknown field", "5", 2),
    ]


def test_every_row_is_either_read_or_told() -> None:
    rows = rows_of([{"id": 1}, {"id": None}, 5, "x"], handling_time)
    assert [row.key for row in rows.readable] == [1, 5]
    assert rows.unreadable == (
        'value or id is missing: {"id":null}',
        "value is 'x', not a whole number: 'x'",
    )


def test_a_row_that_is_given_twice_counts_once_and_a_contradiction_is_told() -> None:
    first, same, other = (vat_rate({"vat_id": 1, "vat_rate": rate}) for rate in (21, 21, 11))
    found = once_each(Rows((first, same, other), ()))
    assert found.readable == (first,)
    assert len(found.unreadable) == 1
    assert "1 occurs twice with different values" in found.unreadable[0]
