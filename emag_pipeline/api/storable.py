"""What jsonb cannot hold: NUL, lone surrogates, numbers without bounds, nesting without end.

Source: PostgreSQL manual, "JSON Types" and "Numeric Types"; emag-api.md, section 8.
"""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import cast

from emag_pipeline.api import json_text
from emag_pipeline.api.fields import Unreadable

DEEPEST = 100
_LARGEST = 10**json_text.LONGEST_NUMBER
#: text is judged as a whole, by its encoding
_CONSTRAINED = frozenset({dict, list, int, float, Decimal})


def raw_text(row: Mapping[str, object]) -> str:
    """The row as compact JSON text that jsonb accepts. Raises Unreadable naming the field that it does not accept."""
    for name, value in row.items():
        if type(value) in _CONSTRAINED:
            _check(name, value, 1)
    text = json_text.compact(row)
    if "\\u0000" in text:
        _refuse(row, _has_nul, "holds NUL, which PostgreSQL cannot store")
    try:
        text.encode()
    except UnicodeEncodeError:
        _refuse(row, _has_surrogate, "holds half of a surrogate pair, which is no Unicode text")
    return text


def _check(name: str, value: object, depth: int) -> None:
    kind = type(value)
    if kind is dict or kind is list:
        if depth > DEEPEST:
            raise Unreadable(f"{name} is nested deeper than {DEEPEST} levels")
        for item in value.values() if isinstance(value, dict) else cast(list[object], value):
            if type(item) in _CONSTRAINED:
                _check(name, item, depth + 1)
    elif kind is int:
        if not -_LARGEST < cast(int, value) < _LARGEST:
            raise Unreadable(f"{name} holds a number of more than {json_text.LONGEST_NUMBER} digits")
    elif isinstance(value, Decimal | float):
        _check_fraction(name, Decimal(value))


def _check_fraction(name: str, value: Decimal) -> None:
    if not value.is_finite():
        raise Unreadable(f"{name} holds {value}, which is not a number")
    _, digits, exponent = value.as_tuple()
    if len(digits) + abs(int(exponent)) > json_text.LONGEST_NUMBER:
        raise Unreadable(f"{name} holds a number of more than {json_text.LONGEST_NUMBER} digits")


def _refuse(row: Mapping[str, object], is_wrong: Callable[[str], bool], problem: str) -> None:
    for name, value in row.items():
        if is_wrong(name):
            raise Unreadable(f"the field name {json_text.shown(name)} {problem}")
        if any(is_wrong(text) for text in _texts(value)):
            raise Unreadable(f"{name} {problem}")


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        yield from value
        for item in value.values():
            yield from _texts(item)


def _has_nul(text: str) -> bool:
    return "\0" in text


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)
