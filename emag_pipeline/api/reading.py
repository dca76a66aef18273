"""A row while it is read: what cannot be read is null, stays in `raw`, and is noticed.

Source: docs/marketplace-api.md, "Types and spellings".
"""

from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from emag_pipeline.api import storable
from emag_pipeline.api.fields import Row, Unreadable
from emag_pipeline.api.offer import Kind, Surprise
from emag_pipeline.api.storable import Cut
from emag_pipeline.api.structures import part
from emag_pipeline.api.surprises import surprise

T = TypeVar("T")
P = ParamSpec("P")


class Reading:
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
        except Unreadable as problem:
            self.kept.add(name)
            if (self._prefix + name, "out of range") not in self._found:  # else it is known already
                self.notice(name, problem.kind, problem.value)
            return None

    def part(self, name: str) -> "Reading":
        """The object that a field holds, for reading its own fields; an empty one when it cannot be read."""
        return Reading(self.field(part, name) or {}, self._found, f"{self._prefix}{name}.")

    def notice(self, name: str, kind: Kind, value: object) -> None:
        """Note a surprise, once for each field and kind of a row."""
        self._found.setdefault((self._prefix + name, kind), value)

    def surprises(self) -> tuple[Surprise, ...]:
        """What was noticed."""
        return tuple([surprise(field, kind, value) for (field, kind), value in self._found.items()])


def reading_of(row: dict[str, object]) -> Reading:
    """The row, without what PostgreSQL cannot hold."""
    reading = Reading(row)
    if not storable.is_storable(row):
        _cut(reading)
        _mend(reading)
    return reading


def _cut(reading: Reading) -> None:
    row = dict(reading.row)
    for name, value in reading.row.items():
        if not storable.is_within_bounds(value, 1):
            row[name] = storable.cut(value, 1)
            reading.notice(name, "out of range", value)
    reading.row = row


def _mend(reading: Reading) -> None:
    row = {}
    for name, value in reading.row.items():
        field, mended = str(storable.mended(name)), storable.mended(value)
        row[field] = mended
        if (field, mended) != (name, value):
            reading.notice(field, "unstorable text", value)
    reading.row = row
