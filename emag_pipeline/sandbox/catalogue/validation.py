"""The marketplace's verdicts on a product, its translation and its price, and what follows for selling.

Source: docs/marketplace-api.md, "Validation statuses", "When an offer can be bought".
"""

from collections.abc import Mapping
from typing import Any

from emag_pipeline.sandbox.catalogue import reasons
from emag_pipeline.sandbox.catalogue.chance import Chance
from emag_pipeline.sandbox.catalogue.reading import number, unreadable, verdict_codes, whole

DESCRIPTIONS: dict[int, str] = {
    0: "Draft",
    1: "In marketplace validation",
    2: "Awaiting brand validation",
    3: "Awaiting EAN approval",
    4: "New documentation awaiting validation",
    5: "Brand rejected",
    6: "EAN rejected",
    8: "Documentation rejected",
    9: "Documentation approved",
    10: "Blocked",
    11: "Update awaiting approval",
    12: "Update rejected",
    13: "Waiting for a saleable offer",
    14: "Translation failed",
    15: "Being translated",
    16: "Translation pending",
    17: "Partial translation, published",
}
SALEABLE = frozenset({3, 9, 11, 12})
SALEABLE_TRANSLATION = SALEABLE | {17}
DRAFT = 0
LOST_EAN_CONFLICT = 6
REFUSED = frozenset({5, 6, 8, 12, 14})

_COMMON = (9,) * 14 + (11,) * 3 + (12,) * 2 + (3,)
_RARE = (0, 1, 2, 4, 5, 6, 8, 10)
_RARE_TRANSLATION = (0, 1, 2, 4, 5, 6, 8, 10, 13, 14, 15, 16)
_TRANSLATION = (9,) * 10 + (17,) * 4 + (11,) * 2 + (12, 3)


def product_code(chance: Chance, turn: int) -> int:
    """The product's validation code. Rare codes come in turn, so that 200 offers hold every one of them."""
    return _RARE[turn // 13 % len(_RARE)] if turn % 13 == 0 else chance.pick(_COMMON)


def translation_code(chance: Chance, turn: int) -> int | None:
    """The translation's code, None for a product that is not translated; every code occurs in 400 offers."""
    if turn % 5:
        return None
    tenth = turn // 5
    return _RARE_TRANSLATION[tenth // 6 % 12] if tenth % 6 == 0 else chance.pick(_TRANSLATION)


def verdict(code: int, offer_id: int, chance: Chance) -> dict[str, Any]:
    """One element of `validation_status` or `translation_validation_status`."""
    errors = None
    if code in REFUSED:
        errors = reasons.refused(offer_id, chance)
    elif chance.happens(40):
        errors = reasons.improvable(offer_id, chance)
    return {"value": code, "description": DESCRIPTIONS[code], "errors": errors}


def documentation_errors(code: int, chance: Chance) -> list[dict[str, Any]] | None:
    """The value of `doc_errors`: None unless the documentation was refused, and even then in half of the cases."""
    return reasons.documentation_errors(chance) if code == 8 and chance.happens(500) else None


def codes(verdicts: object) -> list[int]:
    """The bare codes of verdicts: none at all where one of them cannot be read."""
    return verdict_codes(verdicts) or []


def is_saleable(offer: Mapping[str, Any]) -> bool:
    """True when a customer can buy it: stock, status, price and every verdict say so, and all can be read."""
    product = codes(offer.get("validation_status"))
    return (
        not unreadable(offer)
        and (number(offer.get("general_stock")) or 0) > 0
        and (number(offer.get("sale_price")) or 0) > 0
        and whole(offer.get("status")) == 1
        and max(codes(offer.get("offer_validation_status")), default=None) == 1
        and bool(product)
        and SALEABLE.issuperset(product)
        and SALEABLE_TRANSLATION.issuperset(codes(offer.get("translation_validation_status")))
    )
