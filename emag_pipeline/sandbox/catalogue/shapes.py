"""The shapes of offers seen from real accounts, and the true content of an offer in such a shape.

Source: docs/marketplace-api.md, "Offer fields", "Types and spellings".

The catalogue's own offers have plain types and every field. `served` converts one to what is sent, `true` to the
result that a correct reader must reach: both from the same draws, neither from the other. Fields edited by hand are
sent unchanged.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emag_pipeline.sandbox.catalogue.chance import Chance
from emag_pipeline.sandbox.catalogue.content import EXTRA_FIELDS
from emag_pipeline.sandbox.catalogue.reading import number

Offer = dict[str, Any]

_BY_WAREHOUSE = ("handling_time", "stock", "availability", "start_date")
_FLAGS = ("auto_translated", "has_smart_deals_badge")
_TEXTS = (
    "part_number_key", "part_number", "name", "brand", "description", "url", "safety_information", "currency",
    "rrp_guidelines", "brand_name", "currency_type",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shapes:
    """The shapes of one account's offers: a share of them as seen from real accounts, the others as documented."""

    seed: int
    account: str
    share: float

    def true(self, offer: Offer, edits: Mapping[str, Any]) -> Offer:
        """The offer in plain types, without the fields that are not served."""
        held, is_shaped, _ = self._held(offer)
        if is_shaped:
            held["ownership"] = None  # the document does not define a boolean
        return held | {name: meant(name, value) for name, value in edits.items()}

    def served(self, offer: Offer) -> Offer:
        """The offer as it is sent, without its edits."""
        held, is_shaped, chance = self._held(offer)
        return _shaped(held, chance) if is_shaped else held

    def _held(self, offer: Offer) -> tuple[Offer, bool, Chance]:
        chance = Chance(self.seed, self.account, offer["id"], "shape")
        if not chance.happens(round(self.share * 1000)):
            return _documented(offer), False, chance
        held = dict(offer)
        for name in _BY_WAREHOUSE:
            if len(held[name]) == 1 and chance.happens(600):
                held[name] = [{"value": held[name][0]["value"]}]
        return held, True, chance


def _documented(offer: Offer) -> Offer:
    held = {name: value for name, value in offer.items() if name not in EXTRA_FIELDS}
    if held["family"]:
        held["family"] = {name: held["family"][name] for name in ("id", "name")}
    return held


def _shaped(held: Offer, chance: Chance) -> Offer:
    (verdict,) = held["offer_validation_status"]
    details, listed = held["offer_details"], held["recommended_price"]
    as_numbers = chance.happens(700)
    return held | {
        "ownership": held["ownership"] == 1,
        "offer_validation_status": verdict | {"errors": None},
        "recommended_price": 0 if listed is None and chance.happens(800) else listed,
        "offer_details": details | {"emag_club": int(details["emag_club"])} if as_numbers else details,
        **{name: int(held[name]) if as_numbers else held[name] for name in _FLAGS},
        **{name: "" for name in _TEXTS if held[name] is None and chance.happens(500)},
    }


def meant(name: str, value: Any) -> Any:
    """The meaning of an edited or invented value, if it is known; else the value itself."""
    if name in _TEXTS and value == "":
        return None
    if name == "currency" and isinstance(value, str):
        return value.strip().upper() or None
    if name == "recommended_price" and number(value) == 0:
        return None
    if name == "ownership" and isinstance(value, bool):
        return None
    return value
