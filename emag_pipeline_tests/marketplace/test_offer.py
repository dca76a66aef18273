"""The offer as a row of the database."""

from dataclasses import fields
from decimal import Decimal

import pytest

from emag_pipeline.marketplace import normalise
from emag_pipeline.marketplace.normalise import is_saleable
from emag_pipeline.model import Offer
from emag_pipeline.store.columns import STAGED
from emag_pipeline.sync.staging import line


def test_an_offer_has_exactly_the_columns_of_staging() -> None:
    assert sorted(field.name for field in fields(Offer)) == sorted([*STAGED, "surprises"])


def test_an_offer_of_nothing_but_an_id_can_be_staged() -> None:
    offer = normalise({"id": 7})
    assert isinstance(offer, Offer)
    assert line([getattr(offer, name) for name in STAGED]).startswith("7\t")


_GOOD = {
    "general_stock": 3,
    "sale_price": Decimal("10.5000"),
    "status": 1,
    "offer_validation_status": 1,
    "validation_status": (9,),
    "translation_validation_status": (),
    "unreadable": (),
}


def test_an_offer_in_stock_active_and_accepted_can_be_bought() -> None:
    assert is_saleable(**_GOOD)  # type: ignore[arg-type]


@pytest.mark.parametrize("code", [3, 9, 11, 12])
def test_these_product_codes_may_be_sold(code: int) -> None:
    assert is_saleable(**_GOOD | {"validation_status": (code,)})  # type: ignore[arg-type]


@pytest.mark.parametrize("code", [3, 9, 11, 12, 17])
def test_these_translation_codes_may_be_sold(code: int) -> None:
    assert is_saleable(**_GOOD | {"translation_validation_status": (code,)})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {"sale_price": Decimal("0.0000")},
        {"sale_price": None},
        {"general_stock": 0},
        {"general_stock": None},
        {"general_stock": -1},
        {"status": 0},
        {"status": 2},
        {"status": None},
        {"offer_validation_status": 2},
        {"offer_validation_status": None},
        {"validation_status": ()},
        {"validation_status": (9, 10)},
        {"validation_status": (17,)},
        {"translation_validation_status": (9, 14)},
        {"translation_validation_status": (16,)},
        {"unreadable": ("sale_price",)},
    ],
)
def test_one_thing_amiss_and_it_cannot_be_bought(change: dict[str, object]) -> None:
    assert not is_saleable(**_GOOD | change)  # type: ignore[arg-type]
