"""A row while it is read: what cannot be read is null, stays in `raw`, and is noticed.

Source: docs/marketplace-api.md, "Types and spellings".
"""

import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Concatenate, ParamSpec, TypeVar, cast

from emag_pipeline.marketplace import json_text
from emag_pipeline.marketplace.fields import Row, UnreadableValue, part
from emag_pipeline.marketplace.surprises import surprise
from emag_pipeline.model import Kind, Surprise

# What PostgreSQL cannot hold: NUL, lone surrogates, numbers without bounds, nesting without end.
#
# Numbers and nesting are cut, and text gets U+FFFD (REPLACEMENT CHARACTER) in these places. Source: PostgreSQL manual,
# "JSON Types", "Numeric Types" and "Character Types"; docs/marketplace-api.md, "Types and spellings".

_LARGEST: int = 10**json_text.LONGEST_NUMBER
_WRONG = re.compile("[\0\ud800-\udfff]")
_CONSTRAINED = frozenset({dict, list, int, float, Decimal})


class Cut(dict[str, str]):
    """An object that shows, of a number which jsonb cannot hold, the beginning."""


def is_storable(row: dict[str, object]) -> bool:
    """Whether PostgreSQL holds all of a row as it is. All of every answer comes through here."""
    return _are_storable(row, 1) and _are_storable(row.values(), 1)


def _are_storable(values: Iterable[object], depth: int) -> bool:
    """Of an object, first its keys and then what they hold."""
    for value in values:
        kind = type(value)
        if kind is str:
            if not _is_text(cast(str, value)):
                return False
        elif isinstance(value, dict | list):
            if depth > json_text.DEEPEST or not _are_storable(value, depth + 1):
                return False
            if isinstance(value, dict) and not _are_storable(value.values(), depth + 1):
                return False
        elif kind in _CONSTRAINED and not _is_number_within_bounds(value):
            return False
    return True


def _is_text(text: str) -> bool:
    if "\0" in text:
        return False
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_within_bounds(value: object, depth: int = 0) -> bool:
    """Whether jsonb holds all numbers in it, and it is not nested deeper than `DEEPEST` levels below a row."""
    if isinstance(value, dict | list):
        items: Iterable[object] = value.values() if isinstance(value, dict) else value
        return depth <= json_text.DEEPEST and all(is_within_bounds(item, depth + 1) for item in items)
    return type(value) not in _CONSTRAINED or _is_number_within_bounds(value)


def _is_number_within_bounds(value: object) -> bool:
    if isinstance(value, int):
        return -_LARGEST < value < _LARGEST
    number = Decimal(value) if isinstance(value, float | Decimal) else Decimal(0)
    _, digits, exponent = number.as_tuple()
    return isinstance(exponent, int) and len(digits) + abs(exponent) <= json_text.LONGEST_NUMBER


def cut(value: object, depth: int = 0) -> object:
    """The value without what `is_within_bounds` objects to."""
    if isinstance(value, dict | list) and depth > json_text.DEEPEST:
        return json_text.NESTED
    if isinstance(value, dict):
        return {key: cut(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [cut(item, depth + 1) for item in value]
    if type(value) in _CONSTRAINED and not _is_number_within_bounds(value):
        return Cut({"out of range": json_text.shown(value)})
    return value


def mended_text(value: object) -> object:
    """The value with U+FFFD in place of what PostgreSQL cannot hold."""
    if isinstance(value, str):
        return _WRONG.sub("\ufffd", value)
    if isinstance(value, dict) and not isinstance(value, Cut):
        return {_WRONG.sub("\ufffd", key): mended_text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [mended_text(item) for item in value]
    return value


T = TypeVar("T")
P = ParamSpec("P")


class RowReading:
    """One object of an answer. `kept` names the fields whose value is in no column, so that `raw` must hold it."""

    __slots__ = ("_found", "_prefix", "kept", "row")

    def __init__(self, row: Row, found: dict[tuple[str, Kind], object] | None = None, prefix: str = "") -> None:
        self.kept: set[str] = set()
        self.row = row
        self._found = {} if found is None else found
        self._prefix = prefix

    def field(
        self, read: Callable[Concatenate[Row, str, P], T | None], name: str, *args: P.args, **kwargs: P.kwargs
    ) -> T | None:
        """The field as `read` reads it; None when it cannot be read."""
        if type(self.row.get(name)) is Cut:
            self.kept.add(name)
            return None
        try:
            return read(self.row, name, *args, **kwargs)
        except UnreadableValue as problem:
            self.kept.add(name)
            if (self._prefix + name, "out of range") not in self._found:  # else it is known already
                self.notice(name, problem.kind, problem.value)
            return None

    def part(self, name: str) -> "RowReading":
        """The object that a field holds, for reading its own fields; an empty one when it cannot be read."""
        return RowReading(self.field(part, name) or {}, self._found, f"{self._prefix}{name}.")

    def notice(self, name: str, kind: Kind, value: object) -> None:
        """Note a surprise, once for each field and kind of a row."""
        self._found.setdefault((self._prefix + name, kind), value)

    def surprises(self) -> tuple[Surprise, ...]:
        """What was noticed."""
        return tuple([surprise(field, kind, value) for (field, kind), value in self._found.items()])


def reading_of(row: dict[str, object]) -> RowReading:
    """The row, without what PostgreSQL cannot hold."""
    reading = RowReading(row)
    if not is_storable(row):
        _cut(reading)
        _mend(reading)
    return reading


def _cut(reading: RowReading) -> None:
    row = dict(reading.row)
    for name, value in reading.row.items():
        if not is_within_bounds(value, 1):
            row[name] = cut(value, 1)
            reading.notice(name, "out of range", value)
    reading.row = row


def _mend(reading: RowReading) -> None:
    row = {}
    for name, value in reading.row.items():
        field, mended = str(mended_text(name)), mended_text(value)
        row[field] = mended
        if (field, mended) != (name, value):
            reading.notice(field, "unstorable text", value)
    reading.row = row
