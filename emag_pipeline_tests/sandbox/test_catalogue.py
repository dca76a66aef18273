"""What is on offer: deterministic, complete in its fields, realistic (docs/marketplace-api.md, "Offer fields")."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.sandbox.catalogue.validation import codes, is_saleable
from emag_pipeline_tests.sandbox.reader import Reader
from emag_pipeline_tests.sandbox.sandboxes import OpenSandbox, plain_sandbox

Offer = dict[str, Any]

FIELDS = [
    "id",
    "part_number_key",
    "part_number",
    "name",
    "brand",
    "description",
    "url",
    "category_id",
    "vendor_category_id",
    "ownership",
    "number_of_offers",
    "buy_button_rank",
    "best_offer_sale_price",
    "best_offer_recommended_price",
    "sale_price",
    "recommended_price",
    "currency",
    "general_stock",
    "estimated_stock",
    "status",
    "warranty",
    "vat_id",
    "ean",
    "images",
    "characteristics",
    "family",
    "handling_time",
    "validation_status",
    "translation_validation_status",
    "offer_validation_status",
    "doc_errors",
    "genius_eligibility",
    "genius_eligibility_type",
    "genius_computed",
    "manufacturer",
    "eu_representative",
    "safety_information",
]
PRICES = ("sale_price", "recommended_price", "best_offer_sale_price", "best_offer_recommended_price")


@pytest.fixture(scope="module")
def offers() -> list[Offer]:
    with plain_sandbox(accounts={"main": 800}) as sandbox:
        reader = Reader(sandbox)
        return [offer for number in range(1, 9) for offer in reader.page(number)]


def test_the_same_seed_gives_the_same_offers(open_sandbox: OpenSandbox) -> None:
    first, second = (Reader(open_sandbox(seed=7)).page(2) for _ in range(2))
    assert first == second


def test_another_seed_gives_other_offers(open_sandbox: OpenSandbox) -> None:
    first, second = (Reader(open_sandbox(seed=seed)).page(1) for seed in (7, 8))
    assert not [offer for offer in first if offer in second]


def test_accounts_differ_under_one_seed(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(accounts={"main": 100, "fbe": 100})
    main, fbe = (Reader(sandbox, account).page() for account in ("main", "fbe"))
    assert not [offer for offer in main if offer in fbe]


def test_every_offer_has_exactly_the_documented_fields(offers: list[Offer]) -> None:
    assert {tuple(sorted(offer)) for offer in offers} == {tuple(sorted(FIELDS))}


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("validation_status", {0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12}),
        ("translation_validation_status", {0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17}),
        ("offer_validation_status", {1, 2}),
    ],
)
def test_every_validation_code_occurs(offers: list[Offer], field: str, expected: set[int]) -> None:
    assert {code for offer in offers for code in codes(offer[field])} == expected


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("status", {0, 1, 2}),
        ("ownership", {1, 2}),
        ("vat_id", {1, 2, 3}),
        ("genius_eligibility", {0, 1}),
        ("genius_eligibility_type", {None, 1, 2, 3}),
        ("genius_computed", {0, 1, 2, 3}),
        ("manufacturer", {True, False}),
        ("eu_representative", {True, False}),
        ("currency", {"RON"}),
    ],
)
def test_every_documented_value_occurs(offers: list[Offer], field: str, expected: set[object]) -> None:
    assert {offer[field] for offer in offers} == expected


@pytest.mark.parametrize("field", ["part_number_key", "family", "doc_errors", "recommended_price", "general_stock"])
def test_what_may_be_missing_is_missing_somewhere_and_present_elsewhere(offers: list[Offer], field: str) -> None:
    absent = [offer for offer in offers if offer[field] is None]
    assert 0 < len(absent) < len(offers)


def test_ids_and_product_keys_are_unique(offers: list[Offer]) -> None:
    keys = [offer["part_number_key"] for offer in offers if offer["part_number_key"]]
    assert len({offer["id"] for offer in offers}) == len(offers)
    assert len(set(keys)) == len(keys)


def test_prices_have_at_most_four_decimals(offers: list[Offer]) -> None:
    prices = [Decimal(repr(offer[name])) for offer in offers for name in PRICES if offer[name] is not None]
    assert all(price > 0 and price == round(price, 4) for price in prices)
    assert any(price != round(price, 2) for price in prices)


def test_eans_have_a_valid_check_digit(offers: list[Offer]) -> None:
    eans = [ean for offer in offers for ean in offer["ean"]]
    assert eans
    for ean in eans:
        weighted = sum(int(digit) * (1, 3)[place % 2] for place, digit in enumerate(ean))
        assert len(ean) == 13
        assert weighted % 10 == 0


def test_each_offer_has_one_main_image(offers: list[Offer]) -> None:
    assert all([image["display_type"] for image in offer["images"]].count(1) == 1 for offer in offers)


def test_texts_hold_every_diacritic_and_html(offers: list[Offer]) -> None:
    text = "".join(offer["name"] + offer["description"] for offer in offers)
    assert set("ăâîșțĂÂÎȘȚ") - set(text) <= set("Ă")
    assert all(offer["description"].startswith("<h2>") for offer in offers)


def test_the_winner_of_the_button_has_the_best_price(offers: list[Offer]) -> None:
    winners = [offer for offer in offers if offer["buy_button_rank"] == 1]
    assert winners
    assert all(offer["best_offer_sale_price"] == offer["sale_price"] for offer in winners)
    assert all(offer["buy_button_rank"] <= offer["number_of_offers"] for offer in offers)


def test_an_offer_that_lost_its_ean_conflict_is_inactive(offers: list[Offer]) -> None:
    assert {offer["status"] for offer in offers if codes(offer["validation_status"]) == [6]} == {0}


def test_some_offers_can_be_bought_and_some_cannot(offers: list[Offer]) -> None:
    assert 0 < sum(map(is_saleable, offers)) < len(offers)


def saleable_offer(**changed: Any) -> Offer:
    offer = {"general_stock": 1, "sale_price": "10.5000", "status": 1, "offer_validation_status": [{"value": 1}]}
    offer |= {"validation_status": [{"value": 9}], "translation_validation_status": []}
    return offer | changed


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, True),
        ({"general_stock": 0}, False),
        ({"general_stock": None}, False),
        ({"sale_price": "0.0000"}, False),
        ({"status": 0}, False),
        ({"status": 2}, False),
        ({"offer_validation_status": [{"value": 2}]}, False),
        *(({"validation_status": [{"value": code}]}, code in (3, 9, 11, 12)) for code in range(13)),
        *(({"translation_validation_status": [{"value": code}]}, code in (3, 9, 11, 12, 17)) for code in range(18)),
    ],
)
def test_an_offer_can_be_bought_when_the_document_says_so(changed: Offer, expected: bool) -> None:
    assert is_saleable(saleable_offer(**changed)) is expected


def test_the_truth_is_what_pages_show_without_quirks(sandbox: SandboxServer, reader: Reader) -> None:
    assert list(sandbox.truth("main")) == [offer for number in (1, 2, 3) for offer in reader.page(number)]


def meant(shown: Any, true: Any) -> Any:
    """The shown value read leniently, towards the type of the true one."""
    if true is None:
        return None if shown in ("", []) else shown
    if isinstance(true, list) and isinstance(shown, dict):
        return [shown[str(place)] for place in range(len(shown))]
    if type(true) in (int, float) and isinstance(shown, str):
        return type(true)(shown)
    return shown


@pytest.fixture(scope="module")
def quirky() -> list[tuple[Offer, Offer]]:
    """Each offer as shown with all of PHP's quirks, beside the true one."""
    with plain_sandbox(quirk_share=1, accounts={"main": 600}) as sandbox:
        shown = [offer for number in range(1, 7) for offer in Reader(sandbox).page(number)]
        return list(zip(shown, sandbox.truth("main"), strict=True))


def test_quirky_offers_still_mean_the_same(quirky: list[tuple[Offer, Offer]]) -> None:
    for shown, true in quirky:
        assert {name: meant(shown[name], true[name]) for name in true} == true


@pytest.mark.parametrize(
    ("field", "quirk"),
    [
        ("id", lambda value: isinstance(value, str)),
        ("sale_price", lambda value: isinstance(value, str)),
        ("status", lambda value: isinstance(value, str)),
        ("general_stock", lambda value: value == ""),
        ("recommended_price", lambda value: value == ""),
        ("family", lambda value: value == []),
        ("doc_errors", lambda value: value == []),
        ("images", lambda value: isinstance(value, dict)),
        ("ean", lambda value: isinstance(value, dict)),
        ("validation_status", lambda value: isinstance(value, dict)),
    ],
)
def test_each_quirk_occurs(quirky: list[tuple[Offer, Offer]], field: str, quirk: Callable[[Any], bool]) -> None:
    assert any(quirk(shown[field]) for shown, _ in quirky)


def test_counts_come_as_text_where_every_offer_is_quirky(open_sandbox: OpenSandbox) -> None:
    counted = Reader(open_sandbox(quirk_share=1)).results("product_offer/count")
    assert counted == {"noOfItems": "250", "noOfPages": "3", "itemsPerPage": "100"}


def test_by_default_a_few_offers_are_quirky(open_sandbox: OpenSandbox) -> None:
    sandbox = open_sandbox(quirk_share=0.06)
    shown = [offer for number in (1, 2, 3) for offer in Reader(sandbox).page(number)]
    different = sum(offer != true for offer, true in zip(shown, sandbox.truth("main"), strict=True))
    assert 0 < different < 50
