"""`results` as pages, single offers and counts. What is not of the expected shape proves nothing: ApiUnavailable."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from emag_pipeline.api import fingerprint
from emag_pipeline.api.fields import BIGINT, Unreadable, whole
from emag_pipeline.api.json_text import ascii_only, shown
from emag_pipeline.api.normalise import normalise
from emag_pipeline.api.offer import Offer, Page, Reject
from emag_pipeline.api.structures import listed
from emag_pipeline.api.surprises import added_up
from emag_pipeline.errors import ApiUnavailable

ITEMS_PER_PAGE = 100
_AGAIN = "It is tried again; if it persists, the API has changed"


@dataclass(frozen=True, slots=True)
class OfferCount:
    """What the marketplace reports of an account's catalogue; `pages` follows from the other two."""

    offers: int
    pages: int
    items_per_page: int


def page_of(number: int, results: object, fetched_at: datetime | None = None) -> Page:
    """A page of offers and rejects, fetched now unless told. An empty one is a page too: the scan judges it."""
    offers, rejects = _read(rows_in(results))
    surprises = added_up(one for offer in offers for one in offer.surprises)
    content_hash = fingerprint.of_page(offers, rejects)
    return Page(number, offers, rejects, content_hash, fetched_at or datetime.now(UTC), surprises)


def _read(rows: Sequence[object]) -> tuple[tuple[Offer, ...], tuple[Reject, ...]]:
    """Each id's first row, and a reject for every further row of an id on the same page."""
    offers: dict[int, Offer] = {}
    rejects, repeats = [], []
    for row in rows:
        read = normalise(row)
        if isinstance(read, Reject):
            rejects.append(read)
        elif offers.setdefault(read.emag_offer_id, read) is not read:
            reason = f"id {read.emag_offer_id} stands on this page already"
            repeats.append(Reject(read.emag_offer_id, reason, ascii_only(row)))
    return tuple(offers.values()), (*rejects, *repeats)


def offer_of(offer_id: int, results: object) -> Offer | Reject | None:
    """The one offer that was asked for; None when the marketplace says that there is none."""
    rows = rows_in(results)
    if not rows:
        return None
    found = [normalise(row) for row in rows]
    strangers = [one.emag_offer_id for one in found if one.emag_offer_id not in (offer_id, None)]
    if strangers:
        raise ApiUnavailable(f"offer {strangers[0]} came instead", remedy=_AGAIN)
    return found[0]


def count_of(results: object) -> OfferCount:
    """The count. Of contradictory numbers, offers and page size are believed, not the number of pages."""
    if not isinstance(results, Mapping):
        raise ApiUnavailable(f"the count is {shown(results)}, not an object", remedy=_AGAIN)
    try:
        offers = whole(results, "noOfItems", (0, BIGINT[1]))
        items_per_page = whole(results, "itemsPerPage", (1, ITEMS_PER_PAGE)) or ITEMS_PER_PAGE
    except Unreadable as problem:
        raise ApiUnavailable("the count cannot be read", why=str(problem), remedy=_AGAIN) from None
    if offers is None:
        raise ApiUnavailable("the count cannot be read", why="noOfItems is missing", remedy=_AGAIN)
    return OfferCount(offers, -(-offers // items_per_page), items_per_page)


def rows_in(results: object) -> list[object]:
    """The rows of any answer; [] is the only way to say that there are none."""
    try:
        rows = listed("results", results) if results != {} else None
    except Unreadable as problem:
        raise ApiUnavailable("the rows cannot be read", why=str(problem), remedy=_AGAIN) from None
    if rows is None:
        raise ApiUnavailable("the rows cannot be read", why=f"results is {shown(results)}, not a list", remedy=_AGAIN)
    return rows
