"""The faults that change counts, pages and rows."""

from collections.abc import Callable
from typing import Any

from emag_pipeline.sandbox.faults import Faults, Target

# Corrupt rows, which must not break a reader.

Row = dict[str, Any]


def _nul(row: Row) -> Row:
    name = str(row["name"])
    return row | {"name": f"{name[:5]}\x00{name[5:]}"}


def _price(row: Row) -> Row:
    return row | {"sale_price": "12,34,56 lei"}


def _no_id(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "id"}


def _huge_id(row: Row) -> Row:
    return row | {"id": 2**63 + int(row["id"])}


def _long_name(row: Row) -> Row:
    name = f"{row['name']} "
    return row | {"name": name * (100_000 // len(name)) + "ț" * 200}


def _surrogate(row: Row) -> Row:
    return row | {"description": f"{row.get('description', '')} \ud83d"}


def _types(row: Row) -> Row:
    return row | {"name": ["not", "a", "name"], "status": {"value": 1}, "sale_price": [], "ean": "594", "images": 7}


_CHANGES: dict[str, Callable[[Row], Row]] = {
    "nul": _nul,
    "price": _price,
    "no_id": _no_id,
    "huge_id": _huge_id,
    "long_name": _long_name,
    "surrogate": _surrogate,
    "types": _types,
}
#: These insert a corrupt copy before the row itself; the page grows.
_COPIES: dict[str, Callable[[Row], Row]] = {"price_first": _price, "no_id_first": _no_id}


def poisoned(rows: list[Row], kind: str, number: int, offer_ids: frozenset[int] | None) -> list[Row]:
    """The page with some rows corrupted: those of the given offers, else the first `number`.

    `same_id_twice` repeats a row (the page grows), `price_first` and `no_id_first` insert a corrupt copy before it (the
    page grows), `same_id_instead` replaces the next row with a copy, or the previous one for the last row.
    """
    places = [
        place
        for place, row in enumerate(rows)
        if (place < number if offer_ids is None else int(row["id"]) in offer_ids)
    ]
    result = list(rows)
    for place in reversed(places):
        if kind == "same_id_twice":
            result.insert(place + 1, dict(rows[place]))
        elif kind in _COPIES:
            result.insert(place, _COPIES[kind](rows[place]))
        elif kind == "same_id_instead":
            result[place + 1 if place + 1 < len(rows) else place - 1] = dict(rows[place])
        else:
            result[place] = _CHANGES[kind](rows[place])
    return result


# Faults of counts and pages, of offers and of categories.

Parameters = dict[str, Any]

PAGING = frozenset({"currentPage", "itemsPerPage"})
_ROWS = ("empty_page", "short_page", "poison")


def reported_count(faults: Faults, target: Target, number: int) -> int:
    """The number that a count returns: the true one, or a wrong one if a fault is in force."""
    lie = faults.take(("count_lies",), target)
    if lie is None:
        return number
    if lie.options["offers"] is not None:
        return int(lie.options["offers"])
    return max(0, number + int(lie.options["difference"] or 0))


def obeyed(faults: Faults, target: Target, asked: Parameters) -> Parameters:
    """The parameters that the marketplace obeys: all that were given, or fewer if a fault ignores some."""
    if faults.take(("ignores_filters",), target):
        asked = {name: value for name, value in asked.items() if name in PAGING}
    if faults.take(("ignores_page",), target):
        asked = {name: value for name, value in asked.items() if name != "currentPage"}
    return asked


def shown_size(faults: Faults, target: Target, size: int) -> int:
    """The effective page size: as requested, or larger if a fault ignores the request."""
    fault = faults.take(("too_many_rows",), target)
    return int(fault.options["rows"]) if fault else size


def shown_page(faults: Faults, target: Target, page: int, last: Callable[[], int]) -> int:
    """The page that is returned: another one if a fault repeats pages. `last` returns the number of the last page."""
    if fault := faults.take(("repeated_page",), target):
        return int(fault.options["shows"])
    end = last() if faults.in_force("endless_pages") else 0
    if 0 < end < page and faults.take(("endless_pages",), target):
        return (page - 1) % end + 1
    return page


def spoilt(faults: Faults, target: Target, rows: list[Row]) -> list[Row]:
    """The page's rows, after the fault that empties, shortens or corrupts them."""
    fault = faults.take(_ROWS, target) if rows else None
    if fault is None:
        return rows
    if fault.kind == "empty_page":
        return []
    if fault.kind == "short_page":
        return rows[: -int(fault.options["missing"]) or None]
    chosen = fault.limits.get("offer_ids")
    return poisoned(rows, fault.options["row"], fault.options["rows"], frozenset(chosen) if chosen else None)
