"""Values for shapes: an offer's own where the shape can express them, else another offer's, else invented ones."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from emag_pipeline.sandbox.like.figures import ANY_LOCALE, ITEM
from emag_pipeline.sandbox.like.shape import Shape

#: says that a shape cannot express a value
NOTHING = object()

_LOCALES = ("ro_RO", "en_GB", "bg_BG", "hu_HU", "pl_PL", "de_DE", "el_GR", "cs_CZ", "sk_SK", "fr_FR", "it_IT", "es_ES")
_WORDS = "lorem ipsum dolor sit amet consectetur adipiscing elit "
_MOST_SAMPLES = 20

Pool = Mapping[str, list[Any]]


def expressed(shape: Shape, value: Any) -> Any:
    """The value in the shape's type, without loss; NOTHING where that is not possible."""
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
    """JSON of this shape. `turn` numbers the offers: it decides what is invented."""
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
    told = expressed(shape, value)
    return _invented(shape, path, turn, pool) if told is NOTHING else told


def pool_of(offers: Iterable[Mapping[str, Any]]) -> Pool:
    """Some single values of offers by path, for offers that have none of their own."""
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
        told = expressed(shape, known[(turn + place) % len(known)])
        if told is not NOTHING:
            return told
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
