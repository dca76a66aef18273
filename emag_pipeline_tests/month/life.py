"""What a month does to a catalogue beyond what the sandbox does by itself: a seller trades, a marketplace judges."""

import random
from typing import Any

from emag_pipeline.sandbox.client import SandboxFace

_PRICE_CHANGES, _STANDING_CHANGES, _EDITION_CHANGES = 0.05, 0.02, 0.01
_MANAGED_SHARE = 0.4
_GOOD = {"value": 9, "description": "Documentation approved", "errors": None}
_REFUSED = {
    "value": 8,
    "description": "Documentation rejected",
    "errors": [{"code": 120, "message": "Descrierea este prea scurtă"}],
}

#: What happens to single offers, now and then: each is a set of fields that stay so until the next such event.
EVENTS: tuple[dict[str, Any], ...] = (
    {
        "validation_status": [_REFUSED],
        "doc_errors": [{"code": 200, "message": "Imaginea principală conține text promoțional"}],
    },
    {"validation_status": [_GOOD, {"value": 5, "description": "Brand rejected", "errors": None}]},
    {"validation_status": []},
    {"validation_status": [{"value": 77, "description": "A state of tomorrow", "errors": None}]},
    {"validation_status": [{"value": 1, "description": "In marketplace validation", "errors": None}]},
    {"translation_validation_status": [{"value": 15, "description": "Being translated", "errors": None}]},
    {"translation_validation_status": [{"value": 17, "description": "Partial translation", "errors": None}]},
    {"offer_validation_status": [{"value": 2, "description": "Invalid price, waiting for a manual check"}]},
    {"status": 0},
    {"status": 2},
    {"status": 7},
    {"general_stock": None, "estimated_stock": None},
    {"general_stock": -4, "estimated_stock": -4},
    {"sale_price": None},
    {"best_offer_sale_price": 0.0},
    {"buy_button_rank": None},
    {"currency": "EUR"},
    {"currency": None},
    {"vat_id": 99},
    {"category_id": 9999},
)
#: The marketplace is content again.
WELL: dict[str, Any] = {
    "status": 1,
    "validation_status": [_GOOD],
    "translation_validation_status": [],
    "offer_validation_status": [{"value": 1, "description": "Valid price"}],
    "doc_errors": None,
}


class Life:
    """Lets the catalogues of a sandbox live; the same seed does the same."""

    def __init__(self, market: SandboxFace, chance: random.Random) -> None:
        self._market = market
        self._chance = chance
        #: stock of the offers that this seller looks after: falls with sales, jumps with deliveries; None of others
        self._stocks: dict[tuple[str, int], int | None] = {}
        self._away: dict[str, list[int]] = {}
        self._marked: dict[str, set[int]] = {}

    def pass_time(self, account: str, days: float) -> None:
        """So many days of trade in an account."""
        market, size = self._market, self._market.count(account)
        market.advance(days=days, account=account)
        for kind, share in (("price", _PRICE_CHANGES), ("standing", _STANDING_CHANGES), ("edition", _EDITION_CHANGES)):
            market.advance(changes=round(share * size * days), kind=kind, account=account)
        self._come_and_go(account)
        ids = market.ids(account)
        self._sell(account, ids, days)
        self._judge(account, ids)

    def spoil(self, account: str) -> list[int]:
        """Offers of which the marketplace shows, now and then, a version that cannot be represented: few enough."""
        ids = self._market.ids(account)
        return self._chance.sample(ids, self._chance.randint(0, len(ids) // 150))

    def _come_and_go(self, account: str) -> None:
        away = self._away.setdefault(account, [])
        if away and self._chance.random() < 0.3:
            self._market.add_ids(account, [away.pop(self._chance.randrange(len(away)))])
        self._market.add(account, self._chance.randint(0, 2))
        leaving = self._chance.sample(self._market.ids(account), self._chance.randint(0, 2))
        self._market.remove(account, leaving)
        away += leaving

    def _sell(self, account: str, ids: list[int], days: float) -> None:
        for offer_id in ids:
            stock = self._stock(account, offer_id)
            if stock is None:
                continue
            sold = min(stock, round(self._chance.randint(0, 6) * days))
            delivered = self._chance.randint(10, 60) if not stock and self._chance.random() < 0.3 else 0
            left = self._stocks[account, offer_id] = stock - sold + delivered
            self._market.edit(account, offer_id, general_stock=left, estimated_stock=left)

    def _stock(self, account: str, offer_id: int) -> int | None:
        is_managed = self._chance.random() < _MANAGED_SHARE
        return self._stocks.setdefault((account, offer_id), self._chance.randint(0, 60) if is_managed else None)

    def _judge(self, account: str, ids: list[int]) -> None:
        marked = self._marked.setdefault(account, set())
        for offer_id in self._chance.sample(ids, min(len(ids), self._chance.randint(1, 4))):
            self._market.edit(account, offer_id, **self._chance.choice(EVENTS))
            marked.add(offer_id)
        for offer_id in sorted(marked & set(ids)):
            if self._chance.random() < 0.1:
                self._market.edit(account, offer_id, **WELL)
                marked.discard(offer_id)
