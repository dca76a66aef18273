"""What cannot be read of a row costs that field: its column is null, the value stays in raw, and it is noticed."""

import json
import math
from decimal import Decimal
from typing import Any

import pytest

from emag_pipeline.marketplace import normalise
from emag_pipeline.marketplace.json_text import parse
from emag_pipeline.marketplace.pages import page_of
from emag_pipeline.model import Offer
from emag_pipeline_tests.marketplace.wrong_values import Case, cases, nested

_GOOD = {
    "sale_price": 5, "general_stock": 1, "status": 1, "validation_status": 9, "offer_validation_status": 1,
}  # fmt: skip


def read(**fields: Any) -> Offer:
    offer = normalise({"id": 7, **fields})
    assert isinstance(offer, Offer), offer
    return offer


@pytest.mark.parametrize("case", list(cases()), ids=str)
def test_a_wrong_value_costs_its_field_alone_and_is_noticed(case: Case) -> None:
    offer = normalise(case.row(7))
    assert isinstance(offer, Offer)
    if case.column:
        assert getattr(offer, case.column) == case.meant
    noticed = {one.field for one in offer.surprises}
    assert bool(noticed) is case.is_noticed
    assert noticed <= {case.field, case.field.partition(".")[0]}


@pytest.mark.parametrize("case", [one for one in cases() if one.is_noticed and one.column], ids=str)
def test_what_no_column_holds_stays_in_raw(case: Case) -> None:
    offer = normalise(case.row(7))
    assert isinstance(offer, Offer)
    if case.meant in (None, ()):
        outer, _, inner = case.field.partition(".")
        kept = json.loads(offer.raw)[outer]
        assert (inner in kept) if inner else kept is not None


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"sale_price": "12,34,56 lei"}, "unexpected type"),
        ({"sale_price": "NaN"}, "unexpected type"),
        ({"sale_price": "1_000"}, "unexpected type"),
        ({"sale_price": "١٢"}, "unexpected type"),
        ({"sale_price": "-1"}, "out of range"),
        ({"sale_price": "1e14"}, "out of range"),
        ({"sale_price": "99999999999999.99999"}, "out of range"),
        ({"sale_price": Decimal("-Infinity")}, "out of range"),
        ({"status": 40_000}, "out of range"),
        ({"status": 7}, "unknown code"),
        ({"warranty": "1.5"}, "unexpected type"),
        ({"vat_id": "1e300"}, "out of range"),
        ({"general_stock": 2**63}, "out of range"),
        ({"general_stock": "N/A"}, "unexpected type"),
        ({"images": [{"url": "x", "display_type": "main"}]}, "unexpected type"),
        ({"ean": [["594"]]}, "unexpected type"),
        ({"validation_status": [{"description": "?"}]}, "unexpected type"),
        ({"validation_status": [{"value": 9}, {"value": 7}]}, "unknown code"),
        ({"translation_validation_status": [{"value": 18}]}, "unknown code"),
        ({"ownership": 3}, "unknown code"),
        ({"manufacturer": "ACME"}, "unexpected type"),
        ({"new": [math.inf]}, "out of range"),
        ({"new": nested(101)}, "out of range"),
        ({"new": [{"a\0b": 1}]}, "unstorable text"),
        ({"a\0b": 1}, "unstorable text"),
        ({"new": 1}, "unknown field"),
    ],
)
def test_a_surprise_says_what_is_wrong_with_which_field(fields: dict[str, Any], kind: str) -> None:
    (name,) = fields
    assert (name.replace("\0", "\ufffd"), kind) in [(one.field, one.kind) for one in read(**fields).surprises]


#: docs/marketplace-api.md, "Validation statuses"
_VALIDATION = {0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12}


@pytest.mark.parametrize(
    ("field", "known"),
    [
        ("status", {0, 1, 2}),
        ("ownership", {1, 2}),
        ("offer_validation_status", {1, 2}),
        ("genius_eligibility", {0, 1}),
        ("genius_eligibility_type", {0, 1, 2, 3}),
        ("genius_computed", {0, 1, 2, 3}),
        ("validation_status", _VALIDATION),
        ("translation_validation_status", _VALIDATION | {13, 14, 15, 16, 17}),
    ],
)
def test_each_documented_code_is_known_and_no_other(field: str, known: set[int]) -> None:
    assert {code for code in range(20) if not read(**{field: code}).surprises} == known


@pytest.mark.parametrize(
    ("fields", "unreadable"),
    [
        ({"sale_price": "soon"}, ("sale_price",)),
        ({"sale_price": []}, ("sale_price",)),
        ({"sale_price": Decimal("NaN")}, ("sale_price",)),
        ({"currency": True, "status": {"value": 1}}, ("currency", "status")),
        ({"general_stock": [1]}, ("general_stock",)),
        ({"general_stock": "1e400"}, ("general_stock",)),
        ({"general_stock": "N/A"}, ()),
        ({"sale_price": None, "currency": "", "general_stock": "", "status": None}, ()),
        ({"warranty": "soon", "best_offer_sale_price": {}}, ()),
    ],
)
def test_what_a_commercial_row_rests_on_is_named_when_it_is_unreadable(
    fields: dict[str, Any], unreadable: tuple[str, ...]
) -> None:
    assert read(**fields).unreadable == unreadable


def test_an_offer_whose_translation_cannot_be_judged_cannot_be_bought() -> None:
    offer = read(**_GOOD | {"translation_validation_status": "published"})
    assert offer.unreadable == ("translation_validation_status",)
    assert not offer.is_saleable


def test_an_offer_with_an_unreadable_price_cannot_be_bought() -> None:
    assert read(**_GOOD).is_saleable
    assert not read(**_GOOD | {"sale_price": "soon"}).is_saleable


def test_text_that_only_looks_like_an_escaped_nul_is_fine() -> None:
    offer = read(name="\\u0000", url="\\\\ud800")
    assert (offer.name, offer.url, offer.surprises) == ("\\u0000", "\\\\ud800", ())


def test_what_jsonb_cannot_hold_is_cut_and_shown() -> None:
    raw = json.loads(read(weight=Decimal("1E+200000"), barcode=[math.nan, 3]).raw)
    assert raw == {"id": 7, "weight": {"out of range": "1E+200000"}, "barcode": [{"out of range": "NaN"}, 3]}


@pytest.mark.parametrize("number", ["1" * 5000, "1e99999999999999999999", "NaN", "-Infinity", "1." + "1" * 5000])
def test_a_number_beyond_all_bounds_costs_its_field_only(number: str) -> None:
    rows = parse(f'[{{"id": 2, "best_offer_sale_price": {number}, "status": 1}}]'.encode())
    assert isinstance(rows, list)
    offer = normalise(rows[0])
    assert isinstance(offer, Offer)
    assert (offer.best_offer_sale_price, offer.status) == (None, 1)
    assert [(one.field, one.kind) for one in offer.surprises] == [("best_offer_sale_price", "out of range")]


def test_samples_are_short_printable_and_show_of_objects_only_the_shape() -> None:
    samples = {
        one.field: one.sample
        for one in read(
            warranty="two\nyears, ask me@shop.ro " + "x" * 100,
            new={"name": "Ion", "mail": ["a@b.ro"], "size": 5},
            vat_id=[["x"]],
            category_id=True,
            manufacturer="Ion",
            seller_phone="0722",
        ).surprises
    }
    warranty = str(samples.pop("warranty"))
    assert (len(warranty), warranty.isprintable()) == (80, True)
    assert warranty.startswith("two\ufffdyears, ask …@… xxx")
    assert samples == {
        "new": "{name: text, mail: [text], size: number}",
        "vat_id": "[[text]]",
        "category_id": "true",
        "manufacturer": None,
        "seller_phone": None,
    }


def test_a_page_adds_the_surprises_of_its_rows_up() -> None:
    rows = [{"id": 1, "warranty": "x"}, {"id": 2, "warranty": "y"}, {"id": 3, "warranty": 12, "new": 1}]
    page = page_of(1, 100, rows)
    told = [(one.field, one.kind, one.sample, one.times) for one in page.surprises]
    assert told == [("warranty", "unexpected type", "x", 2), ("new", "unknown field", "1", 1)]
