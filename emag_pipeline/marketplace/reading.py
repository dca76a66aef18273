"""Parses a row field by field: unreadable values become null, stay in `raw` and are recorded as surprises.

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

# Values that PostgreSQL cannot store: NUL, lone surrogates, huge numbers, deep nesting.
#
# Numbers and nesting are cut; in text these characters become U+FFFD (REPLACEMENT CHARACTER). Source: PostgreSQL
# manual, "JSON Types", "Numeric Types" and "Character Types"; docs/marketplace-api.md, "Types and spellings".

_LARGEST: int = 10**json_text.LONGEST_NUMBER
_WRONG = re.compile("[\0\ud800-\udfff]")
_CONSTRAINED = frozenset({dict, list, int, float, Decimal})


class Cut(dict[str, str]):
    """Replaces a number that jsonb cannot hold; shows its first digits."""


def is_storable(row: dict[str, object]) -> bool:
    """Whether PostgreSQL can store the whole row unchanged. Called for every row, so it has to be fast."""
    return _are_storable(row, 1) and _are_storable(row.values(), 1)


def _are_storable(values: Iterable[object], depth: int) -> bool:
    """For an object this is called with its keys, then with its values."""
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
    """Whether jsonb can hold all its numbers, and it is not nested deeper than `DEEPEST` levels below a row."""
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
    """The value with everything cut that is not `is_within_bounds`."""
    if isinstance(value, dict | list) and depth > json_text.DEEPEST:
        return json_text.NESTED
    if isinstance(value, dict):
        return {key: cut(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [cut(item, depth + 1) for item in value]
    if type(value) in _CONSTRAINED and not _is_number_within_bounds(value):
        return Cut({"out of range": json_text.shown(value)})
    return value


def repaired_text(value: object) -> object:
    """The value with U+FFFD for every character that PostgreSQL cannot store."""
    if isinstance(value, str):
        return _WRONG.sub("\ufffd", value)
    if isinstance(value, dict) and not isinstance(value, Cut):
        return {_WRONG.sub("\ufffd", key): repaired_text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [repaired_text(item) for item in value]
    return value


T = TypeVar("T")
P = ParamSpec("P")


class RowReading:
    """One object of a response. `kept` names the fields whose value is in no column, so that `raw` must hold it."""

    __slots__ = ("_found", "_prefix", "kept", "row")

    def __init__(self, row: Row, found: dict[tuple[str, Kind], object] | None = None, prefix: str = "") -> None:
        self.kept: set[str] = set()
        self.row = row
        self._found = {} if found is None else found
        self._prefix = prefix

    def field(
        self, read: Callable[Concatenate[Row, str, P], T | None], name: str, *args: P.args, **kwargs: P.kwargs
    ) -> T | None:
        """The field as parsed by `read`; None if it cannot be read."""
        if type(self.row.get(name)) is Cut:
            self.kept.add(name)
            return None
        try:
            return read(self.row, name, *args, **kwargs)
        except UnreadableValue as problem:
            self.kept.add(name)
            if (self._prefix + name, "out of range") not in self._found:  # else it is recorded already
                self.notice(name, problem.kind, problem.value)
            return None

    def part(self, name: str) -> "RowReading":
        """A reading of the object in a field; of an empty object if it cannot be read."""
        return RowReading(self.field(part, name) or {}, self._found, f"{self._prefix}{name}.")

    def notice(self, name: str, kind: Kind, value: object) -> None:
        """Record a surprise, once per field and kind."""
        self._found.setdefault((self._prefix + name, kind), value)

    def surprises(self) -> tuple[Surprise, ...]:
        """The recorded surprises."""
        return tuple([surprise(field, kind, value) for (field, kind), value in self._found.items()])


def reading_of(row: dict[str, object]) -> RowReading:
    """A reading of the row, with values replaced that PostgreSQL cannot store."""
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
        field, repaired = str(repaired_text(name)), repaired_text(value)
        row[field] = repaired
        if (field, repaired) != (name, value):
            reading.notice(field, "unstorable text", value)
    reading.row = row
