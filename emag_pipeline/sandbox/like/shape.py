"""Shapes distributed so that they reproduce every figure of the probe, and values for them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from math import gcd
from typing import Any, TypeVar

from emag_pipeline.sandbox.catalogue.chance import number
from emag_pipeline.sandbox.like.figures import ANY_KEY, ANY_LOCALE, ITEM, Figures

T = TypeVar("T")

_MARKS = frozenset({ITEM, ANY_KEY, ANY_LOCALE})


@dataclass(frozen=True, slots=True)
class Shape:
    """The shape of one value. `items` are those of a list or map, `parts` those of an object, by name."""

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
    """One shape per place. Rare types of different paths are assigned to different places."""
    shapes = [
        shape
        for kind, share in apportioned(figures.types, places).items()
        if share
        for shape in _of_kind(figures, kind, share, path)
    ]
    return _mixed(shapes, path)


def apportioned(counts: Mapping[str, int], places: int) -> dict[str, int]:
    """The places divided in proportion to the counts; exactly the counts if they add up to the places."""
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
    """How many of `share` values of a type are among those counted."""
    return min(share, round(counts.get(kind, 0) * share / figures.types[kind]))


def _spread(bounds: tuple[int, int], places: int) -> list[int]:
    """Values from the least to the most; both occur if there are at least two places."""
    low, high = bounds
    return [high - (high - low) * place // max(1, places - 1) for place in range(places)]


def _sizes(places: int, empty: int, bounds: tuple[int, int], total: int) -> list[int]:
    """The number of items of each list, adding up to the total; at least one list has the most."""
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


# Values for shapes: an offer's own if the shape can express it, else another offer's, else an invented one.

#: marks a value that a shape cannot express
NOTHING = object()

_LOCALES = ("ro_RO", "en_GB", "bg_BG", "hu_HU", "pl_PL", "de_DE", "el_GR", "cs_CZ", "sk_SK", "fr_FR", "it_IT", "es_ES")
_WORDS = "lorem ipsum dolor sit amet consectetur adipiscing elit "
_MOST_SAMPLES = 20

Pool = Mapping[str, list[Any]]


def expressed(shape: Shape, value: Any) -> Any:
    """The value in the shape's type, without loss; NOTHING if that is not possible."""
    if shape.kind == "text":
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return str(value) if is_number or (isinstance(value, str) and value and shape.length) else NOTHING
    if shape.kind == "integer" and isinstance(value, int | float) and value == int(value):
        return int(value)
    if shape.kind == "decimal" and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if shape.kind == "boolean" and value in (0, 1):
        return bool(value)
    return NOTHING


def served(shape: Shape, path: str, value: Any, turn: int, pool: Pool) -> Any:
    """JSON of this shape. `turn` is the offer's number, from which invented values are derived."""
    if shape.kind == "null":
        return None
    if shape.kind == "object":
        return _object(shape, path, value, turn, pool)
    if shape.kind == "list":
        return list(_items(shape, f"{path}{ITEM}", value, turn, pool))
    if shape.kind == "map":
        return _map(shape, path, value, turn, pool)
    if shape.kind == "text" and not shape.length:
        return ""
    value_shown = expressed(shape, value)
    return _invented(shape, path, turn, pool) if value_shown is NOTHING else value_shown


def pool_of(offers: Iterable[Mapping[str, Any]]) -> Pool:
    """Some single values of offers by path, for offers that have no value there."""
    pool: dict[str, list[Any]] = {}
    for offer in offers:
        for path, value in _singles(offer, ""):
            known = pool.setdefault(path, [])
            if value is not None and value != "" and len(known) < _MOST_SAMPLES:
                known.append(value)
    return pool


def _singles(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, part in value.items():
            step = ANY_LOCALE if name in _LOCALES else name
            yield from _singles(part, f"{path}.{step}" if path else step)
    elif isinstance(value, list):
        for item in value:
            yield from _singles(item, f"{path}{ITEM}")
    else:
        yield path, value


def _object(shape: Shape, path: str, value: Any, turn: int, pool: Pool) -> dict[str, Any]:
    first = value[0] if isinstance(value, list) and value else value
    own = first if isinstance(first, dict) else {}
    return {
        name: served(part, f"{path}.{name}" if path else name, own.get(name), turn, pool)
        for name, part in shape.parts.items()
    }


def _items(shape: Shape, path: str, value: Any, turn: int, pool: Pool) -> Iterator[Any]:
    own = value if isinstance(value, list) else [value]
    for place, item in enumerate(shape.items):
        yield served(item, path, own[place % len(own)] if own else None, turn + place, pool)


def _map(shape: Shape, path: str, value: Any, turn: int, pool: Pool) -> dict[str, Any]:
    own = value if isinstance(value, dict) else {}
    if not shape.is_by_locale:
        items = list(own.values()) or value
        return {str(place): item for place, item in enumerate(_items(shape, f"{path}{ITEM}", items, turn, pool))}
    names = dict.fromkeys([*own, *_LOCALES])
    return {
        name: served(item, f"{path}.{ANY_LOCALE}", own.get(name), turn + place, pool)
        for place, (name, item) in enumerate(zip(names, shape.items, strict=False))
    }


def _invented(shape: Shape, path: str, turn: int, pool: Pool) -> Any:
    if shape.is_zero:
        return 0 if shape.kind == "integer" else 0.0
    if shape.kind == "boolean":
        return turn % 2 == 1
    known = pool.get(path, [])
    for place in range(len(known)):
        value_shown = expressed(shape, known[(turn + place) % len(known)])
        if value_shown is not NOTHING:
            return value_shown
    return _text(shape, turn) if shape.kind == "text" else _number(shape, turn)


def _number(shape: Shape, turn: int) -> int | float:
    least = 10 ** (shape.digits - 1)
    whole = least + turn * 7 % (9 * least)
    sign = -1 if shape.is_negative else 1
    return sign * whole if shape.kind == "integer" else float(f"{sign * whole}.{'7' * max(1, shape.decimals)}")


def _text(shape: Shape, turn: int) -> str:
    if shape.is_numeric:
        return str(1 + turn % 9) * shape.length
    start = turn % len(_WORDS)
    return (_WORDS[start:] + _WORDS * (shape.length // len(_WORDS) + 1))[: shape.length]
