"""The fields that come although the vendor does not document them, in plain types.

Source: docs/marketplace-api.md, "Fields that the docs do not list".
"""

from typing import Any

from emag_pipeline.sandbox.catalogue.chance import Chance
from emag_pipeline.sandbox.catalogue.goods import FAMILIES

Offer = dict[str, Any]

#: Every such field of an offer; `family` has one more key of its own.
EXTRA_FIELDS = (
    "min_sale_price", "max_sale_price", "currency_type", "offer_price_other_currency", "commission", "rrp_guidelines",
    "stock", "availability", "start_date", "start_date_other_currency", "offer_details", "content_details",
    "offer_properties", "brand_name", "attachments", "barcode", "auto_translated", "reversible_vat_charging",
    "recycleWarranties", "has_smart_deals_badge", "weight",
)  # fmt: skip


def extras(offer: Offer, chance: Chance) -> Offer:
    """The further fields of an offer, given the documented ones. Price limits come with the prices."""
    return {
        **_trade(offer, chance),
        "offer_details": _details(offer, chance),
        "content_details": {"id": offer["id"]} if chance.happens(300) else [],
        "offer_properties": [],
        "brand_name": offer["brand"],
        "attachments": [],
        "barcode": offer["ean"][:1],
        "auto_translated": chance.happens(200),
        "reversible_vat_charging": False,
        "recycleWarranties": 0,
        "weight": f"{chance.below(40)}.{chance.below(10)}00000",
        "family": _family(offer["family"]),
    }


def _trade(offer: Offer, chance: Chance) -> Offer:
    days = 2 + chance.below(4)
    begins = f"2026-{1 + chance.below(12):02d}-{1 + chance.below(28):02d}"
    return {
        "currency_type": "RON",
        "offer_price_other_currency": None,
        "commission": None,
        "rrp_guidelines": "RRP input possible" if chance.happens(300) else None,
        "stock": [{"warehouse_id": 1, "value": offer["general_stock"] or 0}],
        "availability": [{"warehouse_id": 1, "value": days if offer["general_stock"] else 5}],
        "start_date": [{"warehouse_id": 1, "value": begins}] if chance.happens(120) else [],
        "start_date_other_currency": [],
        "has_smart_deals_badge": chance.happens(80),
    }


def _details(offer: Offer, chance: Chance) -> Offer:
    return {
        "id": 42_000_000 + offer["id"],
        "warranty_type": 1 + chance.below(2),
        "supply_lead_time": chance.pick((2, 3, 5, 7, 14, 30)),
        "emag_club": chance.happens(250),
    }


def _family(family: Offer | None) -> Offer | None:
    if family is None:
        return None
    kinds = [place for place, name in enumerate(FAMILIES, start=1) if family["name"].endswith(name.lower())]
    return family | {"family_type_id": kinds[0]}
