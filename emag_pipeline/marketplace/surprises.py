"""Surprises in responses: what their samples may show, and how they are merged; removal of personal data."""

import json
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

from emag_pipeline.marketplace.json_text import DEEPEST, NESTED
from emag_pipeline.model import Kind, Surprise

# Personal data in responses, and how little of it is kept (docs/privacy.md).
#
# `manufacturer` and `eu_representative` are lists of contacts in a read by id; only whether there are any is kept.
# `seller_input` repeats the seller's data of a refused offer, contacts included; the reasons are in other fields.

CONTACTS = ("manufacturer", "eu_representative")
SELLER_INPUT = "seller_input"


def without_seller_input(value: object, depth: int = 0) -> object:
    """The value without any `seller_input`, and cut off below 100 levels of nesting."""
    if isinstance(value, dict | list) and depth > DEEPEST:
        return NESTED
    if isinstance(value, dict):
        return {key: without_seller_input(item, depth + 1) for key, item in value.items() if key != SELLER_INPUT}
    if isinstance(value, list):
        return [without_seller_input(item, depth + 1) for item in value]
    return value


def without_people(row: object) -> object:
    """A row as it may be quarantined: contacts reduced to whether there are any, and without `seller_input`."""
    kept = without_seller_input(row)
    if not isinstance(kept, dict):
        return kept
    return kept | {name: bool(kept[name]) for name in CONTACTS if _is_given(kept, name)}


def _is_given(row: Mapping[str, object], name: str) -> bool:
    return isinstance(row.get(name), list | dict | str)


_LONGEST_SAMPLE = 80
_LONGEST_FIELD = 100
_ADDRESS = re.compile(r"[^\s@'\"]+@[^\s@'\"]+")
#: fields with personal data or free text entered by the seller
_PERSONAL = re.compile("manufacturer|representative|contact|seller|address|mail|phone|person|safety_information", re.I)


def surprise(field: str, kind: Kind, value: object) -> Surprise:
    """A surprise with a sample of the value: texts and numbers as they are, lists and objects only as their shape."""
    sample = None if _PERSONAL.search(field) else _sample(value)
    return Surprise(_printable(_ADDRESS.sub("…@…", field), _LONGEST_FIELD), kind, sample)


def as_text(found: Iterable[Surprise]) -> str | None:
    """The surprises of a row as JSON text, for `of_text`; None if there are none."""
    items = [(one.field, one.kind, one.sample) for one in found]
    return json.dumps(items, ensure_ascii=False) if items else None


def of_text(text: str | None) -> tuple[Surprise, ...]:
    """The surprises of a row from the text of `as_text`."""
    return tuple([Surprise(*one) for one in json.loads(text)]) if text else ()


def added_up(found: Iterable[Surprise]) -> tuple[Surprise, ...]:
    """One surprise per field and kind, with the first sample and the sum of `times`."""
    first: dict[tuple[str, Kind], Surprise] = {}
    times: dict[tuple[str, Kind], int] = {}
    for one in found:
        key = (one.field, one.kind)
        first.setdefault(key, one)
        times[key] = times.get(key, 0) + one.times
    return tuple([Surprise(one.field, one.kind, one.sample, times[key]) for key, one in first.items()])


def _sample(value: object) -> str:
    text = value[: 4 * _LONGEST_SAMPLE] if isinstance(value, str) else _shape(value, depth=0)
    return _printable(_ADDRESS.sub("…@…", text), _LONGEST_SAMPLE)


def _shape(value: object, depth: int) -> str:
    """The types of the values; numbers and booleans at the top level as they are."""
    if isinstance(value, dict):
        keys = list(value.items())[:5] if depth < 2 else []
        return "{" + ", ".join(f"{key[:40]}: {_shape(item, depth + 1)}" for key, item in keys) + "}"
    if isinstance(value, list):
        return f"[{_shape(value[0], depth + 1)}]" if value and depth < 2 else "[]"
    if isinstance(value, str):
        return "text"
    if isinstance(value, bool) or value is None:
        return "null" if value is None else str(value).lower()
    return "number" if depth else _number(value)


def _number(value: object) -> str:
    is_long = isinstance(value, int) and value.bit_length() > 4 * _LONGEST_SAMPLE
    return "a very long number" if is_long or not isinstance(value, int | float | Decimal) else str(value)


def _printable(text: str, longest: int) -> str:
    cut = "".join([one if one.isprintable() else "\ufffd" for one in text[: longest + 1]])
    return cut if len(cut) <= longest else cut[: longest - 1] + "…"
