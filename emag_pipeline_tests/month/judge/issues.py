"""Why an offer cannot be bought, and since when."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from emag_pipeline.sandbox.catalogue.validation import SALEABLE, SALEABLE_TRANSLATION
from emag_pipeline_tests.month.past import Offers, Past, State

_STATUS = {0: {"inactive"}, 1: set(), 2: {"end_of_life"}}
_PRICE = {1: set(), 2: {"price_invalid"}}


def codes(state: State) -> set[str]:
    """Every reason why an offer in this state cannot be bought."""
    stock, product = state["general_stock"], set(state["validation_status"])
    translation = set(state["translation_validation_status"])
    found = {"stock_unknown"} if stock is None else {"out_of_stock"} if stock <= 0 else set()
    found |= _STATUS.get(state["status"], {"status_unknown"})
    found |= _PRICE.get(state["offer_validation_status"], {"price_not_validated"})
    found |= {f"product_{code}" for code in product - SALEABLE} if product else {"product_not_validated"}
    return found | {f"translation_{code}" for code in translation - SALEABLE_TRANSLATION}


def expected(past: Past, account: str) -> dict[tuple[int, str], dict[str, Any]]:
    """The rows of emag_offer_issues of an account, by offer and code."""
    begun = _since(past, account)
    offers = past.newest(account).offers
    return {(offer_id, code): _row(offers[offer_id], code, since) for (offer_id, code), since in begun.items()}


def _since(past: Past, account: str) -> Mapping[tuple[int, str], datetime]:
    """The publish at which each present issue began; an offer that was away begins anew."""
    begun: dict[tuple[int, str], datetime] = {}
    for publish in past.publishes[account]:
        begun = {key: begun.get(key, publish.at) for key in _issues(publish.offers)}
    return begun


def _issues(offers: Offers) -> Iterator[tuple[int, str]]:
    for offer_id, state in offers.items():
        yield from ((offer_id, code) for code in codes(state))


def _row(state: State, code: str, since: datetime) -> dict[str, Any]:
    stock = max(state["general_stock"] or 0, 0)
    price = state["sale_price"]
    return {
        "since": since,
        "stock_held_back": stock,
        "value_held_back": None if price is None else stock * price,
        "currency": state["currency"],
        "said": _said(state, code),
    }


def _said(state: State, code: str) -> set[str]:
    """What the marketplace says of it, each text once."""
    subject, _, number = code.partition("_")
    field = {
        "product": "validation_status",
        "translation": "translation_validation_status",
        "price": "offer_validation_status",
    }
    verdicts = state["verdicts"].get(field.get(subject, ""), [])
    meant = 2 if code == "price_invalid" else int(number) if number.isdigit() else None
    found = set()
    for verdict in verdicts:
        if meant in (None, verdict["value"]):
            found |= {verdict.get("description"), *_messages(verdict.get("errors"))}
    if code == "product_8":
        found |= _messages(state["doc_errors"])
    return {text for text in found if text}


def _messages(errors: list[dict[str, Any]] | None) -> set[str]:
    return {error["message"] for error in errors or []}
