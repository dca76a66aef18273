"""Why an offer cannot be bought, and since when."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from emag_pipeline.sandbox.catalogue.validation import SALEABLE, SALEABLE_TRANSLATION
from emag_pipeline_tests.month.judge.low_stock import Pace, paces_of
from emag_pipeline_tests.month.judge.numbers import rounded
from emag_pipeline_tests.month.past import Offers, Past, State

_STATUS = {0: {"inactive"}, 1: set(), 2: {"end_of_life"}}
_PRICE = {1: set(), 2: {"price_invalid"}}
_FIELDS = {
    "product": "validation_status",
    "translation": "translation_validation_status",
    "price": "offer_validation_status",
}
#: characters of a sentence
_LONGEST = 400


def codes(state: State) -> set[str]:
    """Every reason why an offer in this state cannot be bought."""
    stock, product = state["general_stock"], set(state["validation_status"])
    translation = set(state["translation_validation_status"])
    found = {"stock_unknown"} if stock is None else {"out_of_stock"} if stock <= 0 else set()
    found |= set() if state["sale_price"] and state["sale_price"] > 0 else {"no_price"}
    found |= _STATUS.get(state["status"], {"status_unknown"})
    found |= _PRICE.get(state["offer_validation_status"], {"price_not_validated"})
    found |= {f"product_{code}" for code in product - SALEABLE} if product else {"product_not_validated"}
    return found | {f"translation_{code}" for code in translation - SALEABLE_TRANSLATION}


def expected(past: Past, account: str) -> dict[tuple[int, str], dict[str, Any]]:
    """The rows of emag_offer_issues of an account, by offer and code."""
    begun = _since(past, account)
    offers, paces = past.newest(account).offers, paces_of(past, account)
    return {
        (offer_id, code): _row(offers[offer_id], code, since, paces.get(offer_id))
        for (offer_id, code), since in begun.items()
    }


def _since(past: Past, account: str) -> Mapping[tuple[int, str], datetime]:
    """The publish at which each present issue began; an offer that was away begins anew."""
    begun: dict[tuple[int, str], datetime] = {}
    for publish in past.publishes[account]:
        begun = {key: begun.get(key, publish.at) for key in _issues(publish.offers)}
    return begun


def _issues(offers: Offers) -> Iterator[tuple[int, str]]:
    for offer_id, state in offers.items():
        yield from ((offer_id, code) for code in codes(state))


def _row(state: State, code: str, since: datetime, pace: Pace | None) -> dict[str, Any]:
    stock = max(state["general_stock"] or 0, 0)
    price = state["sale_price"]
    return {
        "since": since,
        "stock_held_back": stock,
        "value_held_back": None if price is None else stock * price,
        "sales_lost_a_day": _lost(code, pace, price),
        "currency": state["currency"],
        "said": _said(state, code),
    }


def _lost(code: str, pace: Pace | None, price: Decimal | None) -> Decimal | None:
    """What the offer sold a day, in money, where it is sold out."""
    if code != "out_of_stock" or pace is None or price is None:
        return None
    return rounded(pace.a_day * Fraction(price), 2)


def _said(state: State, code: str) -> str | None:
    """Why the marketplace refused: errors, then warnings, each once; else its name of the verdict."""
    subject, _, number = code.partition("_")
    meant = 2 if code == "price_invalid" else int(number) if number.isdigit() else None
    verdicts = [one for one in state["verdicts"].get(_FIELDS.get(subject), []) if meant in (None, one["value"])]
    held = [one.get("errors") for one in verdicts] + ([state["doc_errors"]] if code == "product_8" else [])
    told = [text for kind in ("errors", "warnings") for errors in held for text in _texts(errors, kind)]
    sentence = "; ".join(dict.fromkeys(told or [one["description"] for one in verdicts]))
    return (sentence if len(sentence) <= _LONGEST else f"{sentence[:_LONGEST].rpartition(' ')[0].rstrip(';')}…") or None


def _texts(errors: Any, kind: str) -> Iterator[str]:
    """Of both forms: an object of errors and warnings, or a list of errors."""
    for item in (errors.get(kind) if isinstance(errors, dict) else errors if kind == "errors" else None) or []:
        if "user_message" in item:
            for told in item["user_message"]:
                yield from (told["error_description"], *(reason["seller_text"] for reason in told["reasons"]))
        else:
            extra = f" ({item['extraInfo']})" if item.get("extraInfo") else ""
            yield _in_romanian(item["message"]) + extra


def _in_romanian(message: Any) -> str:
    if isinstance(message, str):
        return message
    return str(message.get("ro_RO") or message.get("en_GB"))
