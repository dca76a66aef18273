"""The shapes of a probed account, read from a probe's file, and the sandbox's offers in those shapes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from emag_pipeline.sandbox.catalogue.catalogue import Catalogue
from emag_pipeline.sandbox.catalogue.numbering import FIRST_ID, STRIDE
from emag_pipeline.sandbox.catalogue.shapes import meant
from emag_pipeline.sandbox.like.figures import Figures, figures_of
from emag_pipeline.sandbox.like.shape import NOTHING, Shape, dealt, expressed, pool_of, served

# The shapes of a probed account, and the sandbox's offers in those shapes.

Offer = dict[str, Any]

#: after this many offers the shapes repeat
_MOST_SHAPES = 500
_SAMPLED = 400
_ID = Shape("integer", digits=6)


@dataclass(frozen=True)
class Likeness:
    """The content of a file. `settings` are the sandbox's; `counts_as_text` is None if counts occur in both forms."""

    rows: int
    figures: Figures
    keeps_others: bool
    counts_as_text: bool | None
    settings: Mapping[str, Any]

    @cached_property
    def shapes(self) -> list[Shape]:
        """One shape for each offer that was seen."""
        return dealt(self.figures, min(self.rows, _MOST_SHAPES))


class LikeShapes:
    """The shapes of one account's offers, used instead of the sandbox's own `Shapes`."""

    def __init__(self, likeness: Likeness, catalogue: Catalogue) -> None:
        self._likeness = likeness
        offers = (catalogue.offer(offer_id) for offer_id in catalogue.ids(0, _SAMPLED))
        self._pool = pool_of(offer for offer in offers if offer is not None)

    def true(self, offer: Offer, edits: Mapping[str, Any]) -> Offer:
        """The offer as a correct reader must understand it, without the fields that are not served."""
        shape, given = self._shape(offer), self.served(offer)
        held = {name: _truth(shape.parts.get(name), name, offer.get(name), value) for name, value in given.items()}
        return held | {"id": offer["id"]} | {name: meant(name, value) for name, value in edits.items()}

    def served(self, offer: Offer) -> Offer:
        """The offer as it is sent, without its edits."""
        turn, shape = _turn(offer), self._shape(offer)
        others = {name: value for name, value in offer.items() if name not in self._likeness.figures.parts}
        kept = others if self._likeness.keeps_others else {}
        given: Offer = served(shape, "", offer, turn, self._pool)
        name = shape.parts.get("id", _ID)
        as_text = name.kind == "text" and name.is_numeric
        return (
            {"id": str(offer["id"]) if as_text else offer["id"]}
            | kept
            | {name: value for name, value in given.items() if name != "id"}
        )

    def _shape(self, offer: Offer) -> Shape:
        return self._likeness.shapes[_turn(offer) % len(self._likeness.shapes)]


def _turn(offer: Offer) -> int:
    return int(offer["id"] - FIRST_ID) // STRIDE


def _truth(shape: Shape | None, name: str, own: Any, given: Any) -> Any:
    """The sandbox's own value if the served one expresses it; else the served one, null if it has no meaning."""
    if given is None or given == "":
        return None
    if shape is None:
        return meant(name, own)
    if shape.kind in ("integer", "decimal", "text") and expressed(shape, own) is not NOTHING:
        return own
    return meant(name, given)


FORMAT = 1
_LARGEST_BYTES = 16 * 2**20
#: reads with fewer rows do not show the time per row
_MANY_ROWS = 10
_PLACES = ("top", "data", "both", "neither")
_OTHERS = ("absent", "usual")


class LikenessError(ValueError):
    """The file cannot be used; the message gives the file, the reason and the remedy."""


def read(file: Path) -> Likeness:
    """The shapes in a file. Raises LikenessError."""
    try:
        return _likeness(_content(file))
    except ValueError as problem:
        remedy = "Give a file that `emag-pipeline probe` wrote, or correct it (docs/how-to/probe.md)"
        raise LikenessError(f"{file}: {problem}. {remedy}.") from None


def _content(file: Path) -> Mapping[str, Any]:
    try:
        if file.stat().st_size > _LARGEST_BYTES:
            raise ValueError(f"it is larger than {_LARGEST_BYTES:,} bytes")
        content = json.loads(file.read_bytes())
    except OSError as error:
        raise ValueError(f"it cannot be read ({error.strerror})") from None
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        raise ValueError("it is not JSON") from None
    if not isinstance(content, dict) or "format" not in content:
        raise ValueError("it is not a JSON object with a format")
    if content["format"] != FORMAT:
        raise ValueError(f"its format is {str(content['format'])[:20]!r}, this sandbox reads {FORMAT}")
    return content


def _likeness(content: Mapping[str, Any]) -> Likeness:
    offers = content.get("offers")
    if not isinstance(offers, Mapping) or not isinstance(offers.get("fields"), Mapping):
        raise ValueError("it describes no offers, because the probe was refused or the account has none")
    rows = offers.get("rows")
    if type(rows) is not int or rows < 1:
        raise ValueError("offers.rows is not a whole number from 1")
    others = offers.get("others", _OTHERS[0])
    if others not in _OTHERS:
        raise ValueError(f"offers.others is {str(others)[:20]!r}, but must be one of {' and '.join(_OTHERS)}")
    settings = _place(content) | _order(content) | _latency(content)
    return Likeness(rows, figures_of(rows, offers["fields"]), others == "usual", _as_text(content), settings)


def _place(content: Mapping[str, Any]) -> dict[str, Any]:
    place = _part(content, "parameters").get("obeyed")
    if place not in (None, *_PLACES):
        raise ValueError(f"parameters.obeyed is {str(place)[:20]!r}, but must be one of {', '.join(_PLACES)}")
    return {"parameters": place} if place else {}


def _order(content: Mapping[str, Any]) -> dict[str, Any]:
    given = _part(content, "order")
    if not given:
        return {}
    return {"order": "id" if given.get("ids_ascend") else "id_desc" if given.get("ids_descend") else "shuffled"}


def _latency(content: Mapping[str, Any]) -> dict[str, Any]:
    """The time of the fastest response, and the additional time per row of the slowest read."""
    calls = content.get("calls") or []
    if not isinstance(calls, list) or not all(isinstance(call, dict) for call in calls):
        raise ValueError("calls is not a list of objects")
    given = [(call.get("milliseconds"), call.get("rows") or 0) for call in calls if call.get("error") is None]
    if not all(type(number) is int and 0 <= number <= 3_600_000 for pair in given for number in pair):
        raise ValueError("milliseconds or rows in calls is not a whole number")
    if not given:
        return {}
    least = min(milliseconds for milliseconds, _ in given)
    each = [(milliseconds - least) / rows for milliseconds, rows in given if rows >= _MANY_ROWS]
    return {"latency_seconds": least / 1000, "seconds_per_offer": round(max(each, default=0.0) / 1000, 6)}


def _as_text(content: Mapping[str, Any]) -> bool | None:
    """Whether counts have their numbers as text; None if both forms occur or it is not known."""
    fields = _part(content, "count").get("fields")
    given = fields.get("noOfItems") if isinstance(fields, Mapping) else None
    types = given.get("types") if isinstance(given, Mapping) else None
    if not isinstance(types, Mapping) or {"text", "integer"} <= types.keys():
        return None
    return "text" in types


def _part(content: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = content.get(name)
    if part is not None and not isinstance(part, Mapping):
        raise ValueError(f"{name} is not an object")
    return part or {}
