"""What PostgreSQL cannot hold: NUL, lone surrogates, numbers without bounds, nesting without end.

Numbers and nesting are cut, and text gets U+FFFD (REPLACEMENT CHARACTER) in these places.
Source: PostgreSQL manual, "JSON Types", "Numeric Types" and "Character Types"; emag-api.md, section 8.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import cast

from emag_pipeline.api import json_text

DEEPEST = 100
_LARGEST: int = 10**json_text.LONGEST_NUMBER
_NESTED = "… nested deeper"
_WRONG = re.compile("[\0\ud800-\udfff]")
#: text is judged as a whole, by its encoding
_CONSTRAINED = frozenset({dict, list, int, float, Decimal})


class Cut(dict[str, str]):
    """An object that shows, of a number which jsonb cannot hold, the beginning."""


def is_within_bounds(value: object, depth: int = 0) -> bool:
    """Whether jsonb holds all numbers in it, and it is not nested deeper than DEEPEST levels below a row."""
    if isinstance(value, dict | list):
        return depth <= DEEPEST and _are_within_bounds(value.values() if isinstance(value, dict) else value, depth + 1)
    return type(value) not in _CONSTRAINED or _is_number_within_bounds(value)


def _are_within_bounds(values: Iterable[object], depth: int) -> bool:
    """A loop, and numbers and texts without a call: all of every answer comes through here."""
    for value in values:
        kind = type(value)
        if kind is int:
            if not -_LARGEST < cast(int, value) < _LARGEST:
                return False
        elif kind in _CONSTRAINED and not is_within_bounds(value, depth):
            return False
    return True


def _is_number_within_bounds(value: object) -> bool:
    if isinstance(value, int):
        return -_LARGEST < value < _LARGEST
    number = Decimal(value) if isinstance(value, float | Decimal) else Decimal(0)
    _, digits, exponent = number.as_tuple()
    return isinstance(exponent, int) and len(digits) + abs(exponent) <= json_text.LONGEST_NUMBER


def cut(value: object, depth: int = 0) -> object:
    """The value without what `is_within_bounds` objects to."""
    if isinstance(value, dict | list) and depth > DEEPEST:
        return _NESTED
    if isinstance(value, dict):
        return {key: cut(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [cut(item, depth + 1) for item in value]
    if type(value) in _CONSTRAINED and not _is_number_within_bounds(value):
        return Cut({"out of range": json_text.shown(value)})
    return value


def is_text_storable(written: str) -> bool:
    """Whether PostgreSQL holds all text of a JSON text; may err on the side of no."""
    if "\\u0000" in written:
        return False
    try:
        written.encode()
    except UnicodeEncodeError:
        return False
    return True


def mended(value: object) -> object:
    """The value with U+FFFD in place of what PostgreSQL cannot hold."""
    if isinstance(value, str):
        return _WRONG.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_WRONG.sub("\ufffd", key): mended(item) for key, item in value.items()}
    if isinstance(value, list):
        return [mended(item) for item in value]
    return value
