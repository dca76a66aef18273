"""Rows that no reader should choke on: what an offer may look like when something upstream went wrong."""

from collections.abc import Callable
from typing import Any

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
#: A spoilt copy stands before the row itself, and the page grows.
_COPIES: dict[str, Callable[[Row], Row]] = {"price_first": _price, "no_id_first": _no_id}


def poisoned(rows: list[Row], kind: str, number: int, offer_ids: frozenset[int] | None) -> list[Row]:
    """The page with some rows spoilt: those of the given offers, else the given number from the top.

    `same_id_twice` repeats a row (the page grows), `price_first` and `no_id_first` put a spoilt copy before it (the
    page grows), `same_id_instead` puts the copy in the next row's place, for the last row in the one before.
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
