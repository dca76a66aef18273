"""Reference resources: categories, VAT rates, handling times (docs/marketplace-api.md, "Reference data")."""

from dataclasses import dataclass
from typing import Any

from emag_pipeline.sandbox.answers import Answer, Refusal, success, success_rows
from emag_pipeline.sandbox.calls import whole
from emag_pipeline.sandbox.catalogue.chance import Chance
from emag_pipeline.sandbox.catalogue.goods import DEPARTMENTS, FAMILIES, GOODS, Good
from emag_pipeline.sandbox.faults import Faults, Target
from emag_pipeline.sandbox.offer_pages import counted, paging
from emag_pipeline.sandbox.page_faults import obeyed, reported_count, shown_page, shown_size, spoilt
from emag_pipeline.sandbox.quirks import row_as_php

_KINDS = (
    (0, "", ""),
    (1, "Accesorii pentru ", "Accessories for "),
    (2, "Piese de schimb: ", "Spare parts: "),
    (3, "Resigilate: ", "Resealed: "),
    (4, "Produse ecologice: ", "Ecological: "),
)
_VALUES_PER_PAGE = 256
_LANGUAGES = frozenset({"en", "ro", "hu", "bg", "pl", "gr", "de"})

VAT_RATES: tuple[dict[str, Any], ...] = (
    {"vat_id": 1, "vat_rate": 0.21, "is_default": 1},
    {"vat_id": 2, "vat_rate": 0.11, "is_default": 0},
    {"vat_id": 3, "vat_rate": 0, "is_default": 0},
)
#: the same as percentages, as some accounts get them
VAT_PERCENTAGES = tuple(row | {"vat_rate": round(row["vat_rate"] * 100)} for row in VAT_RATES)
HANDLING_TIMES: tuple[dict[str, Any], ...] = tuple({"id": days} for days in (0, 1, 2, 3, 4, 5, 7, 10, 14, 20, 30))


def category_rows(data: dict[str, Any], language: str) -> list[dict[str, Any]]:
    """All categories in brief, or the requested one in full. Raises Refusal for an unknown language."""
    if language not in _LANGUAGES:
        raise Refusal(f"Unknown language: {language}")
    wanted = whole(data, "id")
    brief = [_department(*names, language) for names in DEPARTMENTS]
    brief += [_category(good, kind, language) for good in GOODS for kind in _KINDS]
    if wanted is None:
        return brief
    found = [category for category in brief if category["id"] == wanted]
    return [category | _details(category["id"], data) for category in found]


def _department(number: int, name: str, name_en: str, language: str) -> dict[str, Any]:
    shown = name if language == "ro" else name_en
    return _brief(number, shown, None, allowed=0)


def _category(good: Good, kind: tuple[int, str, str], language: str) -> dict[str, Any]:
    step, prefix, prefix_en = kind
    name = prefix + good.category if language == "ro" else prefix_en + good.category_en
    return _brief(good.category_id + step * 10_000, name, good.department_id, allowed=int(good.category_id % 7 != 0))


def _brief(number: int, name: str, parent_id: int | None, *, allowed: int) -> dict[str, Any]:
    return {
        "id": number,
        "name": name,
        "is_allowed": allowed,
        "parent_id": parent_id,
        "is_ean_mandatory": number % 2,
        "is_warranty_mandatory": int(number % 3 == 0),
    }


def _details(number: int, data: dict[str, Any]) -> dict[str, Any]:
    page = max(1, whole(data, "valuesCurrentPage", 1) or 1)
    per_page = min(_VALUES_PER_PAGE, max(1, whole(data, "valuesPerPage", _VALUES_PER_PAGE) or 1))
    good = next((good for good in GOODS if good.category_id == number % 10_000), None)
    shown = slice((page - 1) * per_page, page * per_page)
    characteristics = [
        {
            "id": trait,
            "name": name,
            "type_id": 1,
            "display_order": place,
            "is_mandatory": int(place == 1),
            "allow_new_value": 1,
            "values": [{"id": trait * 100 + rank, "value": value} for rank, value in enumerate(values)][shown],
        }
        for place, (trait, name, values) in enumerate(good.traits if good else (), start=1)
    ]
    families = [{"id": place, "name": name} for place, name in enumerate(FAMILIES, start=1)]
    return {"characteristics": characteristics, "family_types": families if good else []}


@dataclass(frozen=True, slots=True)
class ReferenceAnswers:
    """The responses of one account for categories, VAT rates and handling times."""

    account: str
    seed: int
    faults: Faults
    shape_share: float
    quirk_share: float

    def count_categories(self, data: dict[str, Any], *, as_text: bool) -> Answer:
        """The number of categories and pages; a fault may falsify it."""
        _, size = paging(data)
        number = reported_count(self.faults, Target(self.account, "category/count", None), len(category_rows({}, "ro")))
        return counted(number, size, as_text=as_text)

    def categories(self, asked: dict[str, Any], language: str) -> Answer:
        """One page of categories with the faults in force, or the one requested by id."""
        target = Target(self.account, "category/read", None if "id" in asked else paging(asked)[0])
        data = obeyed(self.faults, target, asked)
        page, size = paging(data)
        found = category_rows(data, language)
        shown = shown_page(self.faults, target, page, lambda: -(-len(found) // size))
        size = shown_size(self.faults, target, size)
        rows = [self._served(row) for row in found[(shown - 1) * size : shown * size]]
        return success_rows(spoilt(self.faults, target, rows))

    def vat_rates(self) -> Answer:
        """All VAT rates, for some accounts as percentages."""
        as_percent = Chance(self.seed, self.account, "vat").happens(round(self.shape_share * 500))
        return self._all(VAT_PERCENTAGES if as_percent else VAT_RATES)

    def handling_times(self) -> Answer:
        """All handling times."""
        return self._all(HANDLING_TIMES)

    def _all(self, rows: tuple[dict[str, Any], ...]) -> Answer:
        served = [self._served(row) for row in rows]
        return success({str(place): row for place, row in enumerate(served)} if self.quirk_share >= 1 else served)

    def _served(self, row: dict[str, Any]) -> dict[str, Any]:
        return row_as_php(row, (self.seed, *row.values()), self.quirk_share)
