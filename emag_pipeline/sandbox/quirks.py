"""PHP's variants of a row: the same values in looser types.

Source: docs/marketplace-api.md, "Types and spellings".

A deterministic share of rows is affected. No value is lost: a lenient reader can restore the true offer.
"""

from typing import Any

from emag_pipeline.sandbox.catalogue.catalogue import Offer
from emag_pipeline.sandbox.catalogue.chance import Chance

_PRICES = ("sale_price", "recommended_price", "best_offer_sale_price", "best_offer_recommended_price")
_COUNTS = ("status", "general_stock", "estimated_stock", "warranty", "vat_id", "category_id", "number_of_offers")
_ABSENT_NUMBERS = ("recommended_price", "best_offer_recommended_price", "general_stock", "genius_eligibility_type")
_LISTS = ("ean", "images", "characteristics", "handling_time", "validation_status")
_ABSENT_OBJECTS = ("family", "doc_errors")


def as_php(offer: Offer, key: tuple[object, ...], share: float) -> Offer:
    """The offer as it is sent: unchanged, or with some fields in PHP's types."""
    chance = Chance(*key, offer["id"], "php")
    if not share or not chance.happens(round(share * 1000)):
        return offer
    served = dict(offer)
    if chance.happens(500):
        _numbers_as_text(served, chance)
    if chance.happens(500):
        _absent_as_empty(served, chance)
    for name in _LISTS:
        if chance.happens(300):
            served[name] = _list_as_object(served[name])
    return served


def row_as_php(row: dict[str, Any], key: tuple[object, ...], share: float) -> dict[str, Any]:
    """A row of reference data as it is sent: unchanged, or with some of its numbers as text and null as ""."""
    chance = Chance(*key, "php")
    if not chance.happens(round(share * 1000)):
        return row
    return {name: _in_php(value) if chance.happens(600) else value for name, value in row.items()}


def _in_php(value: Any) -> Any:
    if value is None:
        return ""
    return str(value) if isinstance(value, int | float) else value


def _numbers_as_text(offer: Offer, chance: Chance) -> None:
    for name in _PRICES:
        if isinstance(offer[name], float):
            offer[name] = f"{offer[name]:.4f}"
    for name in _COUNTS:
        if type(offer[name]) is int and chance.happens(600):
            offer[name] = str(offer[name])
    if type(offer["id"]) is int and chance.happens(300):
        offer["id"] = str(offer["id"])


def _absent_as_empty(offer: Offer, chance: Chance) -> None:
    for name in _ABSENT_NUMBERS:
        if offer[name] is None:
            offer[name] = ""
    for name in _ABSENT_OBJECTS:
        if offer[name] is None:
            offer[name] = []


def _list_as_object(items: Any) -> Any:
    return {str(place): item for place, item in enumerate(items)} if isinstance(items, list) and items else items
