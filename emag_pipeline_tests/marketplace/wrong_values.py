"""Every field of an offer with wrong values, and which of them mean something in it.

Source: docs/marketplace-api.md, "Offer fields", "Types and spellings".
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any


def nested(depth: int) -> Any:
    """A list in a list in a list."""
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


WRONG: Mapping[str, Any] = {
    "true": True,
    "false": False,
    "[]": [],
    "{}": {},
    "[1]": [1],
    "object": {"x": 1},
    "x": "x",
    "-1": -1,
    "1.5": Decimal("1.5"),
    "1e400": "1e400",
    "NaN": Decimal("NaN"),
    "infinity": float("inf"),
    "10^30": 10**30,
    "10^5000": 10**5000,
    "NUL": "\0",
    "surrogate": "a\ud800",
    "deep": nested(200),
}
#: text that PostgreSQL cannot hold, as it is kept
_MENDED = {"NUL": "\ufffd", "surrogate": "a\ufffd"}
_NESTED = '["… nested deeper"]'
_CUT = "[" * 99 + _NESTED + "]" * 99

#: By kind of field, what its column holds of the values that mean something; of all others it holds nothing.
_TEXT = {"x": "x", "-1": "-1", "1.5": "1.5", "1e400": "1e400", "10^30": str(10**30), **_MENDED}
_WHOLE = {"-1": -1}
_PRICE = {"1.5": Decimal("1.5000")}
_CURRENCY = {"x": "X", "1e400": "1E400", "NUL": "\ufffd", "surrogate": "A\ufffd"}
_FLAG = {"true": True, "false": False}
_GENIUS = {"true": 1, "false": 0, "-1": -1}
_GIVEN = {**_FLAG, "[]": False, "{}": False, "[1]": True, "object": True, "deep": True}
_LIST = {"[]": "[]", "{}": "[]"}
_EANS = {name: (text,) for name, text in _TEXT.items() if name != "1.5"} | {"[1]": ("1",)}
_VERDICTS = {"-1": (-1,), "[1]": (1,)}
_VERDICT = {"-1": -1, "[1]": 1}
_ERRORS = {
    "x": '"x"',
    "1e400": '"1e400"',
    "[1]": "[1]",
    "object": '{"x":1}',
    "NUL": '"\ufffd"',
    "surrogate": '"a\ufffd"',
}

#: Values that are taken as "not given": nothing is wrong with them.
_NOTHING: Mapping[str, frozenset[str]] = {
    "ean": frozenset({"[]", "{}"}),
    "validation_status": frozenset({"[]", "{}"}),
    "translation_validation_status": frozenset({"[]", "{}"}),
    "offer_validation_status": frozenset({"[]", "{}"}),
    "doc_errors": frozenset({"[]", "{}", "false"}),
    "ownership": frozenset({"true", "false"}),
}


@dataclass(frozen=True)
class Case:
    """A field with a wrong value, and what comes of it. `column` is None for fields that only `raw` holds."""

    field: str
    wrong: str
    column: str | None
    meant: Any
    is_noticed: bool

    @property
    def value(self) -> Any:
        """The wrong value itself."""
        return WRONG[self.wrong]

    def row(self, offer_id: int) -> dict[str, Any]:
        """An offer with that value in that field."""
        outer, _, inner = self.field.partition(".")
        return {"id": offer_id, outer: {inner: self.value} if inner else self.value}

    def __str__(self) -> str:
        return f"{self.field}-{self.wrong}"


_KINDS: tuple[tuple[Mapping[str, Any], tuple[str, ...]], ...] = (
    (
        _TEXT,
        (
            "part_number_key", "part_number", "name", "brand", "description", "url", "safety_information",
            "rrp_guidelines", "family.name",
        ),
    ),
    (
        _WHOLE,
        (
            "status", "buy_button_rank", "number_of_offers", "general_stock", "estimated_stock", "warranty", "vat_id",
            "category_id", "vendor_category_id", "ownership", "family.id", "family.family_type_id",
            "offer_details.supply_lead_time", "supply_lead_time",
        ),
    ),
    (
        _PRICE,
        (
            "sale_price", "recommended_price", "best_offer_sale_price", "best_offer_recommended_price",
            "min_sale_price", "max_sale_price", "commission",
        ),
    ),
    (_CURRENCY, ("currency",)),
    (_FLAG, ("has_smart_deals_badge", "auto_translated", "offer_details.emag_club", "emag_club")),
    (_GENIUS, ("genius_eligibility", "genius_eligibility_type", "genius_computed")),
    (_GIVEN, ("manufacturer", "eu_representative")),
    (_LIST, ("images", "characteristics", "handling_time", "stock", "availability", "start_date")),
    (_EANS, ("ean",)),
    (_VERDICTS, ("validation_status", "translation_validation_status")),
    (_VERDICT, ("offer_validation_status",)),
    (_ERRORS | {"deep": _CUT}, ("doc_errors",)),
)  # fmt: skip
_ELSEWHERE = {
    "manufacturer": "has_manufacturer", "eu_representative": "has_eu_representative", "stock": "stock_by_warehouse",
    "availability": "availability_by_warehouse", "family.id": "family_id", "family.name": "family_name",
    "family.family_type_id": "family_type_id",
}  # fmt: skip
_ARRAYS = frozenset({"ean", "validation_status", "translation_validation_status"})
_CODES = frozenset(
    {
        "status", "ownership", "genius_eligibility", "genius_eligibility_type", "genius_computed", "validation_status",
        "translation_validation_status", "offer_validation_status",
    }
)  # fmt: skip
#: fields that only `raw` holds: any JSON may stand there
_IN_RAW = (
    "currency_type", "offer_price_other_currency", "start_date_other_currency", "content_details", "offer_properties",
    "brand_name", "attachments", "barcode", "reversible_vat_charging", "recycleWarranties", "weight",
)  # fmt: skip
#: what PostgreSQL cannot hold is noticed wherever it stands
_NEVER_HELD = frozenset({"NaN", "infinity", "10^5000", "NUL", "surrogate", "deep"})


def cases() -> Iterator[Case]:
    """Each field with each wrong value."""
    for meant, names in _KINDS:
        for name in names:
            for wrong in WRONG:
                yield _case(name, wrong, meant)
    for name in _IN_RAW:
        for wrong in WRONG:
            yield Case(name, wrong, None, None, wrong in _NEVER_HELD)


def _case(field: str, wrong: str, meant: Mapping[str, Any]) -> Case:
    column = _ELSEWHERE.get(field, field.rpartition(".")[2])
    is_code = wrong == "-1" and field in _CODES
    is_fine = wrong in meant or wrong in _NOTHING.get(field, ())
    nothing = () if field in _ARRAYS else None
    return Case(field, wrong, column, meant.get(wrong, nothing), wrong in _NEVER_HELD or is_code or not is_fine)
