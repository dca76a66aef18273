"""JSON in and out without loss: numbers with a fraction are Decimals, never floats."""

import json
from decimal import Decimal, InvalidOperation

import simplejson

#: Longer numbers are no number of an offer; Python itself refuses to convert 4,300 digits.
LONGEST_NUMBER = 1000

_compact = simplejson.JSONEncoder(separators=(",", ":"), ensure_ascii=False, use_decimal=True)
_plain = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, sort_keys=True)
_canonical = simplejson.JSONEncoder(separators=(",", ":"), ensure_ascii=False, use_decimal=True, sort_keys=True)
_ascii = simplejson.JSONEncoder(separators=(",", ":"), ensure_ascii=True, use_decimal=True, allow_nan=True)


def parse(body: bytes) -> object:
    """Read JSON. Raises ValueError when it is none, RecursionError when it is nested beyond reason.

    Numbers beyond all bounds become Decimals, NaN if need be: they cost their row, not the page.
    """
    return json.loads(body, parse_int=_whole, parse_float=_fraction, parse_constant=Decimal)


def _whole(text: str) -> int | Decimal:
    return int(text) if len(text) <= LONGEST_NUMBER else _fraction(text)


def _fraction(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("NaN")


def compact(value: object) -> str:
    """The value as JSON, in its own order of keys."""
    return _compact.encode(value)


def canonical(value: object) -> str:
    """The value as JSON with sorted keys: equal values give equal text."""
    try:
        return _plain.encode(value)
    except TypeError:  # it holds Decimals, which are rare outside of prices and slower to write
        return _canonical.encode(value)


def ascii_only(value: object) -> str:
    """The value as JSON whose escapes can hold NUL and lone surrogates. Never fails: the too deep or long is cut."""
    try:
        return _ascii.encode(value)
    except (ValueError, RecursionError):
        return _ascii.encode(_cut(value, depth=0))


def _cut(value: object, depth: int) -> object:
    if isinstance(value, dict | list) and depth > 100:
        return "… nested deeper"
    if isinstance(value, dict):
        return {str(key): _cut(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_cut(item, depth + 1) for item in value]
    if isinstance(value, int) and value.bit_length() > 4 * LONGEST_NUMBER:
        return f"… a whole number of {value.bit_length()} bits"
    return value


def shown(value: object) -> str:
    """The value for a message: at most some 80 printable characters."""
    if isinstance(value, str):
        return repr(value) if len(value) <= 80 else repr(value[:80]) + "…"
    text = ascii_only(value)
    return text if len(text) <= 80 else text[:80] + "…"
