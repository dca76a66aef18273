"""Automatic changes of a catalogue: days that pass, and single changes in sequence.

Each change depends only on the seed and its sequence number, so catalogues with the same number of changes are equal.
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
    """Applies changes to one catalogue. Changes due by `changes_per_second` are made at the next call that reads it."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._changes = 0
        self._rate = 0.0
        self._since = 0.0
        self._caught_up = 0

    def set_rate(self, changes_per_second: float, now: float) -> None:
        """Make this many changes per second from now on."""
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
        """Let days pass: prices, stocks and verdicts change, offers come and go. Raises ValueError below 0."""
        if not 0 <= days < math.inf:
            raise ValueError(f"The number of days must be 0 or more, not {days}.")
        with self._catalogue.lock:
            size = len(self._catalogue)
            self._catalogue.day += days
            self.change(round(size * _DEPARTURES_A_DAY * days), "departure")
            self.change(round(size * _ARRIVALS_A_DAY * days), "arrival")

    def change(self, number: int, kind: str | None = None) -> None:
        """Make the next changes, all of one kind or mixed as on a typical day."""
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
