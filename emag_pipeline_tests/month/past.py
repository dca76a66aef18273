"""What the sandbox truly held at each publish."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from emag_pipeline.drills.judgement import as_stored

#: What the history keeps of an offer.
COMMERCIAL = (
    "part_number_key", "part_number", "status", "sale_price", "recommended_price", "best_offer_sale_price",
    "best_offer_recommended_price", "buy_button_rank", "number_of_offers", "currency", "general_stock",
    "estimated_stock", "offer_validation_status", "validation_status", "translation_validation_status", "handling_time",
    "warranty", "vat_id", "is_saleable", "unreadable", "min_sale_price", "max_sale_price", "commission",
    "supply_lead_time", "emag_club", "has_smart_deals_badge", "start_date", "stock_by_warehouse",
    "availability_by_warehouse",
)  # fmt: skip
_VERDICTS = ("offer_validation_status", "validation_status", "translation_validation_status")

State = Mapping[str, Any]
#: The offers of an account at one moment, by their ids.
Offers = Mapping[int, State]


@dataclass(frozen=True, slots=True)
class Publish:
    """One publish: the moment, and what the marketplace held then."""

    at: datetime
    offers: Offers


class Past:
    """The publishes of each account, in order."""

    def __init__(self, accounts: Iterable[str]) -> None:
        self.publishes: dict[str, list[Publish]] = {account: [] for account in accounts}

    def add(self, account: str, at: datetime, truth: Iterable[Mapping[str, Any]], spoilt: Collection[int] = ()) -> None:
        """Remember a publish. `truth` are the offers as the sandbox tells them.

        An offer that the marketplace showed `spoilt` stays as readers saw it before.
        """
        before = self.publishes[account][-1].offers if self.publishes[account] else {}
        offers = {offer["id"]: _state(offer) for offer in truth if offer["id"] not in spoilt}
        kept = {offer_id: before[offer_id] for offer_id in spoilt if offer_id in before}
        self.publishes[account].append(Publish(at, offers | kept))

    def let_pass(self, time: timedelta) -> None:
        """Afterwards every publish lies longer ago by this much."""
        for account, publishes in self.publishes.items():
            self.publishes[account] = [Publish(one.at - time, one.offers) for one in publishes]

    def newest(self, account: str) -> Publish:
        """The account's last publish."""
        return self.publishes[account][-1]

    def as_of(self, account: str, at: datetime) -> Offers:
        """What readers saw at a moment: nothing before the first publish."""
        place = bisect_right(self.publishes[account], at, key=lambda publish: publish.at)
        return self.publishes[account][place - 1].offers if place else {}

    def pairs(self, account: str) -> Iterator[tuple[Publish | None, Publish]]:
        """Each publish with the one before it."""
        publishes = self.publishes[account]
        yield from zip([None, *publishes], publishes, strict=False)


def _state(offer: Mapping[str, Any]) -> State:
    stored = as_stored(offer)
    kept = {name: stored[name] for name in COMMERCIAL}
    return kept | {"verdicts": {name: offer[name] for name in _VERDICTS}, "doc_errors": offer["doc_errors"]}
