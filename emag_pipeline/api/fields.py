"""Single values of a row: lenient about PHP's spellings, strict about what they mean (emag-api.md, section 8).

Each function takes a row and a field's name. An absent field, null and "" are all "not given".
"""

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Context, Decimal

from emag_pipeline.api.json_text import shown

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


class Unreadable(ValueError):
    """A row cannot be represented; the text says which field and why, as a reject's reason."""


def offer_id(row: Row) -> int:
    """The seller's own id of the offer."""
    if row.get("id") is None:
        raise Unreadable("id is missing")
    value = whole(row, "id", OFFER_ID)
    if value is None:
        raise Unreadable("id is '', not a whole number")
    return value


def whole(row: Row, name: str, limits: tuple[int, int]) -> int | None:
    """A whole number within the column's range."""
    value = row.get(name)
    if value is None or value == "":
        return None
    if type(value) is not int:
        value = _whole(name, value)
    if not limits[0] <= value <= limits[1]:
        raise Unreadable(f"{name} is {shown(row[name])}, outside of {limits[0]} to {limits[1]}")
    return value


def _whole(name: str, value: object) -> int:
    number = _number(value)
    if number is None:
        raise Unreadable(f"{name} is {shown(value)}, not a whole number")
    if number.adjusted() > 30:
        raise Unreadable(f"{name} is {shown(value)}, which is too large")
    if number != number.to_integral_value():
        raise Unreadable(f"{name} is {shown(value)}, not a whole number")
    return int(number)


def stock(row: Row, name: str) -> int | None:
    """A stock; what is not a number at all is no stock, and no error."""
    if _number(row.get(name)) is None:
        return None
    return whole(row, name, BIGINT)


def price(row: Row, name: str) -> Decimal | None:
    """An amount of money with four places, from 0 to less than 10^14 (numeric(18,4)), rounded half up."""
    given = number(row, name)
    if given is None:
        return None
    if given < 0:
        raise Unreadable(f"{name} is {shown(row[name])}, a negative price")
    amount = given.quantize(_PLACES, context=_MONEY).copy_abs() if given.adjusted() < 15 else given
    if amount >= _PRICE_LIMIT:
        raise Unreadable(f"{name} is {shown(row[name])}, too large for 14 digits before the point")
    return amount


def number(row: Row, name: str) -> Decimal | None:
    """A finite number of any size."""
    value = row.get(name)
    if value is None or value == "":
        return None
    found = _number(value)
    if found is None:
        raise Unreadable(f"{name} is {shown(value)}, not a number")
    return found


def text(row: Row, name: str) -> str | None:
    """A text of any length. A number is taken as its text, as PHP may turn "12" into 12."""
    value = row.get(name)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return str(value)
    raise Unreadable(f"{name} is {shown(value)}, not a text")


def genius(row: Row, name: str) -> int | None:
    """A number of the Genius programme; true and false are its 1 and 0."""
    value = row.get(name)
    return int(value) if isinstance(value, bool) else whole(row, name, SMALLINT)


def is_given(row: Row, name: str) -> bool | None:
    """Whether a contact is given: a boolean in a page, a list of contacts in a read by id."""
    value = row.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, bool | list | dict):
        return bool(value)
    given = _FLAGS.get(str(value).lower())
    if given is None:
        raise Unreadable(f"{name} is {shown(value)}, neither a boolean nor a list of contacts")
    return given


def flag(row: Row, name: str) -> bool | None:
    """Yes or no: a boolean, 0 or 1, or one of these as text."""
    value = row.get(name)
    if value is None or value == "":
        return None
    if str(value).lower() not in _FLAGS:
        raise Unreadable(f"{name} is {shown(value)}, neither yes nor no")
    return _FLAGS[str(value).lower()]


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
