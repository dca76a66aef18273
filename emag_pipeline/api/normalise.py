"""A row of the marketplace becomes an offer, or a reject that says why it cannot (emag-api.md, sections 5 and 8)."""

from typing import Any

from emag_pipeline.api import fields, fingerprint, structures
from emag_pipeline.api.fields import BIGINT, INTEGER, SMALLINT, Row, Unreadable
from emag_pipeline.api.json_text import ascii_only, canonical, shown
from emag_pipeline.api.offer import Offer, Reject
from emag_pipeline.api.saleable import is_saleable
from emag_pipeline.api.storable import raw_text
from emag_pipeline.api.structures import Verdict

#: Every field that section 5 names; others are kept in `raw` and count for the content's fingerprint.
KNOWN_FIELDS = frozenset(
    {
        "id", "part_number_key", "part_number", "name", "brand", "description", "url", "category_id",
        "vendor_category_id", "ownership", "number_of_offers", "buy_button_rank", "best_offer_sale_price",
        "best_offer_recommended_price", "sale_price", "recommended_price", "currency", "general_stock",
        "estimated_stock", "status", "warranty", "vat_id", "ean", "images", "characteristics", "family",
        "handling_time", "validation_status", "translation_validation_status", "offer_validation_status",
        "doc_errors", "genius_eligibility", "genius_eligibility_type", "genius_computed", "manufacturer",
        "eu_representative", "safety_information",
    }
)  # fmt: skip
_VERDICTS = ("validation_status", "translation_validation_status", "offer_validation_status")


def normalise(row: object) -> Offer | Reject:
    """The row as an offer. Never raises: what cannot be represented is a reject, whatever JSON it is."""
    offer_id: int | None = None
    try:
        if not isinstance(row, dict):
            raise Unreadable(f"the row is {shown(row)}, not an object")
        offer_id = fields.offer_id(row)
        return _offer(offer_id, row)
    except Unreadable as problem:
        return Reject(offer_id, str(problem), ascii_only(row))


def _offer(offer_id: int, row: Row) -> Offer:
    raw = raw_text(row)
    found = {name: structures.verdicts(row, name) for name in _VERDICTS}
    narrow = _commercial(row, found)
    wide = _content(row, found)
    unknown = {name: structures.plain(row[name]) for name in row.keys() - KNOWN_FIELDS}
    return Offer(
        emag_offer_id=offer_id,
        row_hash=fingerprint.of_values(narrow.values()),
        content_hash=fingerprint.of_values([*wide.values(), structures.given(unknown)]),
        **narrow,
        **wide,
        raw=raw,
    )


def _commercial(row: Row, found: dict[str, list[Verdict]]) -> dict[str, Any]:
    """What moves with orders and repricing."""
    standing: dict[str, Any] = {
        "general_stock": fields.stock(row, "general_stock"),
        "status": fields.whole(row, "status", SMALLINT),
        # several verdicts on one price: the worst counts
        "offer_validation_status": max(structures.codes(found["offer_validation_status"]), default=None),
        "validation_status": structures.codes(found["validation_status"]),
        "translation_validation_status": structures.codes(found["translation_validation_status"]),
    }
    return standing | {
        "part_number_key": fields.text(row, "part_number_key"),
        "part_number": fields.text(row, "part_number"),
        "sale_price": fields.price(row, "sale_price"),
        "recommended_price": fields.price(row, "recommended_price"),
        "best_offer_sale_price": fields.price(row, "best_offer_sale_price"),
        "best_offer_recommended_price": fields.price(row, "best_offer_recommended_price"),
        "buy_button_rank": fields.whole(row, "buy_button_rank", INTEGER),
        "number_of_offers": fields.whole(row, "number_of_offers", INTEGER),
        "currency": fields.text(row, "currency"),
        "estimated_stock": fields.stock(row, "estimated_stock"),
        "is_saleable": is_saleable(**standing),
        "handling_time": structures.items(row, "handling_time", numbers=("warehouse_id", "value")),
        "warranty": fields.whole(row, "warranty", INTEGER),
        "vat_id": fields.whole(row, "vat_id", BIGINT),
    }


def _content(row: Row, found: dict[str, list[Verdict]]) -> dict[str, Any]:
    """What a product's page shows, without the row itself."""
    family_id, family_name = structures.family(row)
    details = {name: verdicts for name, verdicts in found.items() if verdicts}
    return {
        "name": fields.text(row, "name"),
        "brand": fields.text(row, "brand"),
        "description": fields.text(row, "description"),
        "url": fields.text(row, "url"),
        "safety_information": fields.text(row, "safety_information"),
        "family_id": family_id,
        "family_name": family_name,
        "category_id": fields.whole(row, "category_id", BIGINT),
        "vendor_category_id": fields.whole(row, "vendor_category_id", BIGINT),
        "ownership": fields.whole(row, "ownership", SMALLINT),
        "genius_eligibility": fields.genius(row, "genius_eligibility"),
        "genius_eligibility_type": fields.genius(row, "genius_eligibility_type"),
        "genius_computed": fields.genius(row, "genius_computed"),
        "ean": structures.eans(row),
        "images": structures.items(row, "images", numbers=("display_type",)),
        "characteristics": structures.items(row, "characteristics", numbers=("id",), texts=("value",)),
        "validation_details": canonical(details) if details else None,
        "doc_errors": structures.errors(row, "doc_errors"),
        "has_manufacturer": fields.is_given(row, "manufacturer"),
        "has_eu_representative": fields.is_given(row, "eu_representative"),
    }
