"""Single values of a row: lenient about PHP's spellings, strict about what they mean.

Each function takes a row and a field's name. An absent field, null and empty text are all "not given". What cannot be
read raises Unreadable: whoever reads the row decides what that costs.
Source: docs/marketplace-api.md, "Types and spellings".
"""

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Context, Decimal

from emag_pipeline.marketplace.json_text import LONGEST_NUMBER, shown
from emag_pipeline.marketplace.offer import Kind

Row = Mapping[str, object]

#: Ranges by the column's type.
SMALLINT = (-(2**15), 2**15 - 1)
INTEGER = (-(2**31), 2**31 - 1)
BIGINT = (-(2**63), 2**63 - 1)
OFFER_ID = (1, 4_294_967_295)

_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]{1,9})?")
_LONGEST_TEXT = 1000
_PLACES = Decimal("0.0001")
_PRICE_LIMIT = Decimal(10) ** 14
_MONEY = Context(prec=40, rounding=ROUND_HALF_UP)
_FLAGS = {"0": False, "1": True, "false": False, "true": True}


class UnreadableValue(ValueError):
    """A value cannot be represented; the text says which field and why, as a reject's reason."""

    def __init__(self, says: str, *, field: str, value: object = None, kind: Kind = "unexpected type") -> None:
        super().__init__(says)
        self.field = field
        self.value = value
        self.kind: Kind = kind


def unreadable(field: str, value: object, problem: str, kind: Kind = "unexpected type") -> UnreadableValue:
    """The error for a value that is not what its field holds; `problem` goes on from "… is 7, "."""
    return UnreadableValue(f"{field} is {shown(value)}, {problem}", field=field, value=value, kind=kind)


def offer_id(row: Row) -> int:
    """The seller's own id of the offer."""
    if row.get("id") is None:
        raise UnreadableValue("id is missing", field="id")
    value = whole(row, "id", OFFER_ID)
    if value is None:
        raise unreadable("id", row["id"], "not a whole number")
    return value


def whole(row: Row, name: str, limits: tuple[int, int]) -> int | None:
    """A whole number within the column's range."""
    value = row.get(name)
    if type(value) is not int:
        if is_blank(value):
            return None
        value = _whole(name, value)
    if not limits[0] <= value <= limits[1]:
        raise unreadable(name, row[name], f"outside of {limits[0]} to {limits[1]}", "out of range")
    return value


def is_blank(value: object) -> bool:
    """Whether nothing is given: null or empty text."""
    return value is None or (isinstance(value, str) and not value.strip())


def _whole(name: str, value: object) -> int:
    number = _number(value)
    if number is None:
        raise unreadable(name, value, "not a whole number")
    if number.adjusted() > 30:
        raise unreadable(name, value, "which is too large", "out of range")
    if number != number.to_integral_value():
        raise unreadable(name, value, "not a whole number")
    return int(number)


def price(row: Row, name: str) -> Decimal | None:
    """An amount of money with four places, from 0 to less than 10^14 (numeric(18,4)), rounded half up."""
    given = number(row, name)
    if given is None:
        return None
    if given < 0:
        raise unreadable(name, row[name], "a negative price", "out of range")
    amount = given.quantize(_PLACES, context=_MONEY).copy_abs() if given.adjusted() < 15 else given
    if amount >= _PRICE_LIMIT:
        raise unreadable(name, row[name], "too large for 14 digits before the point", "out of range")
    return amount


def recommended_price(row: Row, name: str) -> Decimal | None:
    """A recommended price; 0 is how accounts answer that there is none."""
    return price(row, name) or None


def number(row: Row, name: str) -> Decimal | None:
    """A finite number of any size."""
    value = row.get(name)
    if is_blank(value):
        return None
    found = _number(value)
    if found is None:
        raise unreadable(name, value, "not a number")
    return found


def is_numeric(value: object) -> bool:
    """Whether the value is a number, in any spelling and of any size."""
    return _number(value) is not None


def text(row: Row, name: str) -> str | None:
    """A text of any length. A number is taken as its text, as PHP may turn "12" into 12."""
    value = row.get(name)
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise unreadable(name, value, "not a text")
    if isinstance(value, int) and value.bit_length() > 3 * LONGEST_NUMBER:
        raise unreadable(name, value, "which is too large", "out of range")
    return str(value)


def currency(row: Row, name: str) -> str | None:
    """A currency's code, trimmed and in upper case."""
    value = row.get(name)
    if is_blank(value):
        return None
    if not isinstance(value, str):
        raise unreadable(name, value, "not a currency")
    return value.strip().upper()


def ownership(row: Row, name: str) -> int | None:
    """1: the seller may change the content, 2: not. A boolean, which is met more often, has no proven meaning: None."""
    value = row.get(name)
    return None if isinstance(value, bool) else whole(row, name, SMALLINT)


def genius(row: Row, name: str) -> int | None:
    """A number of the Genius programme; true and false are its 1 and 0."""
    value = row.get(name)
    return int(value) if isinstance(value, bool) else whole(row, name, SMALLINT)


def is_given(row: Row, name: str) -> bool | None:
    """Whether a contact is given: a boolean in a page, a list of contacts in a read by id."""
    value = row.get(name)
    return bool(value) if isinstance(value, list | dict) else flag(row, name)


def flag(row: Row, name: str) -> bool | None:
    """Yes or no: a boolean, 0 or 1, or one of these as text."""
    value = row.get(name)
    if isinstance(value, bool):
        return value
    if is_blank(value):
        return None
    found = _FLAGS.get(str(value).strip().lower()) if isinstance(value, int | str) else None
    if found is None:
        raise unreadable(name, value, "neither yes nor no")
    return found


def _number(value: object) -> Decimal | None:
    if isinstance(value, str):
        value = value.strip()
        if len(value) > _LONGEST_TEXT or not _NUMBER.fullmatch(value):
            return None
    elif isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    number = Decimal(str(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite():
        return None
    return number or Decimal(0)
