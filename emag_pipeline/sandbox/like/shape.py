"""The shapes of as many values as were met, dealt out so that every figure is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from math import gcd
from typing import TypeVar

from emag_pipeline.sandbox.catalogue.chance import number
from emag_pipeline.sandbox.like.figures import ANY_KEY, ANY_LOCALE, ITEM, Figures

T = TypeVar("T")

_MARKS = frozenset({ITEM, ANY_KEY, ANY_LOCALE})


@dataclass(frozen=True, slots=True)
class Shape:
    """What one value looks like. `items` are those of a list or map, `parts` those of an object, by name."""

    kind: str
    length: int = 0
    digits: int = 1
    decimals: int = 0
    is_zero: bool = False
    is_negative: bool = False
    is_numeric: bool = False
    items: "tuple[Shape, ...]" = ()
    is_by_locale: bool = False
    parts: "Mapping[str, Shape]" = field(default_factory=dict)


def dealt(figures: Figures, places: int, path: str = "") -> list[Shape]:
    """A shape for each of so many places. Rare types of different paths fall on different places."""
    shapes = [
        shape
        for kind, share in apportioned(figures.types, places).items()
        if share
        for shape in _of_kind(figures, kind, share, path)
    ]
    return _mixed(shapes, path)


def apportioned(counts: Mapping[str, int], places: int) -> dict[str, int]:
    """So many places divided in proportion: exactly the counts where they add up to the places."""
    total = sum(counts.values())
    if not total:
        return {}
    shares = {kind: count * places // total for kind, count in counts.items()}
    by_rest = sorted(counts, key=lambda kind: counts[kind] * places % total, reverse=True)
    for kind in by_rest[: places - sum(shares.values())]:
        shares[kind] += 1
    return shares


def _of_kind(figures: Figures, kind: str, share: int, path: str) -> list[Shape]:
    if kind in ("integer", "decimal"):
        return _numbers(figures, kind, share)
    if kind == "text":
        return _texts(figures, share)
    if kind in ("list", "map"):
        return _collections(figures, kind, share, path)
    if kind == "object":
        return _objects(figures, share, path)
    return [Shape(kind)] * share


def _numbers(figures: Figures, kind: str, share: int) -> list[Shape]:
    zeros, negatives = _share(figures, figures.zero, kind, share), _share(figures, figures.negative, kind, share)
    digits = _spread(figures.digits.get(kind, (1, 1)), share - zeros)
    decimals = _spread(figures.decimals.get(kind, (2, 2)), share - zeros)
    return [Shape(kind, is_zero=True)] * zeros + [
        Shape(kind, digits=whole, decimals=behind, is_negative=place < negatives)
        for place, (whole, behind) in enumerate(zip(digits, decimals, strict=True))
    ]


def _texts(figures: Figures, share: int) -> list[Shape]:
    empty = _share(figures, figures.empty, "text", share)
    numeric = _share(figures, figures.numeric_texts, "text", share)
    low, high = figures.length.get("text", (1, 20))
    lengths = _spread((max(low, 1), max(high, 1)), share - empty)
    filled = [Shape("text", length=length, is_numeric=place < numeric) for place, length in enumerate(lengths)]
    return [Shape("text")] * empty + filled


def _collections(figures: Figures, kind: str, share: int, path: str) -> list[Shape]:
    name = ITEM if kind == "list" else ANY_LOCALE if ANY_LOCALE in figures.parts else ANY_KEY
    items = figures.parts.get(name, Figures())
    total = round(items.met * share / figures.types[kind])
    sizes = _sizes(share, _share(figures, figures.empty, kind, share), figures.length.get(kind, (0, total)), total)
    shapes = iter(dealt(items, sum(sizes), f"{path}.{name}"))
    return [Shape(kind, items=tuple(islice(shapes, size)), is_by_locale=name == ANY_LOCALE) for size in sizes]


def _objects(figures: Figures, share: int, path: str) -> list[Shape]:
    full = share - _share(figures, figures.empty, "object", share)
    parts: list[dict[str, Shape]] = [{} for _ in range(full)]
    for name, part in figures.parts.items():
        if name in _MARKS or not (possible := part.met + part.absent):
            continue
        inner = f"{path}.{name}"
        shapes = dealt(part, min(full, round(part.met * share / possible)), inner)
        for place, shape in zip(_order(full, inner), shapes, strict=False):
            parts[place][name] = shape
    return [Shape("object")] * (share - full) + [Shape("object", parts=one) for one in parts]


def _share(figures: Figures, counts: Mapping[str, int], kind: str, share: int) -> int:
    """How many of so many values of a type are among those counted."""
    return min(share, round(counts.get(kind, 0) * share / figures.types[kind]))


def _spread(bounds: tuple[int, int], places: int) -> list[int]:
    """From the least to the most, both of them met where there are two places."""
    low, high = bounds
    return [high - (high - low) * place // max(1, places - 1) for place in range(places)]


def _sizes(places: int, empty: int, bounds: tuple[int, int], total: int) -> list[int]:
    """How many items each list has, so that there are as many of them in all; at least one has the most."""
    low, high = max(1, bounds[0]), max(1, bounds[1])
    full = places - empty
    if not total or not full:
        return [0] * places
    sizes = [high] + [low] * (full - 1)
    growing = range(1, full - 1) or range(1, full)  # the last one keeps the least
    more = min(max(0, total - sum(sizes)), len(growing) * (high - low))
    for place in growing:
        sizes[place] += more // len(growing) + (place <= more % len(growing))
    return [0] * empty + sizes


def _mixed(shapes: Sequence[T], path: str) -> list[T]:
    return [shapes[place] for place in _order(len(shapes), path)]


def _order(size: int, path: str) -> list[int]:
    """All places once, in an order that depends on the path: multiplication by a number coprime to the size."""
    factor = number("like", path) % max(1, size)
    while gcd(factor, size) != 1:
        factor += 1
    return [(place * factor + number("from", path)) % size for place in range(size)]
