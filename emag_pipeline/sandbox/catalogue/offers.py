"""One account's offers as pure functions of (seed, account, id, day): nothing is held for any of them."""

from typing import Any

from emag_pipeline.sandbox.catalogue.chance import Chance, number
from emag_pipeline.sandbox.catalogue.commerce import Moves, commerce
from emag_pipeline.sandbox.catalogue.content import content, good_of
from emag_pipeline.sandbox.catalogue.extras import extras
from emag_pipeline.sandbox.catalogue.numbering import FIRST_ID, STRIDE

#: in how many days each side of an offer moves once: the shortest, and how much longer it may take
_PERIODS = Moves(price=4, stock=1, standing=40, edition=90)
_SPREADS = Moves(price=40, stock=9, standing=300, edition=400)


class OfferBook:
    """Tells what any offer of the account is on any day."""

    def __init__(self, seed: int, account: str) -> None:
        self._key = (seed, account)

    def offer(self, offer_id: int, day: float, extra: Moves) -> dict[str, Any]:
        """The offer in plain types, with every field. `extra` are moves beyond those that the days brought."""
        return self._compose(offer_id, day, extra, whole=True)

    def facts(self, offer_id: int, day: float, extra: Moves) -> dict[str, Any]:
        """Only the fast part, for filters over many offers."""
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
