"""An offer of the sandbox as it must stand in the database, worked out independently of the pipeline's normalising."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

#: column → field of the marketplace, where both hold the same plain value
_PLAIN = {
    name: name
    for name in (
        "part_number_key", "part_number", "status", "buy_button_rank", "number_of_offers", "currency",
        "general_stock", "estimated_stock", "warranty", "vat_id", "name", "brand", "description", "url",
        "safety_information", "category_id", "vendor_category_id", "ownership", "genius_eligibility",
        "genius_eligibility_type", "genius_computed", "ean", "images", "characteristics", "handling_time", "doc_errors",
    )
} | {"has_manufacturer": "manufacturer", "has_eu_representative": "eu_representative"}  # fmt: skip
_PRICES = ("sale_price", "recommended_price", "best_offer_sale_price", "best_offer_recommended_price")
_CODES = ("validation_status", "translation_validation_status")


def as_stored(offer: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of both published tables that the marketplace tells. Prices are Decimal, without VAT."""
    family = offer["family"] or {}
    (price_status,) = offer["offer_validation_status"]
    return {
        **{column: offer[field] for column, field in _PLAIN.items()},
        **{name: None if offer[name] is None else Decimal(str(offer[name])) for name in _PRICES},
        **{name: [one["value"] for one in offer[name]] for name in _CODES},
        "offer_validation_status": price_status["value"],
        "family_id": family.get("id"),
        "family_name": family.get("name"),
    }
