"""The recorded shapes: each occurs, nothing else does, and the truth is what they mean.

Source: docs/marketplace-api.md, "Offer fields", "Types and spellings".
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from emag_pipeline.sandbox.catalogue.validation import codes
from emag_pipeline_tests.sandbox.reader import Reader
from emag_pipeline_tests.sandbox.sandboxes import OpenSandbox, plain_sandbox, unlimited_sandbox
from emag_pipeline_tests.sandbox.test_catalogue import FIELDS

Offer = dict[str, Any]
Pairs = list[tuple[Offer, Offer]]

#: docs/marketplace-api.md, "Fields that the docs do not list"
FURTHER = {
    "min_sale_price", "max_sale_price", "currency_type", "offer_price_other_currency", "commission", "rrp_guidelines",
    "stock", "availability", "start_date", "start_date_other_currency", "offer_details", "content_details",
    "offer_properties", "brand_name", "attachments", "barcode", "auto_translated", "reversible_vat_charging",
    "recycleWarranties", "has_smart_deals_badge", "weight",
}  # fmt: skip


@pytest.fixture(scope="module")
def pairs() -> Iterator[Pairs]:
    """Each offer as served, beside the true one."""
    with plain_sandbox(shape_share=1, accounts={"main": 1200}) as sandbox:
        served = [offer for number in range(1, 13) for offer in Reader(sandbox).page(number)]
        yield list(zip(served, sandbox.truth("main"), strict=True))


def verdicts(pairs: Pairs) -> list[Offer]:
    names = ("validation_status", "translation_validation_status")
    return [verdict for served, _ in pairs for name in names for verdict in served[name]]


def test_every_offer_has_the_documented_and_the_further_fields(pairs: Pairs) -> None:
    assert {frozenset(served) for served, _ in pairs} == {frozenset(FIELDS) | FURTHER}


def test_ownership_is_a_boolean_whose_meaning_is_not_proven(pairs: Pairs) -> None:
    assert {served["ownership"] for served, _ in pairs} == {True, False}
    assert {true["ownership"] for _, true in pairs} == {None}


def test_the_prices_verdict_is_one_object(pairs: Pairs) -> None:
    assert {frozenset(served["offer_validation_status"]) for served, _ in pairs} == {
        frozenset({"value", "description", "errors"})
    }
    assert all(
        codes(served["offer_validation_status"]) == codes(true["offer_validation_status"]) for served, true in pairs
    )


def test_zero_stands_for_no_recommended_price(pairs: Pairs) -> None:
    assert {type(served["recommended_price"]) for served, true in pairs if true["recommended_price"] is None} == {
        int,
        type(None),
    }
    assert all(true["recommended_price"] != 0 for _, true in pairs)


@pytest.mark.parametrize("field", ["handling_time", "stock", "availability", "start_date"])
def test_entries_may_come_without_a_warehouse(pairs: Pairs, field: str) -> None:
    keys = {frozenset(entry) for served, _ in pairs for entry in served[field]}
    assert keys == {frozenset({"value"}), frozenset({"value", "warehouse_id"})}
    assert all(served[field] == true[field] for served, true in pairs)


def test_a_family_has_a_type(pairs: Pairs) -> None:
    families = [served["family"] for served, _ in pairs if served["family"]]
    assert {frozenset(family) for family in families} == {frozenset({"id", "name", "family_type_id"})}
    assert {family["family_type_id"] for family in families} == {1, 2, 3, 4, 5}


def test_offer_details_hold_four_facts(pairs: Pairs) -> None:
    assert {frozenset(served["offer_details"]) for served, _ in pairs} == {
        frozenset({"id", "warranty_type", "supply_lead_time", "emag_club"})
    }


@pytest.mark.parametrize("field", ["part_number_key", "url", "safety_information", "rrp_guidelines"])
def test_empty_text_is_not_given(pairs: Pairs, field: str) -> None:
    assert {served[field] for served, true in pairs if true[field] is None} == {"", None}
    assert "" not in {true[field] for _, true in pairs}


def test_flags_are_numbers_or_booleans_and_truly_booleans(pairs: Pairs) -> None:
    for field in ("auto_translated", "has_smart_deals_badge"):
        assert {type(served[field]) for served, _ in pairs} == {int, bool}
        assert {type(true[field]) for _, true in pairs} == {bool}
        assert all(served[field] == true[field] for served, true in pairs)


def test_price_limits_surround_the_price(pairs: Pairs) -> None:
    assert all(true["min_sale_price"] < true["sale_price"] < true["max_sale_price"] for _, true in pairs)


def test_drafts_are_listed_without_key_and_address_and_with_status_2(pairs: Pairs) -> None:
    drafts = [true for _, true in pairs if codes(true["validation_status"]) == [0]]
    assert drafts
    assert {(one["status"], one["part_number_key"], one["url"]) for one in drafts} == {(2, None, None)}


@pytest.mark.parametrize(
    "is_form",
    [
        lambda errors: errors is None,
        lambda errors: isinstance(errors, list) and {"message", "user_message"} == set(errors[0]),
        lambda errors: isinstance(errors, dict) and errors["errors"] and errors["warnings"],
        lambda errors: isinstance(errors, dict) and errors["errors"] and not errors["warnings"],
        lambda errors: isinstance(errors, dict) and errors["warnings"] and not errors["errors"],
    ],
    ids=["none", "the older list", "errors and warnings", "errors", "warnings only"],
)
def test_reasons_come_in_every_form(pairs: Pairs, is_form: Callable[[Any], bool]) -> None:
    assert any(is_form(verdict["errors"]) for verdict in verdicts(pairs) if verdict["value"] in (8, 12, 9))


def test_a_report_of_reasons_has_the_measured_keys(pairs: Pairs) -> None:
    reports = [verdict["errors"] for verdict in verdicts(pairs) if isinstance(verdict["errors"], dict)]
    keys = {"errors", "warnings", "seller_input", "request_id", "doc_id", "version", "status"}
    assert {frozenset(report) for report in reports} == {frozenset(keys)}
    reasons = [reason for report in reports for reason in report["errors"] + report["warnings"]]
    assert {frozenset(reason) for reason in reasons} == {frozenset({"code", "message", "extraInfo"})}


def test_every_refusal_has_reasons_and_few_others_have(pairs: Pairs) -> None:
    refused = [verdict for verdict in verdicts(pairs) if verdict["value"] in (5, 6, 8, 12, 14)]
    others = [verdict["errors"] for verdict in verdicts(pairs) if verdict["value"] in (9, 11)]
    assert all(verdict["errors"] for verdict in refused)
    assert 0 < len([errors for errors in others if errors]) < len(others) / 10


def test_the_documentations_errors_are_mostly_empty(pairs: Pairs) -> None:
    found = [served["doc_errors"] for served, _ in pairs if codes(served["validation_status"]) == [8]]
    assert None in found
    assert any(found)


def test_what_is_not_shaped_is_served_as_it_truly_is(pairs: Pairs) -> None:
    shaped = {
        "ownership", "offer_validation_status", "recommended_price", "offer_details", "auto_translated",
        "has_smart_deals_badge", "part_number_key", "url", "safety_information", "rrp_guidelines",
    }  # fmt: skip
    for served, true in pairs:
        assert {name for name in true if served[name] != true[name]} <= shaped


def test_a_share_is_shaped_and_the_rest_as_documented(open_sandbox: OpenSandbox) -> None:
    rows = [row for number in (1, 2, 3) for row in Reader(open_sandbox(shape_share=0.5)).page(number)]
    shaped = [row for row in rows if isinstance(row["ownership"], bool)]
    assert 80 < len(shaped) < 170
    assert all(("stock" in row) is (row in shaped) for row in rows)


def test_by_default_nearly_all_offers_are_shaped() -> None:
    with unlimited_sandbox(accounts={"main": 1200}) as sandbox:
        reader = Reader(sandbox)
        rows = [row for number in range(1, 13) for row in reader.page(number)]
    assert 1080 < sum(isinstance(row["ownership"], bool) for row in rows) < 1200


def test_a_read_by_id_is_shaped_like_its_page(open_sandbox: OpenSandbox) -> None:
    reader = Reader(open_sandbox(shape_share=1))
    for shown in reader.page()[:20]:
        offer = reader.by_id(shown["id"])
        assert offer is not None
        roles = {role: offer[role] for role in ("manufacturer", "eu_representative")}
        assert shown | roles == offer


def test_shapes_and_quirks_go_together(open_sandbox: OpenSandbox) -> None:
    rows = Reader(open_sandbox(shape_share=1, quirk_share=1)).page()
    assert any(isinstance(row["ownership"], bool) and isinstance(row["sale_price"], str) for row in rows)


def test_counts_come_as_text_every_other_time(open_sandbox: OpenSandbox) -> None:
    reader = Reader(open_sandbox(shape_share=1))
    kinds = [type(reader.results("product_offer/count")["noOfItems"]) for _ in range(4)]
    assert kinds == [str, int, str, int]


def test_vat_rates_come_as_shares_to_some_accounts_and_as_percentages_to_others(open_sandbox: OpenSandbox) -> None:
    names = [f"shop{number}" for number in range(10)]
    sandbox = open_sandbox(shape_share=1, accounts=dict.fromkeys(names, 1))
    told = {tuple(row["vat_rate"] for row in Reader(sandbox, name).results("vat/read")) for name in names}
    assert told == {(0.21, 0.11, 0), (21, 11, 0)}
