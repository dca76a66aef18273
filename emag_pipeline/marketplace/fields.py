"""Readers for the fields of a row: lenient about PHP's spellings of a value, strict about its meaning.

A reader takes a row and the field's name. A missing field, null and empty text all mean "not given". A value that
cannot be read raises UnreadableValue; the caller decides about the consequences.
Source: docs/marketplace-api.md, "Types and spellings".
"""

import re
from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Context, Decimal

from emag_pipeline.marketplace.json_text import LONGEST_NUMBER, canonical, shown
from emag_pipeline.marketplace.surprises import SELLER_INPUT
from emag_pipeline.model import Kind

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
    """A value cannot be represented; the text names the field and the problem, as in a reject's reason."""

    def __init__(self, says: str, *, field: str, value: object = None, kind: Kind = "unexpected type") -> None:
        super().__init__(says)
        self.field = field
        self.value = value
        self.kind: Kind = kind


def unreadable(field: str, value: object, problem: str, kind: Kind = "unexpected type") -> UnreadableValue:
    """The error for a value of the wrong type or range; `problem` completes "<field> is 7, …"."""
    return UnreadableValue(f"{field} is {shown(value)}, {problem}", field=field, value=value, kind=kind)


def offer_id(row: Row) -> int:
    """The seller's own id for the offer."""
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
        raise unreadable(name, row[name], f"outside {limits[0]} to {limits[1]}", "out of range")
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
    """A recommended price; the marketplace returns 0 if there is none."""
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
    """Whether the value is a number of any size, also written as text."""
    return _number(value) is not None


def text(row: Row, name: str) -> str | None:
    """A text of any length. Numbers are converted to text, since PHP may turn "12" into 12."""
    value = row.get(name)
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise unreadable(name, value, "not a text")
    if isinstance(value, int) and value.bit_length() > 3 * LONGEST_NUMBER:
        raise unreadable(name, value, "which is too large", "out of range")
    return str(value)


def currency(row: Row, name: str) -> str | None:
    """A currency code, trimmed and in upper case."""
    value = row.get(name)
    if is_blank(value):
        return None
    if not isinstance(value, str):
        raise unreadable(name, value, "not a currency")
    return value.strip().upper()


def ownership(row: Row, name: str) -> int | None:
    """1: the seller may change the content, 2: not. Booleans are more common but of unproven meaning: None."""
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


# Lists and objects, with PHP's spellings normalised: equal content gives equal text.

_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_EMPTY: tuple[object, ...] = (None, "", [], {})


def listed(name: str, value: object) -> list[object] | None:
    """A list, also if PHP wrote it as an object with the keys "0", "1", …. None if it is not given."""
    if is_blank(value):
        return None
    if isinstance(value, list):
        return value
    if isinstance(value, dict) and is_keyed_list(value):
        return [value[key] for key in sorted(value, key=int)]
    raise unreadable(name, value, "not a list")


def is_keyed_list(value: Mapping[str, object]) -> bool:
    """Whether an object is a list as PHP may write it, with digits as keys; true for an empty object."""
    return all(key.isascii() and key.isdigit() and len(key) < 10 for key in value)


def items(row: Row, name: str, *, numbers: tuple[str, ...], texts: tuple[str, ...] = ()) -> str | None:
    """A list of small objects as canonical JSON text; `numbers` and `texts` name the keys with these types."""
    found = listed(name, row.get(name))
    return None if found is None else canonical([_item(name, one, numbers, texts) for one in found])


def _item(name: str, item: object, numbers: tuple[str, ...], texts: tuple[str, ...]) -> object:
    if not isinstance(item, dict):
        raise unreadable(name, item, "not a list of objects")
    typed: dict[str, object] = {key: whole(item, key, BIGINT) for key in numbers if key in item}
    typed |= {key: _as_text(item[key]) for key in texts if key in item}
    return item | typed


def dates(row: Row, name: str) -> str | None:
    """A list of dates as canonical JSON text: plain texts, or objects that name a warehouse."""
    found = listed(name, row.get(name))
    for one in found or []:
        if not isinstance(one, str | dict):
            raise unreadable(name, one, "not a list of dates")
    return None if found is None else canonical(plain(found))


def eans(row: Row, name: str) -> tuple[str, ...]:
    """The EANs; the marketplace may send a single one without a list, and as a number."""
    value = row.get(name)
    if isinstance(value, str | int) and not isinstance(value, bool):
        value = [value]
    found = listed(name, value) or []
    found_codes = [text({name: one}, name) for one in found]
    return tuple([code for code in found_codes if code is not None and code.strip()])


def part(row: Row, name: str) -> Row | None:
    """An object; None if it is not given or an empty list."""
    value = row.get(name)
    if is_blank(value) or value == []:
        return None
    if not isinstance(value, dict):
        raise unreadable(name, value, "not an object")
    return value


Verdict = dict[str, object]


def verdicts(row: Row, name: str) -> list[Verdict]:
    """The marketplace's verdicts: a list of {value, description, errors}, a single such object, or a single code."""
    value = row.get(name)
    is_bare = isinstance(value, int | str) and not is_blank(value)
    if is_bare or (isinstance(value, dict) and "value" in value):
        value = [value]
    return [_verdict(name, one) for one in listed(name, value) or []]


def _verdict(name: str, item: object) -> Verdict:
    verdict = item if isinstance(item, dict) else {"value": item}
    code = whole({name: verdict.get("value")}, name, SMALLINT)
    if code is None:
        raise UnreadableValue(f"{name} holds {shown(item)}, a verdict without a code", field=name, value=item)
    rest = {key: plain(value) for key, value in verdict.items() if value not in _EMPTY}
    return rest | {"value": code}


def codes(found: Iterable[Verdict]) -> tuple[int, ...]:
    """The codes of the verdicts."""
    return tuple([int(str(verdict["value"])) for verdict in found])


def errors(row: Row, name: str) -> str | None:
    """A list, an object or a text of errors, as canonical JSON text; None if there are none."""
    value = row.get(name)
    if is_blank(value) or value in _EMPTY or value is False:
        return None
    if not isinstance(value, str | list | dict):
        raise unreadable(name, value, "no errors")
    return canonical(plain(value))


def plain(value: object) -> object:
    """Any JSON value normalised: keyed lists become lists; whole numbers as text or decimals become integers.

    `seller_input` is removed (docs/privacy.md).
    """
    if isinstance(value, dict):
        if value and is_keyed_list(value):
            return [plain(value[key]) for key in sorted(value, key=int)]
        return {key: plain(item) for key, item in value.items() if key != SELLER_INPUT}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return _as_whole(value)


def _as_whole(value: object) -> object:
    if isinstance(value, str):
        return int(value) if len(value) < 20 and _WHOLE.fullmatch(value) else value
    if isinstance(value, Decimal):
        is_whole = value.adjusted() < 18 and value == value.to_integral_value()
        return int(value) if is_whole else value.normalize()
    return value


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value


def filled(value: object) -> object:
    """Like `plain`, without object members that are null, "", [] or {}: these all mean "not given"."""
    return _filled(plain(value))


def _filled(value: object) -> object:
    if isinstance(value, dict):
        members = {key: _filled(item) for key, item in value.items()}
        return {key: item for key, item in members.items() if item not in _EMPTY}
    return [_filled(item) for item in value] if isinstance(value, list) else value
