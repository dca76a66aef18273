"""Filters of product_offer/read and /count (docs/marketplace-api.md, "Filters"), measured against the truth."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.sandbox.catalogue.validation import codes
from emag_pipeline_tests.sandbox.reader import Reader
from emag_pipeline_tests.sandbox.sandboxes import plain_sandbox

Offer = dict[str, Any]
VALIDATION = [1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12]


@dataclass(frozen=True)
class Shop:
    """A catalogue that holds every validation code and that no test changes."""

    reader: Reader
    offers: list[Offer]


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with plain_sandbox(accounts={"main": 400}) as sandbox:
        yield Shop(Reader(sandbox), list(sandbox.truth("main")))


def check(shop: Shop, fits: Callable[[Offer], bool], **filters: Any) -> None:
    """Read and count agree with the truth, and the filter leaves out some offers but not all."""
    reader, offers = shop.reader, shop.offers
    expected = [offer["id"] for offer in offers if fits(offer)]
    counted = reader.results("product_offer/count", **filters)
    found = [one for number in range(1, counted["noOfPages"] + 1) for one in reader.ids(number, **filters)]
    assert found == expected
    assert counted["noOfItems"] == len(expected)
    assert 0 < len(expected) < len(offers)


@pytest.mark.parametrize("status", [0, 1])
def test_status(shop: Shop, status: int) -> None:
    check(shop, lambda offer: offer["status"] == status, status=status)


@pytest.mark.parametrize("field", ["general_stock", "estimated_stock"])
@pytest.mark.parametrize("most", [0, 5])
def test_a_stock_filter_finds_numeric_stocks_up_to_it(shop: Shop, field: str, most: int) -> None:
    check(shop, lambda offer: offer[field] is not None and offer[field] <= most, **{field: most})


@pytest.mark.parametrize("code", [1, 2])
def test_offer_validation_status(shop: Shop, code: int) -> None:
    check(shop, lambda offer: codes(offer["offer_validation_status"]) == [code], offer_validation_status=code)


@pytest.mark.parametrize("code", VALIDATION)
def test_validation_status(shop: Shop, code: int) -> None:
    check(shop, lambda offer: code in codes(offer["validation_status"]), validation_status=code)


@pytest.mark.parametrize("code", [*VALIDATION, 13, 14, 15, 16, 17])
def test_translation_validation_status(shop: Shop, code: int) -> None:
    field = "translation_validation_status"
    check(shop, lambda offer: code in codes(offer[field]), **{field: code})


def test_filters_narrow_each_other(shop: Shop) -> None:
    check(
        shop,
        lambda offer: offer["status"] == 1 and 9 in codes(offer["validation_status"]),
        status="1",
        validation_status=9,
    )


@pytest.mark.parametrize("field", ["part_number", "part_number_key"])
def test_a_number_finds_its_one_offer(shop: Shop, field: str) -> None:
    offer = next(offer for offer in shop.offers[200:] if offer[field])
    check(shop, lambda other: other["id"] == offer["id"], **{field: offer[field]})


def test_an_edited_part_number_is_found_and_the_old_one_is_not(sandbox: SandboxServer) -> None:
    offer = sandbox.truth_page("main", 1)[7]
    sandbox.edit("main", offer["id"], part_number="Țăndărică-1")
    reader = Reader(sandbox)
    assert reader.ids(part_number="Țăndărică-1") == [offer["id"]]
    assert reader.ids(part_number=offer["part_number"]) == []


@pytest.mark.parametrize("text", ["", "nothing", "ZAP-FFFFFFFFFFF", "ăîșțâăîșț"])
@pytest.mark.parametrize("field", ["part_number", "part_number_key"])
def test_a_number_of_nobody_finds_nothing(shop: Shop, field: str, text: str) -> None:
    assert shop.reader.ids(**{field: text}) == []


def test_filters_see_edits(sandbox: SandboxServer) -> None:
    offer_id = sandbox.ids("main")[0]
    sandbox.edit("main", offer_id, general_stock=1_000_000, status=1)
    assert Reader(sandbox).ids(1, general_stock=1_000_000, status=1)[0] == offer_id
    assert offer_id not in Reader(sandbox).ids(1, general_stock=999_999)


def test_an_id_finds_its_one_offer(shop: Shop) -> None:
    offer_id = shop.offers[123]["id"]
    check(shop, lambda offer: offer["id"] == offer_id, id=offer_id)


def test_a_filter_that_does_not_exist_is_ignored(shop: Shop) -> None:
    assert shop.reader.ids(2, modified_since="2025-01-01") == shop.reader.ids(2)


def test_an_unknown_id_finds_nothing(shop: Shop) -> None:
    assert shop.reader.by_id(5) is None
    assert shop.reader.results("product_offer/count", id=5)["noOfItems"] == 0


def test_a_read_by_id_gives_arrays_of_contacts_where_pages_give_booleans(shop: Shop) -> None:
    for shown in shop.reader.page()[:20]:
        offer = shop.reader.by_id(shown["id"])
        assert offer is not None
        for role in ("manufacturer", "eu_representative"):
            assert isinstance(shown[role], bool)
            assert isinstance(offer[role], list)
            assert bool(offer[role]) is shown[role]
            assert all(set(one) == {"name", "address", "email"} for one in offer[role])


def test_a_read_by_id_is_otherwise_the_offer_of_its_page(shop: Shop) -> None:
    shown = shop.reader.page()[0]
    offer = shop.reader.by_id(shown["id"])
    assert offer is not None
    roles = {role: offer[role] for role in ("manufacturer", "eu_representative")}
    assert shown | roles == offer


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": 0},
        {"id": 2**32},
        {"id": "x"},
        {"status": 2},
        {"general_stock": -1},
        {"offer_validation_status": 3},
        {"validation_status": 7},
        {"validation_status": 13},
        {"translation_validation_status": 7},
        {"translation_validation_status": 18},
    ],
)
@pytest.mark.parametrize("action", ["read", "count"])
def test_a_value_that_a_filter_does_not_allow_is_refused(shop: Shop, wrong: Offer, action: str) -> None:
    assert next(iter(wrong)) in shop.reader.refusal(f"product_offer/{action}", **wrong)
