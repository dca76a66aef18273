"""What is known of an offer's fields: which there are, where each is held, which codes they may have.

Source: docs/marketplace-api.md, "Offer fields", "Fields that the docs do not list", "Validation statuses".
"""

from collections.abc import Mapping, Sequence

from emag_pipeline.api.reading import Reading

VERDICTS = ("validation_status", "translation_validation_status", "offer_validation_status")
#: contacts, each with the column that tells whether there are any
CONTACTS = {"manufacturer": "has_manufacturer", "eu_representative": "has_eu_representative"}
#: fields that may repeat what the seller had sent (`seller_input`)
MAY_REPEAT_INPUT = frozenset({*VERDICTS, "doc_errors"})
OF_WAREHOUSE = ("warehouse_id", "value", "id")
OF_DETAILS = frozenset({"supply_lead_time", "emag_club"})
OF_FAMILY = frozenset({"id", "name", "family_type_id"})

#: Fields whose value the narrow table holds, at the top of a row or in its `offer_details`.
IN_NARROW = frozenset(
    {
        "part_number_key", "part_number", "status", "sale_price", "recommended_price", "best_offer_sale_price",
        "best_offer_recommended_price", "buy_button_rank", "number_of_offers", "currency", "general_stock",
        "estimated_stock", *VERDICTS, "handling_time", "warranty", "vat_id", "min_sale_price", "max_sale_price",
        "commission", *OF_DETAILS, "has_smart_deals_badge", "start_date", "stock", "availability",
    }
)  # fmt: skip

#: Fields whose whole value is in typed columns: the fingerprints know it already.
IN_COLUMNS = IN_NARROW | {
    "id", "name", "brand", "description", "url", "safety_information", "category_id", "vendor_category_id",
    "ownership", "genius_eligibility", "genius_eligibility_type", "genius_computed", "ean", "images",
    "characteristics", "doc_errors", *CONTACTS, "rrp_guidelines", "auto_translated",
}  # fmt: skip

#: Fields that only `raw` holds, whole or in part.
_IN_RAW = frozenset(
    {
        "family", "offer_details", "currency_type", "offer_price_other_currency", "start_date_other_currency",
        "content_details", "offer_properties", "brand_name", "attachments", "barcode", "reversible_vat_charging",
        "recycleWarranties", "weight",
    }
)  # fmt: skip
FIELDS = IN_COLUMNS | _IN_RAW

_VALIDATION = frozenset({0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12})
_CODES: Mapping[str, frozenset[int]] = {
    "status": frozenset({0, 1, 2}),
    "ownership": frozenset({1, 2}),
    "offer_validation_status": frozenset({1, 2}),
    "genius_eligibility": frozenset({0, 1}),
    "genius_eligibility_type": frozenset({0, 1, 2, 3}),  # 0: as in the programme's other two fields, none
    "genius_computed": frozenset({0, 1, 2, 3}),
}
_LISTS_OF_CODES: Mapping[str, frozenset[int]] = {
    "validation_status": _VALIDATION,
    "translation_validation_status": _VALIDATION | {13, 14, 15, 16, 17},
}


def notice_unknown(reading: Reading, columns: Mapping[str, object]) -> None:
    """Notice the row's unknown fields, and the codes among its columns that are not documented."""
    for name in sorted(reading.row.keys() - FIELDS):
        reading.notice(name, "unknown field", reading.row[name])
    for name, known in _CODES.items():
        if columns[name] is not None and columns[name] not in known:
            reading.notice(name, "unknown code", columns[name])
    for name, known in _LISTS_OF_CODES.items():
        found = columns[name]
        if isinstance(found, Sequence) and not known.issuperset(found):
            reading.notice(name, "unknown code", next(code for code in found if code not in known))
