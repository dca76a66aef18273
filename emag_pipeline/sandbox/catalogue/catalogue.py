"""One account's changing catalogue: its offers as pure functions of seed, id and day, plus the changes made to them."""

import json
from collections.abc import Iterator, Mapping
from threading import RLock
from typing import Any

from emag_pipeline.sandbox.catalogue.chance import Chance, number
from emag_pipeline.sandbox.catalogue.commerce import Moves, commerce
from emag_pipeline.sandbox.catalogue.content import content, extras, good_of
from emag_pipeline.sandbox.catalogue.numbering import FIRST_ID, STRIDE, Numbering
from emag_pipeline.sandbox.catalogue.shelf import Order, Place, Shelf

#: days between two moves of each aspect of an offer: the minimum, and the maximum additional days
_PERIODS = Moves(price=4, stock=1, standing=40, edition=90)
_SPREADS = Moves(price=40, stock=9, standing=300, edition=400)


class OfferBook:
    """Computes the state of any offer of the account on any day."""

    def __init__(self, seed: int, account: str) -> None:
        self._key = (seed, account)

    def offer(self, offer_id: int, day: float, extra: Moves) -> dict[str, Any]:
        """The offer in plain types, with every field. `extra` are moves in addition to those of the passing days."""
        return self._compose(offer_id, day, extra, whole=True)

    def facts(self, offer_id: int, day: float, extra: Moves) -> dict[str, Any]:
        """Only the commercial fields, for filters over many offers."""
        return self._compose(offer_id, day, extra, whole=False)

    def _compose(self, offer_id: int, day: float, extra: Moves, *, whole: bool) -> dict[str, Any]:
        key = (*self._key, offer_id)
        moves = self._moves(offer_id, day, extra)
        chance = Chance(*key)
        good = good_of(chance)
        fast = commerce(key, (offer_id - FIRST_ID) // STRIDE, good, moves)
        if not whole:
            return fast
        offer = content(offer_id, good, chance, moves.edition) | fast
        return offer | extras(offer, Chance(*key, "extras", moves.standing))

    def _moves(self, offer_id: int, day: float, extra: Moves) -> Moves:
        if not day:
            return extra
        rhythm = number(*self._key, offer_id, "rhythm")
        counts = []
        for shortest, spread, more in zip(_PERIODS, _SPREADS, extra, strict=True):
            rhythm, longer = divmod(rhythm, spread)
            period = shortest + longer
            phase = rhythm % period
            counts.append(int((day + phase) // period) + more)
        return Moves(*counts)


Offer = dict[str, Any]
LARGEST_ID = 4_294_967_295


class Catalogue:
    """The catalogue of one account. Thread-safe; hold `lock` if several calls must see the same state."""

    def __init__(self, seed: int, account: str, size: int) -> None:
        self.seed = seed
        self.account = account
        self.lock = RLock()
        self.order: Order = "id"
        self.arrivals: Place = "end"
        self.day = 0.0
        self._book = OfferBook(seed, account)
        self._shelf = Shelf(Numbering(seed, account), size)
        self._hidden: dict[int, bool] = {}  # id → whether it is still counted
        self._moves: dict[int, Moves] = {}
        self._edits: dict[int, Offer] = {}

    def __len__(self) -> int:
        return len(self._shelf)

    def count(self) -> int:
        """The reported count: the listed offers, and the hidden ones that are still counted."""
        return len(self._shelf) + sum(self._hidden.values())

    def ids(self, start: int = 0, stop: int | None = None) -> list[int]:
        """The ids at these positions of the current order."""
        with self.lock:
            return self._shelf.ids(start, stop, self.order)

    def hidden_ids(self) -> list[int]:
        """The offers that no page lists but a read by id finds."""
        return sorted(self._hidden)

    def edited_ids(self) -> set[int]:
        """The offers with at least one field set by hand."""
        return set(self._edits)

    def edits(self, offer_id: int) -> Offer:
        """The fields that were set by hand."""
        return self._edits.get(offer_id, {})

    def offer(self, offer_id: int) -> Offer | None:
        """The current offer without its edits, hidden or not; None if the catalogue does not have it."""
        with self.lock:
            return self._offer(offer_id) if offer_id in self else None

    def __contains__(self, offer_id: int) -> bool:
        return offer_id in self._shelf or offer_id in self._hidden

    def each_facts(self) -> Iterator[tuple[int, Offer]]:
        """Id and commercial fields of every listed offer, in page order, computed one at a time."""
        for offer_id in self.ids():
            moves = self._moves.get(offer_id, Moves())
            yield offer_id, self._book.facts(offer_id, self.day, moves) | self._edits.get(offer_id, {})

    def edit(self, offer_id: int, fields: Mapping[str, Any]) -> None:
        """Set fields permanently to exactly these values, any JSON, which are served unchanged.

        Raises KeyError for an unknown offer, TypeError for a value that is not JSON, ValueError for the field `id`,
        because an offer with another id is another offer.
        """
        if offer_id not in self:
            raise KeyError(offer_id)
        if "id" in fields:
            raise ValueError("An offer's id cannot be edited; add another offer, or use the fault poison.")
        with self.lock:
            self._edits.setdefault(offer_id, {}).update(json.loads(json.dumps(dict(fields))))

    def add(self, offer_id: int | None = None, place: Place | None = None) -> int:
        """List one more offer, or a removed one again; returns its id."""
        with self.lock:
            chosen = self._shelf.next_arrival() if offer_id is None else offer_id
            if not 1 <= chosen <= LARGEST_ID:
                raise ValueError(f"An offer's id must be from 1 to {LARGEST_ID}, not {chosen}.")
            self._hidden.pop(chosen, None)
            self._shelf.put(chosen, place or self.arrivals)
            return chosen

    def double(self, offer_id: int) -> None:
        """List the offer a second time, before all others. Raises KeyError for one that is not listed."""
        if offer_id not in self._shelf:
            raise KeyError(offer_id)
        with self.lock:
            self._shelf.double(offer_id)

    def remove(self, offer_id: int) -> None:
        """Remove the offer: neither pages nor a read by id find it. Raises KeyError for an unknown one."""
        if offer_id not in self:
            raise KeyError(offer_id)
        with self.lock:
            self._hidden.pop(offer_id, None)
            self._shelf.take(offer_id)

    def hide(self, offer_id: int, *, counted: bool = False) -> None:
        """Omit the offer from pages; a read by id still finds it. Raises KeyError for an unknown one."""
        self.remove(offer_id)
        self._hidden[offer_id] = counted

    def move(self, offer_id: int, more: Moves) -> None:
        """Move the offer's price, stock, standing or text by this many steps."""
        with self.lock:
            before = self._moves.get(offer_id, Moves())
            self._moves[offer_id] = Moves(*(old + new for old, new in zip(before, more, strict=True)))

    def _offer(self, offer_id: int) -> Offer:
        return self._book.offer(offer_id, self.day, self._moves.get(offer_id, Moves()))
