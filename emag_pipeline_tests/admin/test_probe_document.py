"""What a probe of a sandbox says, and that it says no more."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.settings.accounts import Account, AccountName
from emag_pipeline_tests.admin.probing import account_of, answers_of, probed
from emag_pipeline_tests.sandbox.sandboxes import unlimited_sandbox

_SECRETS = (
    "Ionescu", "elena@shop.example", "4081516.2342", "40815162", "8-S3cret", "+40 721 555 777", "Straub", "VIN9X7",
)  # fmt: skip


@pytest.fixture
def market() -> Iterator[SandboxServer]:
    with unlimited_sandbox(accounts={"main": 250}) as server:
        yield server


@pytest.mark.parametrize("place", ["top", "data", "both", "neither"])
def test_the_place_of_the_parameters_is_found(market: SandboxServer, place: str) -> None:
    market.settings(parameters=place)
    assert probed(market)["parameters"]["obeyed"] == place


def test_a_probe_costs_six_calls_and_reads_at_most_two_pages(market: SandboxServer) -> None:
    answers = answers_of(market)
    assert market.stats("main")["requests"] == 6
    assert sum(len(answers.rows(name) or ()) for name in ("split_read", "page", "part")) <= 200


def test_ignored_page_sizes_cost_no_third_page(market: SandboxServer) -> None:
    market.settings(parameters="neither")
    answers = answers_of(market)
    assert (len(answers.rows("split_read") or ()), answers.of("page")) == (100, None)
    assert probed(market)["parameters"]["is_odd_page_size_obeyed"] is False


@pytest.mark.parametrize(
    ("order", "ascend", "descend"), [("id", True, False), ("id_desc", False, True), ("shuffled", False, False)]
)
def test_the_order_of_the_listing_is_told(market: SandboxServer, order: str, ascend: bool, descend: bool) -> None:
    market.settings(order=order)
    told = probed(market)["order"]
    assert (told["ids_ascend"], told["ids_descend"]) == (ascend, descend)
    assert (told["offers_read_again"], told["share_in_same_order"]) == (49, 1.0)


def test_an_account_without_offers_is_described_too() -> None:
    with unlimited_sandbox(accounts={"main": 0}) as empty:
        told = probed(empty)
    assert (told["offers"], told["order"], told["refused"]) == (None, None, None)


def test_types_lengths_and_counts_of_a_field_are_told(market: SandboxServer) -> None:
    ids = market.ids("main")
    market.settings(shape_share=0, quirk_share=0)
    for offer_id in ids[:100]:
        market.edit("main", offer_id, warranty=24)
    for place, value in enumerate([None, "", "12 months", "36", -5, 2.75, [], {"ro_RO": "x"}]):
        market.edit("main", ids[place], warranty=value)
    assert probed(market)["offers"]["fields"]["warranty"] == {
        "types": {"integer": 93, "text": 3, "null": 1, "decimal": 1, "list": 1, "map": 1},
        "empty": {"text": 1, "list": 1},
        "negative": {"integer": 1},
        "numeric_texts": {"text": 1},
        "length": {"text": [0, 9], "list": [0, 0], "map": [1, 1]},
        "digits": {"integer": [1, 2], "decimal": [1, 1]},
        "decimals": {"decimal": [2, 2]},
    }


def test_unknown_fields_are_named(market: SandboxServer) -> None:
    market.edit("main", market.ids("main")[7], energy_label={"class": "A"})
    told = probed(market)
    assert told["unknown_fields"] == ["energy_label"]
    assert told["offers"]["fields"]["energy_label"] == {
        "types": {"object": 1},
        "absent": 99,
        "length": {"object": [1, 1]},
    }


@pytest.mark.parametrize(
    "key", ["Ionescu", "elena@shop.example", "100284", "ean13", "two words", "țară", "a" * 41, "D5DD9BBBM"]
)
def test_keys_that_may_be_data_are_not_told(market: SandboxServer, key: str) -> None:
    market.edit("main", market.ids("main")[7], **{key: 1, "family": {"id": 5, key: {"x": 2}}})
    told = probed(market)
    assert key not in json.dumps(told, ensure_ascii=False).replace('"ean"', "")
    assert told["offers"]["fields"]["family.*.x"]["types"] == {"integer": 1}


def test_more_names_than_any_object_has_are_data(market: SandboxServer) -> None:
    names = [f"{first}{second}" for first in "abcdefg" for second in "mnopqrs"]
    market.edit("main", market.ids("main")[7], family=dict.fromkeys(names, 1), **{f"x{name}": 1 for name in names})
    fields = probed(market)["offers"]["fields"]
    assert fields["family.*"]["types"]["integer"] >= len(names)
    assert fields["*"] == {"types": {"integer": len(names)}, "digits": {"integer": [1, 1]}}
    assert "family.am" not in fields
    assert "xam" not in fields


def _planted(secret: str) -> list[Any]:
    """Values of all kinds that hold it."""
    return [secret, [secret], {secret: secret}, [{"name": secret, secret: [secret]}], {"ro_RO": f"a {secret} b"}]


def test_no_value_of_any_field_is_told(market: SandboxServer) -> None:
    fields = [name for name in market.truth_page("main", 1)[0] if name != "id"]
    for place, offer_id in enumerate(market.ids("main")[:100]):
        secret = _SECRETS[place % len(_SECRETS)]
        values = _planted(secret)
        market.edit("main", offer_id, **{name: values[(place + at) % 5] for at, name in enumerate(fields)})
    market.edit("main", market.ids("main")[0], sale_price=4081516.2342, general_stock=40815162, note={"x": 40815162})
    told = json.dumps(probed(market), ensure_ascii=False)
    assert [secret for secret in (*_SECRETS, "4081516", *map(str, market.ids("main"))) if secret in told] == []


def test_login_and_host_are_not_told(market: SandboxServer) -> None:
    market.set_user("main", "elena.ionescu@shop.example", "8-S3cret")
    account = Account(AccountName("vin9x7"), market.url, "elena.ionescu@shop.example", SecretStr("8-S3cret"))
    told = json.dumps(probed(market, account))
    assert [word for word in ("ionescu", "shop.example", "S3cret", "127.0.0.1", "vin9x7") if word in told] == []


def _said(market: SandboxServer, status: int, words: str) -> dict[str, Any]:
    market.add_fault("is_error", status=status, message=words)
    market.set_user("main", "elena@shop.example", "8-S3cret")
    account = Account(AccountName("main"), market.url, "elena@shop.example", SecretStr("8-S3cret"))
    told = probed(market, account)
    assert market.stats("main")["requests"] == 1
    refused: dict[str, Any] = told["refused"]
    return refused


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("Invalid vendor ip [188.214.106.10]", "Invalid vendor ip [[IP address]]"),
        ("Invalid vendor ip 2001:db8::17", "Invalid vendor ip [IP address]"),
        ("You are not allowed to use this API.", "You are not allowed to use this API"),
        ("User elena@shop.example is not allowed to use this API", "User *** is not allowed to use this API"),
        (
            "ELENA is not allowed to use this API, see https://x.example/a?b=c",
            "[…] is not allowed to use this API, see [address]",
        ),
        ('Access denied for "Elena Ionescu", vendor 40815162', "Access denied for […], vendor [number]"),
    ],
)
def test_a_refusal_is_quoted_without_names_and_numbers(market: SandboxServer, words: str, shown: str) -> None:
    refused = _said(market, 403, words)
    assert (refused["error"], refused["words"]) == ("AccessRefused", shown)


def test_a_broken_page_ends_nothing_else(market: SandboxServer) -> None:
    market.add_fault("breaks_page", offer_ids=market.ids("main")[50:51], status=504)
    told = probed(market)
    assert told["refused"]["error"] == "ApiUnavailable"
    assert (told["offers"]["rows"], len(told["calls"])) == (7, 6)


def test_each_call_tells_time_size_and_rate_limit(market: SandboxServer) -> None:
    market.settings(latency_seconds=0.05, requests_per_second=100)
    call = probed(market)["calls"][3]
    assert (call["status"], call["rows"], call["content_type"]) == (200, 100, "application/json")
    assert call["milliseconds"] >= 50
    assert call["bytes"] > 100_000
    assert call["quota"]["X-RateLimit-Limit-3second"] == 100


def test_an_answer_that_is_no_json_is_told_by_its_type(market: SandboxServer) -> None:
    market.add_fault("html_200")
    told = probed(market, account_of(market))
    assert told["calls"][0]["content_type"] == "text/html; charset=utf-8"
    assert told["frame"] is None
