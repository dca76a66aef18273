"""What a value means, whatever JSON it is: an edit may set any field to anything (emag-api.md sections 8 and 9)."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

#: What an offer's commercial row rests on: where one of these cannot be read, the offer is not sold.
ESSENTIAL = ("sale_price", "currency", "general_stock", "status")

_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{0,40})?(?:[eE][+-]?[0-9]{1,2})?")
_PRICE_LIMIT = 10**14
_LARGEST_STATUS = 2**15


def number(value: object) -> Decimal | None:
    """The number that the value is, in text too; None when it is none."""
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return Decimal(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    found = Decimal(str(value))
    return found if found.is_finite() else None


def whole(value: object) -> int | None:
    """The whole number that the value is, in text too; None when it is none."""
    found = number(value)
    return int(found) if found is not None and found == found.to_integral_value() else None


def is_given(value: object) -> bool:
    """False for null and for empty text, which both say that there is no value."""
    return value is not None and value != ""


def unreadable(offer: Mapping[str, Any]) -> list[str]:
    """The essential fields of an offer that hold something which cannot be what they should."""
    return [name for name in ESSENTIAL if is_given(offer.get(name)) and not _READABLE[name](offer[name])]


def _is_price(value: object) -> bool:
    found = number(value)
    return found is not None and 0 <= found < _PRICE_LIMIT


def _is_text(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _is_stock(value: object) -> bool:
    """A text that is no number says that the stock is none, e.g. `N/A`: that can be read."""
    return whole(value) is not None or (isinstance(value, str) and number(value) is None)


def _is_status(value: object) -> bool:
    found = whole(value)
    return found is not None and -_LARGEST_STATUS <= found < _LARGEST_STATUS


_READABLE = {"sale_price": _is_price, "currency": _is_text, "general_stock": _is_stock, "status": _is_status}
