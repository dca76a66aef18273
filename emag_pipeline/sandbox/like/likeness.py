"""How a probed account answers, and what the sandbox's offers are in those shapes."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from emag_pipeline.sandbox.catalogue.catalogue import Catalogue
from emag_pipeline.sandbox.catalogue.numbering import FIRST_ID, STRIDE
from emag_pipeline.sandbox.catalogue.shapes import meant
from emag_pipeline.sandbox.like.figures import Figures
from emag_pipeline.sandbox.like.shape import Shape, dealt
from emag_pipeline.sandbox.like.values import NOTHING, expressed, pool_of, served

Offer = dict[str, Any]

#: after so many offers the shapes begin anew
_MOST_SHAPES = 500
_SAMPLED = 400
_ID = Shape("integer", digits=6)


@dataclass(frozen=True)
class Likeness:
    """What a file tells. `settings` are the sandbox's, `counts_as_text` None where counts come in both forms."""

    rows: int
    figures: Figures
    keeps_others: bool
    counts_as_text: bool | None
    settings: Mapping[str, Any]

    @cached_property
    def shapes(self) -> list[Shape]:
        """The shapes of as many offers as were seen."""
        return dealt(self.figures, min(self.rows, _MOST_SHAPES))


class LikeShapes:
    """How one account's offers are shaped; takes the place of the sandbox's own `Shapes`."""

    def __init__(self, likeness: Likeness, catalogue: Catalogue) -> None:
        self._likeness = likeness
        offers = (catalogue.offer(offer_id) for offer_id in catalogue.ids(0, _SAMPLED))
        self._pool = pool_of(offer for offer in offers if offer is not None)

    def true(self, offer: Offer, edits: Mapping[str, Any]) -> Offer:
        """The offer as a correct reader must understand it; a field that is not served is not in it."""
        shape, told = self._shape(offer), self.served(offer)
        held = {name: _truth(shape.parts.get(name), name, offer.get(name), value) for name, value in told.items()}
        return held | {"id": offer["id"]} | {name: meant(name, value) for name, value in edits.items()}

    def served(self, offer: Offer) -> Offer:
        """The offer as it is sent, without what was edited."""
        turn, shape = _turn(offer), self._shape(offer)
        others = {name: value for name, value in offer.items() if name not in self._likeness.figures.parts}
        kept = others if self._likeness.keeps_others else {}
        told: Offer = served(shape, "", offer, turn, self._pool)
        name = shape.parts.get("id", _ID)
        as_text = name.kind == "text" and name.is_numeric
        return (
            {"id": str(offer["id"]) if as_text else offer["id"]}
            | kept
            | {name: value for name, value in told.items() if name != "id"}
        )

    def _shape(self, offer: Offer) -> Shape:
        return self._likeness.shapes[_turn(offer) % len(self._likeness.shapes)]


def _turn(offer: Offer) -> int:
    return int(offer["id"] - FIRST_ID) // STRIDE


def _truth(shape: Shape | None, name: str, own: Any, told: Any) -> Any:
    """The sandbox's own value where what is told expresses it; else what is told, null where that says nothing."""
    if told is None or told == "":
        return None
    if shape is None:
        return meant(name, own)
    if shape.kind in ("integer", "decimal", "text") and expressed(shape, own) is not NOTHING:
        return own
    return meant(name, told)
