"""The figures of a path in a probe's file, and of the paths below it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

TYPES = ("null", "boolean", "integer", "decimal", "text", "list", "map", "object")
ITEM, ANY_KEY, ANY_LOCALE = "[]", "*", "{locale}"

_STEP = re.compile(r"\[\]|\.?(?:\*|\{locale\}|[A-Za-z_]\w*)")
_COUNTS = ("types", "empty", "zero", "negative", "numeric_texts")
_BOUNDS = ("length", "digits", "decimals")
KNOWN = (*_COUNTS, *_BOUNDS, "absent")
#: limits within which a sandbox can respond in reasonable time
_MOST = 1_000_000
_MOST_DIGITS, _MOST_ITEMS = 300, 10_000

Counts = dict[str, int]
Bounds = dict[str, tuple[int, int]]


@dataclass(slots=True)
class Figures:
    """The values seen at one path."""

    types: Counts = field(default_factory=dict)
    absent: int = 0
    empty: Counts = field(default_factory=dict)
    zero: Counts = field(default_factory=dict)
    negative: Counts = field(default_factory=dict)
    numeric_texts: Counts = field(default_factory=dict)
    length: Bounds = field(default_factory=dict)
    digits: Bounds = field(default_factory=dict)
    decimals: Bounds = field(default_factory=dict)
    parts: "dict[str, Figures]" = field(default_factory=dict)

    @property
    def met(self) -> int:
        """How many values were seen."""
        return sum(self.types.values())


def figures_of(rows: int, fields: Mapping[str, Any]) -> Figures:
    """The tree of all paths. Raises ValueError with the path that is invalid."""
    root = Figures(types={"object": rows})
    for path, given in fields.items():
        steps = _steps(path)
        place = root
        for step in steps[:-1]:
            place = place.parts.setdefault(step, Figures())
        below = place.parts[steps[-1]].parts if steps[-1] in place.parts else {}
        place.parts[steps[-1]] = _read(path, given, below)
    return root


def _steps(path: str) -> list[str]:
    found = _STEP.findall(path)
    if not found or "".join(found) != path:
        raise ValueError(f"the path {path[:60]!r} is not of the form name, name[].name or name.*")
    return [step.removeprefix(".") for step in found]


def _read(path: str, given: object, parts: dict[str, Figures]) -> Figures:
    if not isinstance(given, Mapping) or not isinstance(given.get("types"), Mapping):
        raise ValueError(f"{path} is not an object with types")
    if unknown := sorted(given.keys() - set(KNOWN)):
        raise ValueError(f"{path} has the unknown key {unknown[0]!r}; the known ones are {', '.join(KNOWN)}")
    figures: dict[str, Any] = {name: _counts(f"{path}, {name}", given.get(name, {})) for name in _COUNTS}
    figures |= {name: _bounds(f"{path}, {name}", given.get(name, {}), name) for name in _BOUNDS}
    return Figures(**figures, absent=_number(f"{path}, absent", given.get("absent", 0)), parts=parts)


def _counts(where: str, given: object) -> Counts:
    return {kind: _number(where, number) for kind, number in _by_type(where, given).items()}


def _bounds(where: str, given: object, name: str) -> Bounds:
    found = {}
    for kind, pair in _by_type(where, given).items():
        if not isinstance(pair, list) or len(pair) != 2:
            raise ValueError(f"{where} is not [least, most] for {kind}")
        low, high = (_number(where, one) for one in pair)
        most = _MOST_DIGITS if name != "length" else _MOST if kind == "text" else _MOST_ITEMS
        if not low <= high <= most:
            raise ValueError(f"{where} is not [least, most] with at most {most:,} for {kind}")
        found[kind] = (low, high)
    return found


def _by_type(where: str, given: object) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise ValueError(f"{where} is not an object by type")
    if strange := sorted(given.keys() - set(TYPES)):
        raise ValueError(f"{where} has the unknown type {strange[0]!r}; the known ones are {', '.join(TYPES)}")
    return given


def _number(where: str, value: object) -> int:
    if type(value) is not int or not 0 <= value <= _MOST:
        raise ValueError(f"{where} is {str(value)[:20]!r}, but must be a whole number from 0 to {_MOST:,}")
    return value
