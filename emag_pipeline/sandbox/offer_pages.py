"""product_offer/read and product_offer/count: pages of offers, true or as the faults in force would have them."""

import time
from dataclasses import dataclass
from typing import Any

from emag_pipeline.sandbox.answers import Answer, Refusal, success, success_rows
from emag_pipeline.sandbox.calls import whole
from emag_pipeline.sandbox.catalogue.catalogue import Catalogue, Offer
from emag_pipeline.sandbox.catalogue.content import contacts
from emag_pipeline.sandbox.catalogue.life import Life
from emag_pipeline.sandbox.faults import Faults, Target
from emag_pipeline.sandbox.filters import Selection
from emag_pipeline.sandbox.page_faults import shown_page, spoilt, told_count
from emag_pipeline.sandbox.quirks import as_php

MOST_PER_PAGE = 100
_ROLES = ("manufacturer", "eu_representative")


def paging(data: dict[str, Any]) -> tuple[int, int]:
    """The page asked for and its size. Raises Refusal when either is not allowed."""
    page = whole(data, "currentPage", 1) or 0
    size = whole(data, "itemsPerPage", MOST_PER_PAGE) or 0
    if page < 1:
        raise Refusal("The value of currentPage must be at least 1")
    if not 1 <= size <= MOST_PER_PAGE:
        raise Refusal(f"The value of itemsPerPage must be from 1 to {MOST_PER_PAGE}")
    return page, size


def counted(number: int, size: int, *, as_text: bool = False) -> Answer:
    """The answer of a count."""
    figures = {"noOfItems": number, "noOfPages": -(-number // size), "itemsPerPage": size}
    return success({name: str(figure) for name, figure in figures.items()} if as_text else figures)


@dataclass(frozen=True, slots=True)
class OfferPages:
    """One account's offers as the API shows them."""

    catalogue: Catalogue
    life: Life
    faults: Faults
    quirk_share: float

    def count(self, data: dict[str, Any]) -> Answer:
        """How many offers and pages there are; a fault may lie about it."""
        selection = Selection.of(self.catalogue, data)
        _, size = paging(data)
        self.life.catch_up(time.monotonic())
        number = told_count(self.faults, self._target("product_offer/count", None), selection.count())
        return counted(number, size, as_text=self.quirk_share >= 1)

    def read(self, data: dict[str, Any]) -> Answer:
        """One page of offers, after the faults had their say."""
        selection = Selection.of(self.catalogue, data)
        page, size = paging(data)
        self.life.catch_up(time.monotonic())
        place = None if selection.offer_id is not None else page
        if drift := self.faults.take(("drift",), self._target("product_offer/read", place)):
            self._drift(str(drift.options["change"]), int(drift.options["offers"]))
        target = self._target("product_offer/read", place)
        shown = shown_page(self.faults, target, page, lambda: -(-selection.count() // size))
        offers = selection.offers((shown - 1) * size, shown * size)
        rows = [self._served(offer, in_full=selection.offer_id is not None) for offer in offers]
        target = self._target("product_offer/read", place, [offer["id"] for offer in offers])
        return success_rows(spoilt(self.faults, target, rows))

    def _target(self, resource: str, page: int | None, offer_ids: list[int] | None = None) -> Target:
        return Target(self.catalogue.account, resource, page, offer_ids or ())

    def _drift(self, change: str, offers: int) -> None:
        """Change the catalogue so that every later page shifts, or so that rows differ from those already read."""
        with self.catalogue.lock:
            if change == "departure":
                for offer_id in self.catalogue.ids(0, offers):
                    self.catalogue.remove(offer_id)
            elif change == "arrival":
                for _ in range(offers):
                    self.catalogue.add(place="front")
            else:
                self.life.change(offers, change)

    def _served(self, offer: Offer, *, in_full: bool) -> Offer:
        if in_full:
            found = {role: contacts(offer["id"], role) if offer[role] is True else [] for role in _ROLES}
            offer = offer | found
        return as_php(offer, (self.catalogue.seed, self.catalogue.account), self.quirk_share)
