"""Interprets any JSON value, because an edit may set a field to anything.

Source: docs/marketplace-api.md, "Types and spellings".
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

#: If one of these cannot be read, the offer is not saleable. Of the validation statuses it is the translation's: an
#: offer without one could be saleable, but not one without the others.
ESSENTIAL = ("sale_price", "currency", "general_stock", "status", "translation_validation_status")

_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{0,40})?(?:[eE][+-]?[0-9]{1,2})?")
_PRICE_LIMIT = 10**14
_SMALL, _BIG = 2**15, 2**63


def number(value: object) -> Decimal | None:
    """The value as a number, also from text; None if it is not one."""
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return Decimal(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    found = Decimal(str(value))
    return found if found.is_finite() else None


def whole(value: object) -> int | None:
    """The value as an integer, also from text; None if it is not one."""
    found = number(value)
    return int(found) if found is not None and found == found.to_integral_value() else None


def is_given(value: object) -> bool:
    """False for null and blank text, which both mean that there is no value."""
    return value is not None and not (isinstance(value, str) and not value.strip())


def verdict_codes(value: object) -> list[int] | None:
    """The codes of a list of verdicts, or of a single one; None if any has no code."""
    if not is_given(value):
        return []
    if isinstance(value, dict) and "value" not in value and all(key.isdigit() for key in value):
        value = list(value.values())
    found = []
    for verdict in value if isinstance(value, list) else [value]:
        code = verdict.get("value") if isinstance(verdict, dict) else verdict
        if not _is_whole(code, _SMALL):
            return None
        found.append(int(str(whole(code))))
    return found


def unreadable(offer: Mapping[str, Any]) -> list[str]:
    """The essential fields of an offer whose values are invalid."""
    return [name for name in ESSENTIAL if is_given(offer.get(name)) and not _READABLE[name](offer[name])]


def _is_price(value: object) -> bool:
    found = number(value)
    return found is not None and 0 <= found < _PRICE_LIMIT


def _is_stock(value: object) -> bool:
    """A text that is not a number, e.g. `N/A`, is readable: it means that there is no stock."""
    return _is_whole(value, _BIG) or (isinstance(value, str) and number(value) is None)


def _is_whole(value: object, bound: int) -> bool:
    found = whole(value)
    return found is not None and -bound <= found < bound


_READABLE: dict[str, Callable[[object], bool]] = {
    "sale_price": _is_price,
    "currency": lambda value: isinstance(value, str),
    "general_stock": _is_stock,
    "status": lambda value: _is_whole(value, _SMALL),
    "translation_validation_status": lambda value: verdict_codes(value) is not None,
}
