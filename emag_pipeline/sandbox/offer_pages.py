"""product_offer/read and product_offer/count: pages of offers, with the faults in force."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from emag_pipeline.sandbox.answers import Answer, Refusal, success, success_rows
from emag_pipeline.sandbox.calls import whole
from emag_pipeline.sandbox.catalogue.catalogue import Catalogue, Offer
from emag_pipeline.sandbox.catalogue.content import contacts
from emag_pipeline.sandbox.catalogue.life import Life
from emag_pipeline.sandbox.catalogue.shapes import Shapes
from emag_pipeline.sandbox.faults import Fault, Faults, Target
from emag_pipeline.sandbox.filters import Selection
from emag_pipeline.sandbox.like.likeness import LikeShapes
from emag_pipeline.sandbox.page_faults import obeyed, reported_count, shown_page, shown_size, spoilt
from emag_pipeline.sandbox.quirks import as_php

MOST_PER_PAGE = 100
_ROLES = ("manufacturer", "eu_representative")


class PageBroken(Exception):
    """A fault breaks the response that would contain a certain offer; `answer` is the unbroken response."""

    def __init__(self, fault: Fault, answer: Answer) -> None:
        super().__init__(fault.kind)
        self.fault = fault
        self.answer = answer


def paging(data: dict[str, Any]) -> tuple[int, int]:
    """The requested page and page size. Raises Refusal if either is not allowed."""
    page = whole(data, "currentPage", 1) or 0
    size = whole(data, "itemsPerPage", MOST_PER_PAGE) or 0
    if page < 1:
        raise Refusal("The value of currentPage must be at least 1")
    if not 1 <= size <= MOST_PER_PAGE:
        raise Refusal(f"The value of itemsPerPage must be from 1 to {MOST_PER_PAGE}")
    return page, size


def counted(number: int, size: int, *, as_text: bool = False) -> Answer:
    """The response to a count."""
    figures = {"noOfItems": number, "noOfPages": -(-number // size), "itemsPerPage": size}
    return success({name: str(figure) for name, figure in figures.items()} if as_text else figures)


@dataclass(frozen=True, slots=True)
class OfferPages:
    """One account's offers as the API returns them."""

    catalogue: Catalogue
    life: Life
    faults: Faults
    shapes: Shapes | LikeShapes
    quirk_share: float

    def count(self, asked: dict[str, Any], *, as_text: bool) -> Answer:
        """The number of offers and pages; a fault may falsify it."""
        target = self._target("product_offer/count", None)
        data = obeyed(self.faults, target, asked)
        selection = Selection.of(self.catalogue, data)
        _, size = paging(data)
        self.life.catch_up(time.monotonic())
        return counted(reported_count(self.faults, target, selection.count()), size, as_text=as_text)

    def read(self, asked: dict[str, Any]) -> Answer:
        """One page of offers, with the faults in force. Raises PageBroken if a fault breaks it."""
        page, asked_size = paging(asked)
        place = None if "id" in asked else page
        target = self._target("product_offer/read", place, asked_size)
        data = obeyed(self.faults, target, asked)
        selection = Selection.of(self.catalogue, data)
        page, size = paging(data)
        self.life.catch_up(time.monotonic())
        if drift := self.faults.take(("drift",), target):
            self._drift(str(drift.options["change"]), int(drift.options["offers"]))
        shown = shown_page(self.faults, target, page, lambda: -(-selection.count() // size))
        size = shown_size(self.faults, target, size)
        with self.catalogue.lock:
            offer_ids = selection.ids((shown - 1) * size, shown * size)
            rows = [self._served(offer_id, in_full=selection.offer_id is not None) for offer_id in offer_ids]
        return self._answered(self._target("product_offer/read", place, asked_size, offer_ids), rows)

    def _answered(self, target: Target, rows: list[Offer]) -> Answer:
        answer = replace(success_rows(spoilt(self.faults, target, rows)), offers=len(rows))
        if broken := self.faults.take(("breaks_page",), target):
            raise PageBroken(broken, answer)
        return answer

    def _target(
        self, resource: str, page: int | None, size: int | None = None, offer_ids: Sequence[int] = ()
    ) -> Target:
        return Target(self.catalogue.account, resource, page, offer_ids, size)

    def _drift(self, change: str, offers: int) -> None:
        """Change the catalogue so that later pages shift, or rows differ from those already read."""
        with self.catalogue.lock:
            if change == "departure":
                for offer_id in self.catalogue.ids(0, offers):
                    self.catalogue.remove(offer_id)
            elif change == "arrival":
                for _ in range(offers):
                    self.catalogue.add(place="front")
            else:
                self.life.change(offers, change)

    def _served(self, offer_id: int, *, in_full: bool) -> Offer:
        offer = self.catalogue.offer(offer_id)
        if offer is None:
            raise KeyError(offer_id)
        served = as_php(self.shapes.served(offer), (self.catalogue.seed, self.catalogue.account), self.quirk_share)
        served = served | self.catalogue.edits(offer_id)
        roles = [role for role in _ROLES if in_full and isinstance(served.get(role), bool)]
        return served | {role: contacts(offer_id, role) if served[role] else [] for role in roles}
