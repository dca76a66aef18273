"""Turns a row of the marketplace into an offer, or into a reject with a reason.

Only the id is required to identify the offer. Any other field that cannot be read becomes null, its value stays in
`raw`, and a surprise is recorded. Source: docs/marketplace-api.md, "Offer fields", "Types and spellings".
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from emag_pipeline.marketplace import fields, fingerprint
from emag_pipeline.marketplace.fields import BIGINT, INTEGER, SMALLINT, UnreadableValue, Verdict
from emag_pipeline.marketplace.json_text import ascii_only, canonical, compact, shown
from emag_pipeline.marketplace.reading import RowReading, reading_of
from emag_pipeline.marketplace.surprises import as_text, without_people, without_seller_input
from emag_pipeline.model import Offer, Reject

# The known fields of an offer: where each is stored, and which codes it may have.
#
# Source: docs/marketplace-api.md, "Offer fields", "Fields that the docs do not list", "Validation statuses".

_VERDICTS = ("validation_status", "translation_validation_status", "offer_validation_status")
#: contacts, each with the column that records whether there are any
_CONTACTS = {"manufacturer": "has_manufacturer", "eu_representative": "has_eu_representative"}
#: fields that may repeat the seller's input (`seller_input`)
_MAY_REPEAT_INPUT = frozenset({*_VERDICTS, "doc_errors"})
_OF_WAREHOUSE = ("warehouse_id", "value", "id")
OF_DETAILS = frozenset({"supply_lead_time", "emag_club"})
_OF_FAMILY = frozenset({"id", "name", "family_type_id"})

#: Fields stored in the narrow table, from the top level of a row or from its `offer_details`.
_IN_NARROW = frozenset(
    {
        "part_number_key", "part_number", "status", "sale_price", "recommended_price", "best_offer_sale_price",
        "best_offer_recommended_price", "buy_button_rank", "number_of_offers", "currency", "general_stock",
        "estimated_stock", *_VERDICTS, "handling_time", "warranty", "vat_id", "min_sale_price", "max_sale_price",
        "commission", *OF_DETAILS, "has_smart_deals_badge", "start_date", "stock", "availability",
    }
)  # fmt: skip

#: Fields stored completely in typed columns, and so already covered by the fingerprints.
_IN_COLUMNS = _IN_NARROW | {
    "id", "name", "brand", "description", "url", "safety_information", "category_id", "vendor_category_id",
    "ownership", "genius_eligibility", "genius_eligibility_type", "genius_computed", "ean", "images",
    "characteristics", "doc_errors", *_CONTACTS, "rrp_guidelines", "auto_translated",
}  # fmt: skip

#: Fields stored completely or partly in `raw` only.
_IN_RAW = frozenset(
    {
        "family", "offer_details", "currency_type", "offer_price_other_currency", "start_date_other_currency",
        "content_details", "offer_properties", "brand_name", "attachments", "barcode", "reversible_vat_charging",
        "recycleWarranties", "weight",
    }
)  # fmt: skip
FIELDS = _IN_COLUMNS | _IN_RAW

_VALIDATION = frozenset({0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12})
_CODES: Mapping[str, frozenset[int]] = {
    "status": frozenset({0, 1, 2}),
    "ownership": frozenset({1, 2}),
    "offer_validation_status": frozenset({1, 2}),
    "genius_eligibility": frozenset({0, 1}),
    "genius_eligibility_type": frozenset({0, 1, 2, 3}),  # 0 means none, as in the programme's other two fields
    "genius_computed": frozenset({0, 1, 2, 3}),
}
_LISTS_OF_CODES: Mapping[str, frozenset[int]] = {
    "validation_status": _VALIDATION,
    "translation_validation_status": _VALIDATION | {13, 14, 15, 16, 17},
}


# When an offer is saleable (docs/marketplace-api.md, "When an offer can be bought").

_SALEABLE = frozenset({3, 9, 11, 12})
_SALEABLE_TRANSLATION = _SALEABLE | {17}


def is_saleable(
    *,
    general_stock: int | None,
    sale_price: Decimal | None,
    status: int | None,
    offer_validation_status: int | None,
    validation_status: Sequence[int],
    translation_validation_status: Sequence[int],
    unreadable: Sequence[str],
) -> bool:
    """True when a customer can buy the offer: in stock, active, with a valid price, product and translation accepted.

    A price of 0 means no price, whatever its validation status: the marketplace returns 0 if it has none.
    At least one validation code is required, and every one must allow the sale; translation codes are only required to
    allow it if there are any. An offer with an unreadable commercial field is never saleable.
    """
    return (
        not unreadable
        and (general_stock or 0) > 0
        and (sale_price or 0) > 0
        and status == 1
        and offer_validation_status == 1
        and bool(validation_status)
        and _SALEABLE.issuperset(validation_status)
        and _SALEABLE_TRANSLATION.issuperset(translation_validation_status)
    )


def normalise(row: object, row_digest: bytes | None = None) -> Offer | Reject:
    """The row as an offer. Never raises: a row without a usable id, or any other JSON value, becomes a reject.

    The offer gets `row_digest` (the fingerprint of the row's text) unless a commercial field is unreadable.
    """
    try:
        if not isinstance(row, dict):
            raise UnreadableValue(f"the row is {shown(row)}, not an object", field="")
        return _offer(fields.offer_id(row), reading_of(row), row_digest)
    except UnreadableValue as problem:
        return Reject(None, str(problem), ascii_only(without_people(row)))


def _offer(offer_id: int, reading: RowReading, row_digest: bytes | None) -> Offer:
    verdicts = {name: reading.field(fields.verdicts, name) or [] for name in _VERDICTS}
    family, details = reading.part("family"), reading.part("offer_details")
    narrow = _commercial(reading, details, verdicts)
    wide = _content(reading, family, verdicts)
    _notice_unknown(reading, narrow | wide)
    rest = _rest(reading, details, wide)
    surprises = reading.surprises()
    return Offer(
        emag_offer_id=offer_id,
        row_hash=fingerprint.of_values(narrow.values()),
        content_hash=fingerprint.of_values([*wide.values(), fields.filled(_leftover(reading, family, rest))]),
        row_digest=None if narrow["unreadable"] else row_digest,
        noticed=as_text(surprises),
        **narrow,
        **wide,
        raw=compact(rest),
        surprises=surprises,
    )


def _rest(reading: RowReading, details: RowReading, wide: dict[str, Any]) -> dict[str, object]:
    """The row without the fields of the narrow table; contacts only as whether there are any, as pages show them."""
    rest = {name: value for name, value in reading.row.items() if name not in _IN_NARROW or name in reading.kept}
    if details.row:
        rest["offer_details"] = {
            name: value
            for name, value in details.row.items()
            if name not in OF_DETAILS or name in details.kept or name in reading.row
        }
    for name in rest.keys() & _MAY_REPEAT_INPUT:
        rest[name] = without_seller_input(rest[name])
    for name, column in _CONTACTS.items():
        if wide[column] is not None:
            rest[name] = wide[column]
        elif isinstance(rest.get(name), str):
            rest[name] = bool(rest[name])
    return rest


def _leftover(reading: RowReading, family: RowReading, rest: dict[str, object]) -> dict[str, object]:
    """The values that no column holds. Unreadable values are wrapped in a list, so that even [] is not "not given"."""
    leftover = {name: value for name, value in rest.items() if name not in _IN_COLUMNS}
    leftover |= {name: [rest[name]] for name in reading.kept}
    if family.row:
        leftover["family"] = {
            name: value for name, value in family.row.items() if name not in _OF_FAMILY or name in family.kept
        }
    if isinstance(rest.get("ownership"), bool):
        leftover["ownership"] = rest["ownership"]
    return leftover


def _commercial(reading: RowReading, details: RowReading, verdicts: dict[str, list[Verdict]]) -> dict[str, Any]:
    """The columns of NARROW, which change with orders and repricing."""
    read = reading.field
    rests_on: dict[str, Any] = {
        "sale_price": read(fields.price, "sale_price"),
        "currency": read(fields.currency, "currency"),
        "general_stock": read(fields.whole, "general_stock", BIGINT),
        "status": read(fields.whole, "status", SMALLINT),
    }
    standing: dict[str, Any] = {
        # of several verdicts on the price the worst counts
        "offer_validation_status": max(fields.codes(verdicts["offer_validation_status"]), default=None),
        "validation_status": fields.codes(verdicts["validation_status"]),
        "translation_validation_status": fields.codes(verdicts["translation_validation_status"]),
        # only the translation's verdict is listed: an offer without one counts as not translated and may be saleable
        "unreadable": tuple(
            [
                name
                for name in (*rests_on, "translation_validation_status")
                if name in reading.kept and not _is_stock_in_words(reading, name)
            ]
        ),
    }
    return (
        rests_on
        | standing
        | {
            "is_saleable": is_saleable(
                general_stock=rests_on["general_stock"],
                sale_price=rests_on["sale_price"],
                status=rests_on["status"],
                **standing,
            ),
            "part_number_key": read(fields.text, "part_number_key"),
            "part_number": read(fields.text, "part_number"),
            "recommended_price": read(fields.recommended_price, "recommended_price"),
            "best_offer_sale_price": read(fields.price, "best_offer_sale_price"),
            "best_offer_recommended_price": read(fields.price, "best_offer_recommended_price"),
            "min_sale_price": read(fields.price, "min_sale_price"),
            "max_sale_price": read(fields.price, "max_sale_price"),
            "commission": read(fields.price, "commission"),
            "buy_button_rank": read(fields.whole, "buy_button_rank", INTEGER),
            "number_of_offers": read(fields.whole, "number_of_offers", INTEGER),
            "estimated_stock": read(fields.whole, "estimated_stock", BIGINT),
            "warranty": read(fields.whole, "warranty", INTEGER),
            "vat_id": read(fields.whole, "vat_id", BIGINT),
            "has_smart_deals_badge": read(fields.flag, "has_smart_deals_badge"),
            "supply_lead_time": _holder(reading, details, "supply_lead_time").field(
                fields.whole, "supply_lead_time", INTEGER
            ),
            "emag_club": _holder(reading, details, "emag_club").field(fields.flag, "emag_club"),
            "start_date": read(fields.dates, "start_date"),
            "handling_time": read(fields.items, "handling_time", numbers=_OF_WAREHOUSE),
            "stock_by_warehouse": read(fields.items, "stock", numbers=_OF_WAREHOUSE),
            "availability_by_warehouse": read(fields.items, "availability", numbers=_OF_WAREHOUSE),
        }
    )


def _holder(reading: RowReading, details: RowReading, name: str) -> RowReading:
    """Which of the two has the field: the row itself or its `offer_details`."""
    return reading if name in reading.row else details


def _is_stock_in_words(reading: RowReading, name: str) -> bool:
    """Whether the stock is given in words instead of a number: it is unknown, but not an error.

    Source: docs/marketplace-api.md, "Prices, stock and VAT".
    """
    value = reading.row[name]
    return name == "general_stock" and isinstance(value, str) and not fields.is_numeric(value)


def _content(reading: RowReading, family: RowReading, verdicts: dict[str, list[Verdict]]) -> dict[str, Any]:
    """The columns of WIDE, shown on the product's page, without `raw`."""
    read = reading.field
    details = {name: found for name, found in verdicts.items() if found}
    return {
        "name": read(fields.text, "name"),
        "brand": read(fields.text, "brand"),
        "description": read(fields.text, "description"),
        "url": read(fields.text, "url"),
        "safety_information": read(fields.text, "safety_information"),
        "family_id": family.field(fields.whole, "id", BIGINT),
        "family_name": family.field(fields.text, "name"),
        "category_id": read(fields.whole, "category_id", BIGINT),
        "vendor_category_id": read(fields.whole, "vendor_category_id", BIGINT),
        "ownership": read(fields.ownership, "ownership"),
        "genius_eligibility": read(fields.genius, "genius_eligibility"),
        "genius_eligibility_type": read(fields.genius, "genius_eligibility_type"),
        "genius_computed": read(fields.genius, "genius_computed"),
        "ean": read(fields.eans, "ean") or (),
        "images": read(fields.items, "images", numbers=("display_type",)),
        "characteristics": read(fields.items, "characteristics", numbers=("id",), texts=("value",)),
        "validation_details": canonical(details) if details else None,
        "doc_errors": read(fields.errors, "doc_errors"),
        "has_manufacturer": read(fields.is_given, "manufacturer"),
        "has_eu_representative": read(fields.is_given, "eu_representative"),
        "family_type_id": family.field(fields.whole, "family_type_id", BIGINT),
        "rrp_guidelines": read(fields.text, "rrp_guidelines"),
        "auto_translated": read(fields.flag, "auto_translated"),
    }


def _notice_unknown(reading: RowReading, columns: Mapping[str, object]) -> None:
    """Record surprises for the row's unknown fields and for undocumented codes in its columns."""
    for name in sorted(reading.row.keys() - FIELDS):
        reading.notice(name, "unknown field", reading.row[name])
    for name, known in _CODES.items():
        if columns[name] is not None and columns[name] not in known:
            reading.notice(name, "unknown code", columns[name])
    for name, known in _LISTS_OF_CODES.items():
        found = columns[name]
        if isinstance(found, Sequence) and not known.issuperset(found):
            reading.notice(name, "unknown code", next(code for code in found if code not in known))
