"""The columns of an offer, defined once for staging, the two published tables and the history.

The order is that of COPY. The names are the attributes of a normalised offer.
"""

from collections.abc import Sequence

#: Columns that change with every order and every repricing (emag_product_offers, emag_offer_states).
NARROW = (
    "part_number_key",
    "part_number",
    "status",
    "sale_price",
    "recommended_price",
    "best_offer_sale_price",
    "best_offer_recommended_price",
    "buy_button_rank",
    "number_of_offers",
    "currency",
    "general_stock",
    "estimated_stock",
    "offer_validation_status",
    "validation_status",
    "translation_validation_status",
    "is_saleable",
    "handling_time",
    "warranty",
    "vat_id",
    "unreadable",
    "min_sale_price",
    "max_sale_price",
    "commission",
    "supply_lead_time",
    "emag_club",
    "has_smart_deals_badge",
    "start_date",
    "stock_by_warehouse",
    "availability_by_warehouse",
)

#: Columns shown on the product's page (emag_products).
WIDE = (
    "name",
    "brand",
    "description",
    "url",
    "safety_information",
    "family_id",
    "family_name",
    "category_id",
    "vendor_category_id",
    "ownership",
    "genius_eligibility",
    "genius_eligibility_type",
    "genius_computed",
    "ean",
    "images",
    "characteristics",
    "validation_details",
    "doc_errors",
    "has_manufacturer",
    "has_eu_representative",
    "family_type_id",
    "rrp_guidelines",
    "auto_translated",
    "raw",
)

#: Fields a commercial row needs; the audit's tolerance counts rows in which one of these cannot be read.
RESTS_ON = ("status", "sale_price", "currency", "general_stock")
#: While one of these is unreadable, its last good value stays published. An offer without a verdict on its translation
#: would count as not translated and could become saleable.
COMMERCIAL = (*RESTS_ON, "translation_validation_status")

#: The columns that the fingerprint of a product covers; `raw` may be written in several equivalent ways.
TEXTS = tuple(column for column in WIDE if column != "raw")

#: Columns that are missing in rows published under earlier rules (with an empty fingerprint): those of migration 0005,
#: and `raw`, which holds less since then.
YOUNG_NARROW = NARROW[NARROW.index("unreadable") :]
YOUNG_WIDE = ("family_type_id", "rrp_guidelines", "auto_translated", "raw")

#: Columns of a staged offer: key, fingerprints, everything else. An unchanged offer has only those in UNCHANGED.
UNCHANGED = ("emag_offer_id", "row_hash", "content_hash")
STAGED = ("emag_offer_id", "row_hash", "content_hash", "row_digest", "noticed", *NARROW, *WIDE)


def hashed(columns: Sequence[str], alias: str) -> str:
    """An SQL expression for a hash of these columns.

    It hashes their text: PostgreSQL's hash of a record is equal for 0 and null, for -1 and 1, and for arrays with the
    same elements but other dimensions.
    """
    return f"hashtextextended(CAST(ROW({listed(columns, alias)}) AS text), 0)"


def listed(columns: Sequence[str], alias: str = "") -> str:
    """The columns as SQL, each with the alias: `s.status, s.sale_price`."""
    return ", ".join(f"{alias}.{column}" if alias else column for column in columns)
