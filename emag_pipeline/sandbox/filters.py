"""The filters of product_offer/read and product_offer/count (docs/marketplace-api.md, "Filters")."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from emag_pipeline.sandbox.answers import Refusal
from emag_pipeline.sandbox.calls import whole
from emag_pipeline.sandbox.catalogue import numbering
from emag_pipeline.sandbox.catalogue.catalogue import LARGEST_ID, Catalogue, Offer
from emag_pipeline.sandbox.catalogue.validation import codes

_TEXTS: dict[str, Callable[[str], int | None]] = {
    "part_number": numbering.id_of_part_number,
    "part_number_key": numbering.id_of_part_number_key,
}
_ALLOWED: dict[str, frozenset[int]] = {
    "status": frozenset({0, 1}),
    "offer_validation_status": frozenset({1, 2}),
    "validation_status": frozenset({1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12}),
    "translation_validation_status": frozenset({*range(1, 7), *range(8, 18)}),
}
_STOCKS = frozenset({"general_stock", "estimated_stock"})


@dataclass(frozen=True, slots=True)
class Selection:
    """The offers that a call asks for."""

    catalogue: Catalogue
    numbers: dict[str, int]
    texts: dict[str, str]

    @classmethod
    def of(cls, catalogue: Catalogue, data: dict[str, Any]) -> "Selection":
        """Read a call's filters; other parameters are ignored. Raises Refusal for a value that is not allowed."""
        names = sorted((_ALLOWED.keys() | _STOCKS | {"id"}) & data.keys())
        numbers = {name: _number(data, name) for name in names}
        return cls(catalogue, numbers, {name: str(data[name]) for name in _TEXTS if name in data})

    @property
    def is_everything(self) -> bool:
        """True if there is no filter."""
        return not self.numbers and not self.texts

    @property
    def offer_id(self) -> int | None:
        """The one product asked for, if the call filters by id."""
        return self.numbers.get("id")

    def count(self) -> int:
        """How many offers the marketplace reports for these filters."""
        return self.catalogue.count() if self.is_everything else sum(1 for _ in self._ids())

    def ids(self, start: int, stop: int) -> list[int]:
        """The offers at these positions of the selection."""
        with self.catalogue.lock:
            return self.catalogue.ids(start, stop) if self.is_everything else list(islice(self._ids(), start, stop))

    def _ids(self) -> Iterator[int]:
        if "id" in self.numbers or self.texts:
            for candidate in self._candidates():
                offer = self.catalogue.offer(candidate)
                now = offer and offer | self.catalogue.edits(candidate)
                if now and self._fits(now) and self._reads(now):
                    yield candidate
        else:
            yield from (offer_id for offer_id, facts in self.catalogue.each_facts() if self._fits(facts))

    def _candidates(self) -> list[int]:
        """The few offers that can match an id or a text: the one computed from it, and edited ones."""
        if "id" in self.numbers:
            return [self.numbers["id"]]
        name, text = next(iter(self.texts.items()))
        computed = _TEXTS[name](text)
        edited = self.catalogue.edited_ids()
        return sorted({*edited, computed} if computed is not None else edited)

    def _reads(self, offer: Offer) -> bool:
        return all(offer[name] == text for name, text in self.texts.items())

    def _fits(self, facts: Offer) -> bool:
        return all(_matches(facts[name], name, wanted) for name, wanted in self.numbers.items() if name != "id")


def _number(data: dict[str, Any], name: str) -> int:
    value = whole(data, name)
    allowed = _ALLOWED.get(name)
    if value is None or value < 0 or (allowed is not None and value not in allowed):
        raise Refusal(f"The filter {name} does not allow the value {data[name]!r}")
    if name == "id" and not 1 <= value <= LARGEST_ID:
        raise Refusal(f"The filter id must be an integer from 1 to {LARGEST_ID}")
    return value


def _matches(value: Any, name: str, wanted: int) -> bool:
    if name in _STOCKS:
        return type(value) is int and 0 <= value <= wanted
    return wanted in codes(value) if isinstance(value, list | dict) else bool(value == wanted)
