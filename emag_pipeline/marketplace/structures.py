"""Lists and objects of a row, with PHP's spellings undone: equal content gives equal text.

Source: docs/marketplace-api.md, "Types and spellings".
"""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

from emag_pipeline.marketplace.fields import BIGINT, SMALLINT, Row, UnreadableValue, is_blank, text, unreadable, whole
from emag_pipeline.marketplace.json_text import canonical, shown
from emag_pipeline.marketplace.surprises import SELLER_INPUT

_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_EMPTY: tuple[object, ...] = (None, "", [], {})


def listed(name: str, value: object) -> list[object] | None:
    """A list, also when PHP made an object with the keys "0", "1", … of it. None when it is not given."""
    if is_blank(value):
        return None
    if isinstance(value, list):
        return value
    if isinstance(value, dict) and is_keyed_list(value):
        return [value[key] for key in sorted(value, key=int)]
    raise unreadable(name, value, "not a list")


def is_keyed_list(value: Mapping[str, object]) -> bool:
    """Whether an object is a list in PHP's clothes; an empty one is."""
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
    """A list of dates as canonical JSON text: bare texts, or objects that name a warehouse."""
    found = listed(name, row.get(name))
    for one in found or []:
        if not isinstance(one, str | dict):
            raise unreadable(name, one, "not a list of dates")
    return None if found is None else canonical(plain(found))


def eans(row: Row, name: str) -> tuple[str, ...]:
    """The EANs; a single one may come without its list, and as a number."""
    value = row.get(name)
    if isinstance(value, str | int) and not isinstance(value, bool):
        value = [value]
    found = listed(name, value) or []
    found_codes = [text({name: one}, name) for one in found]
    return tuple([code for code in found_codes if code is not None and code.strip()])


def part(row: Row, name: str) -> Row | None:
    """An object; None when it is not given, or empty."""
    value = row.get(name)
    if is_blank(value) or value == []:
        return None
    if not isinstance(value, dict):
        raise unreadable(name, value, "not an object")
    return value


Verdict = dict[str, object]


def verdicts(row: Row, name: str) -> list[Verdict]:
    """The marketplace's verdicts: a list of {value, description, errors}, or a bare one, or a bare code."""
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
    """The bare codes of verdicts."""
    return tuple([int(str(verdict["value"])) for verdict in found])


def errors(row: Row, name: str) -> str | None:
    """A list or an object of errors, or one in words, as canonical JSON text; None when there are none."""
    value = row.get(name)
    if is_blank(value) or value in _EMPTY or value is False:
        return None
    if not isinstance(value, str | list | dict):
        raise unreadable(name, value, "no errors")
    return canonical(plain(value))


def plain(value: object) -> object:
    """Any JSON in one spelling: keyed lists are lists, whole numbers in text or with a point are whole numbers.

    `seller_input` is left out, see `personal`.
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
    """The same as `plain`, without members of objects that hold nothing: null, "", [] and {} are one spelling."""
    return _filled(plain(value))


def _filled(value: object) -> object:
    if isinstance(value, dict):
        members = {key: _filled(item) for key, item in value.items()}
        return {key: item for key, item in members.items() if item not in _EMPTY}
    return [_filled(item) for item in value] if isinstance(value, list) else value
