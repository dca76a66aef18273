"""Lossless reading and writing of JSON: numbers with a fraction are Decimals, never floats."""

import json
import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from json.scanner import make_scanner

import simplejson

#: In digits. No field of an offer has longer numbers; Python itself refuses to convert 4,300 digits.
LONGEST_NUMBER = 1000
#: Values nested more levels deep below a row are replaced by NESTED.
DEEPEST = 100
NESTED = "… nested deeper"
_WHITE_SPACE = re.compile(r"[ \t\n\r]+")

_compact = simplejson.JSONEncoder(separators=(",", ":"), ensure_ascii=False, use_decimal=True)
_plain = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, sort_keys=True)
_canonical = simplejson.JSONEncoder(separators=(",", ":"), ensure_ascii=False, use_decimal=True, sort_keys=True)
_ascii = simplejson.JSONEncoder(separators=(",", ":"), ensure_ascii=True, use_decimal=True, allow_nan=True)


def parse(body: bytes) -> object:
    """Read JSON. Raises ValueError if it is invalid, RecursionError if it is nested too deep.

    Huge numbers become Decimals, or NaN if even that fails, so that they affect only their row and not the page.
    """
    return json.loads(body, parse_int=_whole, parse_float=_fraction, parse_constant=Decimal)


class Written(list[object]):
    """The items of a JSON list, with the JSON text of each item in `texts`, in the same order."""

    texts: Sequence[str] = ()


def parse_answer(body: bytes) -> object:
    """Read JSON like `parse`. If it is an object whose `results` are a list, that list is a `Written`."""
    text = body.decode(json.detect_encoding(body), "surrogatepass")
    try:
        return _answer(text)
    except (ValueError, IndexError, StopIteration):
        return parse(body)  # other JSON, or the error for invalid JSON


def _answer(text: str) -> dict[str, object]:
    """Parse an object member by member, to keep the texts of its `results`. Raises IndexError and others on failure."""
    found: dict[str, object] = {}
    at = _after(text, 0, "{")
    while True:
        name, at = _scan(text, at)
        at = _after(text, at, ":")
        if not isinstance(name, str) or name in found:
            raise ValueError("no name, or a duplicate one")  # handled by `parse`
        if name == "results" and text[at] == "[":
            found[name], at = _written(text, at + 1)
        else:
            found[name], at = _scan(text, at)
        at = _space(text, at)
        if text[at] == "}":
            break
        at = _after(text, at, ",")
    if _space(text, at + 1) != len(text):
        raise ValueError("something follows the object")
    return found


def _written(text: str, at: int) -> tuple[Written, int]:
    """The items of a list whose `[` precedes `at`, and the position after its `]`."""
    items, texts = Written(), []
    at = _space(text, at)
    while text[at] != "]" or items:
        item, end = _scan(text, at)
        items.append(item)
        texts.append(text[at:end])
        at = _space(text, end)
        if text[at] == "]":
            break
        at = _after(text, at, ",")
    items.texts = texts
    return items, at + 1


def _space(text: str, at: int) -> int:
    """The first position from `at` that is not white space."""
    found = _WHITE_SPACE.match(text, at)
    return at if found is None else found.end()


def _after(text: str, at: int, sign: str) -> int:
    """The position after the required `sign`, skipping white space around it."""
    at = _space(text, at)
    if text[at] != sign:
        raise ValueError(f"{sign} is missing")
    return _space(text, at + 1)


def _whole(text: str) -> int | Decimal:
    return int(text) if len(text) <= LONGEST_NUMBER else _fraction(text)


def _fraction(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("NaN")


_scan = make_scanner(json.JSONDecoder(parse_int=_whole, parse_float=_fraction, parse_constant=Decimal))  # type: ignore[arg-type]


def compact(value: object) -> str:
    """The value as JSON, with keys in their original order."""
    return _compact.encode(value)


def canonical(value: object) -> str:
    """The value as JSON with sorted keys: equal values give equal text."""
    try:
        return _plain.encode(value)
    except TypeError:  # it contains Decimals, which are rare outside prices and slower to write
        return _canonical.encode(value)


def ascii_only(value: object) -> str:
    """The value as ASCII JSON, which can escape NUL and lone surrogates. Never fails: it cuts deep or long values."""
    try:
        return _ascii.encode(value)
    except (ValueError, RecursionError):
        return _ascii.encode(_cut(value, depth=0))


def _cut(value: object, depth: int) -> object:
    if isinstance(value, dict | list) and depth > DEEPEST:
        return NESTED
    if isinstance(value, dict):
        return {str(key): _cut(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_cut(item, depth + 1) for item in value]
    if isinstance(value, int) and value.bit_length() > 4 * LONGEST_NUMBER:
        return f"… a whole number of {value.bit_length()} bits"
    return value


def shown(value: object) -> str:
    """The value for a message, in about 80 printable characters at most."""
    if isinstance(value, str):
        return repr(value) if len(value) <= 80 else repr(value[:80]) + "…"
    text = ascii_only(value)
    return text if len(text) <= 80 else text[:80] + "…"
