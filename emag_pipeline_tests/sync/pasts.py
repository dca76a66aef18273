"""Made-up pasts of an account: publishes with days between them, and what they showed, kept beside the database."""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from emag_pipeline.marketplace.normalise import is_saleable
from emag_pipeline.model import Offer
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.store.ageing import let_pass
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import sync

Shelf = dict[int, Offer]

_STANDING = (
    "general_stock", "sale_price", "status", "offer_validation_status", "validation_status",
    "translation_validation_status", "unreadable",
)  # fmt: skip


def good(offer_id: int, **values: Any) -> Offer:
    """An offer that can be bought, but for what is given."""
    made = offer(offer_id, **{"offer_validation_status": 1, "currency": "RON", **values})
    saleable = is_saleable(**{name: getattr(made, name) for name in _STANDING})
    return offer(offer_id, **{"offer_validation_status": 1, "currency": "RON", **values, "is_saleable": saleable})


@dataclass
class Past:
    """What was published when, oldest first; `publish` and `wait` do it to the database too."""

    database: Database
    account: str = "main"
    publishes: list[tuple[datetime, Shelf]] = field(default_factory=list)

    def publish(self, *offers: Offer) -> datetime:
        """Publish exactly these offers; those that were there before and are not given are tombstoned."""
        shelf = {one.emag_offer_id: one for one in offers}
        before = self.publishes[-1][1] if self.publishes else {}
        done = sync(self.database, offers, gone=sorted(before.keys() - shelf.keys()), account=self.account)
        self.publishes.append((done.published_at, shelf))
        return done.published_at

    def wait(self, **duration: float) -> None:
        """Let time pass."""
        past = timedelta(**duration)
        let_pass(self.database, past)
        self.publishes = [(at - past, shelf) for at, shelf in self.publishes]

    def at(self, moment: datetime) -> Shelf:
        """What readers saw at a moment."""
        seen = [shelf for at, shelf in self.publishes if at <= moment]
        return seen[-1] if seen else {}

    @property
    def now(self) -> Shelf:
        """What readers see now."""
        return self.publishes[-1][1]

    @property
    def published_at(self) -> datetime:
        """When they began to."""
        return self.publishes[-1][0]


def random_past(database: Database, seed: int, *, publishes: int = 9, offers: int = 12) -> Past:
    """A past of some six weeks in which offers come, go, return and change in every way that the marts look at."""
    chance = random.Random(seed)
    past = Past(database)
    for turn in range(publishes):
        if turn:
            past.wait(hours=chance.choice((0.1, 3, 24, 50, 150, 300, 300)), seconds=chance.random())
        before = past.now if past.publishes else {}
        chosen = [one for one in range(1, offers + 1) if chance.random() < 0.8]
        kept = [before[one] for one in chosen if one in before and chance.random() < 0.3]
        unchanged = {one.emag_offer_id for one in kept}
        past.publish(*kept, *(random_offer(chance, one) for one in chosen if one not in unchanged))
    return past


def random_offer(chance: random.Random, offer_id: int) -> Offer:
    """An offer of values that matter to the marts, at random."""
    return good(
        offer_id,
        general_stock=chance.choice((None, -2, 0, 0, 1, 3, 8, 20, 60)),
        status=chance.choice((None, 0, 1, 1, 1, 1, 2, 7)),
        sale_price=chance.choice(
            (
                None,
                Decimal("0.0000"),
                Decimal("9.9900"),
                Decimal("9.9900"),
                Decimal("10.5000"),
                Decimal("10.5000"),
                Decimal("25.0000"),
            )
        ),
        best_offer_sale_price=chance.choice((None, Decimal("0.0000"), Decimal("9.5000"), Decimal("25.0000"))),
        buy_button_rank=chance.choice((None, 1, 1, 2, 3)),
        currency=chance.choice(("RON", "RON", "RON", "RON", "EUR", None)),
        offer_validation_status=chance.choice((1, 1, 1, 1, 2, None)),
        validation_status=chance.choice(((9,), (9,), (9,), (9, 8), (8,), (77,), ())),
        translation_validation_status=chance.choice(((), (), (), (17,), (14,))),
        vat_id=chance.choice((1, 2, None)),
    )
