"""The shape of JSON values by path: types, lengths and counts, never a value.

The format of a description is documented in `emag_pipeline.sandbox.like`, which serves such shapes.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Set
from decimal import Decimal
from typing import Any

# Which keys of an object are field names, and which may be data themselves and are therefore not shown.

#: Stands in a path for such keys.
ANY_KEY = "*"
ANY_LOCALE = "{locale}"
#: An object with more names than this, besides the known ones, is keyed by data.
MOST_NAMES = 40

_LOCALE = re.compile(r"[a-z]{2}_[A-Z]{2}")
_NAME = re.compile(r"[a-z][A-Za-z_]{0,39}")


def shown(key: str) -> str:
    """The key if it can be a field name (letters and underscores, lower case first), otherwise its placeholder."""
    if _LOCALE.fullmatch(key):
        return ANY_LOCALE
    return key if _NAME.fullmatch(key) else ANY_KEY


def is_shown(key: str) -> bool:
    """Whether the key is shown unchanged."""
    return shown(key) == key


ITEM = "[]"
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
_DEEPEST = 20
_MARKS = frozenset({ITEM, ANY_KEY, ANY_LOCALE})

Bounds = dict[str, tuple[int, int]]


class Shapes:
    """The values met at one path and below it."""

    def __init__(self) -> None:
        self.types: Counter[str] = Counter()
        self.parts: dict[str, Shapes] = {}
        self._counts: dict[str, Counter[str]] = {
            name: Counter() for name in ("empty", "zero", "negative", "numeric_texts")
        }
        self._bounds: dict[str, Bounds] = {"length": {}, "digits": {}, "decimals": {}}

    @property
    def met(self) -> int:
        """How many values were met."""
        return self.types.total()

    def meet(self, value: object, depth: int = 0) -> None:
        """Take in one value and everything in it, down to 20 levels."""
        kind = kind_of(value)
        self.types[kind] += 1
        if isinstance(value, str | list | dict):
            self._bound("length", kind, len(value))
            self._count("empty", kind, not value)
        if isinstance(value, str):
            self._count("numeric_texts", kind, bool(_NUMBER.fullmatch(value)))
        elif kind in ("integer", "decimal"):
            self._meet_number(kind, Decimal(str(value)))
        elif depth < _DEEPEST:
            for name, part in _parts(value):
                self.parts.setdefault(name, Shapes()).meet(part, depth + 1)

    def _meet_number(self, kind: str, number: Decimal) -> None:
        if not number.is_finite():
            return
        exponent = number.as_tuple().exponent
        assert isinstance(exponent, int)  # noqa: S101 - it is finite
        self._bound("digits", kind, max(1, number.adjusted() + 1))
        if kind == "decimal":
            self._bound("decimals", kind, max(0, -exponent))
        self._count("zero", kind, not number)
        self._count("negative", kind, number < 0)

    def _bound(self, what: str, kind: str, size: int) -> None:
        low, high = self._bounds[what].get(kind, (size, size))
        self._bounds[what][kind] = min(low, size), max(high, size)

    def _count(self, what: str, kind: str, is_so: bool) -> None:
        if is_so:
            self._counts[what][kind] += 1

    def settle(self, known: Set[str] = frozenset()) -> None:
        """Treat names as data if there are too many of them, besides the known ones."""
        names = self.parts.keys() - _MARKS - known
        if len(names) > MOST_NAMES:
            together = self.parts.setdefault(ANY_KEY, Shapes())
            for name in names:
                together.add(self.parts.pop(name))
            if not known:
                self._rename("object", "map")
        for part in self.parts.values():
            part.settle()

    def _rename(self, old: str, new: str) -> None:
        self.types[new] += self.types.pop(old, 0)
        for counts in self._counts.values():
            counts[new] += counts.pop(old, 0)
        for bounds in self._bounds.values():
            if old in bounds:
                low, high = bounds.pop(old)
                bounds[new] = min(low, bounds.get(new, (low, high))[0]), max(high, bounds.get(new, (low, high))[1])

    def add(self, other: "Shapes") -> None:
        """Merge the values met elsewhere."""
        self.types += other.types
        for name, counts in other._counts.items():
            self._counts[name] += counts
        for name, bounds in other._bounds.items():
            for kind, (low, high) in bounds.items():
                self._bound(name, kind, low)
                self._bound(name, kind, high)
        for name, part in other.parts.items():
            self.parts.setdefault(name, Shapes()).add(part)

    def described(self, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
        """Each path below this one with its figures, in alphabetical order."""
        for name in sorted(self.parts):
            part = self.parts[name]
            inner = path + name if name == ITEM or not path else f"{path}.{name}"
            absent = self.types["object"] - part.met if name not in _MARKS else 0
            yield inner, part._figures(absent)
            yield from part.described(inner)

    def _figures(self, absent: int) -> dict[str, Any]:
        counts = {name: dict(+counts) for name, counts in self._counts.items() if +counts}
        bounds = {name: {kind: list(one) for kind, one in found.items()} for name, found in self._bounds.items()}
        basic = {"types": dict(self.types.most_common())} | ({"absent": absent} if absent else {})
        return basic | counts | {name: found for name, found in bounds.items() if found}


def kind_of(value: object) -> str:
    """The type of a JSON value; `map` is an object all of whose keys may be data, as PHP makes of a list."""
    if isinstance(value, dict):
        return "map" if value and not any(map(is_shown, value)) else "object"
    if isinstance(value, bool):
        return "boolean"
    kinds = {type(None): "null", int: "integer", str: "text", list: "list"}
    return kinds.get(type(value), "decimal")


def _parts(value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, list):
        yield from ((ITEM, item) for item in value)
    elif isinstance(value, Mapping):
        marks = {shown(key) for key in value}
        locales = ANY_LOCALE if marks == {ANY_LOCALE} else ANY_KEY
        yield from ((key if is_shown(key) else locales, part) for key, part in value.items())
