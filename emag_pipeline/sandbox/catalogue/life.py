"""What happens to a catalogue by itself: days that pass, and single changes one after the other.

Every change follows from the seed and its running number, so two catalogues that lived equally long are equal.
"""

import math

from emag_pipeline.sandbox.catalogue.catalogue import Catalogue
from emag_pipeline.sandbox.catalogue.chance import Chance
from emag_pipeline.sandbox.catalogue.commerce import Moves

_MOVES = {
    "price": Moves(price=1),
    "stock": Moves(stock=1),
    "standing": Moves(standing=1),
    "edition": Moves(edition=1),
}
CHANGES = (*_MOVES, "arrival", "departure")
_USUAL = ("stock",) * 11 + ("price",) * 5 + ("standing", "edition", "arrival", "departure")
_ARRIVALS_A_DAY = 0.0025
_DEPARTURES_A_DAY = 0.0020


class Life:
    """Lets one catalogue live. `changes_per_second` is caught up with at each call that looks at the catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._changes = 0
        self._rate = 0.0
        self._since = 0.0
        self._caught_up = 0

    def set_rate(self, changes_per_second: float, now: float) -> None:
        """From now on this many changes a second happen."""
        with self._catalogue.lock:
            self.catch_up(now)
            self._rate, self._since, self._caught_up = changes_per_second, now, 0

    def catch_up(self, now: float) -> None:
        """Make the changes that are due at this moment of the monotonic clock."""
        with self._catalogue.lock:
            due = int((now - self._since) * self._rate)
            self.change(max(0, due - self._caught_up))
            self._caught_up = max(due, self._caught_up)

    def advance(self, days: float) -> None:
        """Let days pass: prices, stocks and verdicts move, offers depart and arrive. Raises ValueError below 0."""
        if not 0 <= days < math.inf:
            raise ValueError(f"Days pass forwards: their number is from 0, not {days}.")
        with self._catalogue.lock:
            size = len(self._catalogue)
            self._catalogue.day += days
            self.change(round(size * _DEPARTURES_A_DAY * days), "departure")
            self.change(round(size * _ARRIVALS_A_DAY * days), "arrival")

    def change(self, number: int, kind: str | None = None) -> None:
        """Make the next changes, all of one kind or mixed as a trading day mixes them."""
        with self._catalogue.lock:
            for _ in range(number):
                self._changes += 1
                self._change_once(kind)

    def _change_once(self, kind: str | None) -> None:
        catalogue = self._catalogue
        chance = Chance(catalogue.seed, catalogue.account, "change", self._changes)
        kind = kind or chance.pick(_USUAL)
        if kind == "arrival":
            catalogue.add()
            return
        if not len(catalogue):
            return
        place = chance.below(len(catalogue))
        (offer_id,) = catalogue.ids(place, place + 1)
        if kind == "departure":
            catalogue.remove(offer_id)
        else:
            catalogue.move(offer_id, _MOVES[kind])
