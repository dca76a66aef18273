"""`results` as pages, single offers and counts. What is not of the expected shape proves nothing: ApiUnavailable."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from emag_pipeline.api import fingerprint
from emag_pipeline.api.fields import BIGINT, Unreadable, whole
from emag_pipeline.api.json_text import ascii_only, shown
from emag_pipeline.api.normalise import normalise
from emag_pipeline.api.offer import Offer, Page, Reject
from emag_pipeline.api.structures import listed
from emag_pipeline.api.surprises import added_up
from emag_pipeline.errors import ApiUnavailable, ParametersIgnored

_AGAIN = "It is tried again; if it persists, the API has changed"
_PROBE = "Run `emag-pipeline probe` and report its file: it shows which parameters the marketplace obeys"


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows there are, and the page size that the answer names; None where it names none."""

    rows: int
    items_per_page: int | None


def page_of(number: int, size: int, results: object, fetched_at: datetime | None = None) -> Page:
    """A page of offers and rejects, fetched now unless told. An empty one is a page too: the scan judges it.

    Where an answer holds more rows than were asked for because it shows offers twice, these second rows are rejects
    and take no position. Raises ApiUnavailable for more rows than that.
    """
    rows, repeats = _without_repeats(rows_in(results), size)
    ids, offers, rejects = _read(_at_most(rows, size))
    rejects = (*rejects, *repeats)
    return Page(
        number=number,
        size=size,
        ids=ids,
        offers=offers,
        rejects=rejects,
        content_hash=fingerprint.of_page(offers, rejects),
        fetched_at=fetched_at or datetime.now(UTC),
        surprises=added_up(one for offer in offers for one in offer.surprises),
        source=tuple(rows),
    )


def set_aside(page: Page, doubled: Collection[int]) -> Page:
    """The page without `source`, and with rejects for the rows of these offers: they stand at another place too.

    Of an offer that stands twice on this very page, the second row is a reject already.
    """
    again = {one for one in doubled if page.ids.count(one) == 1}
    rejects = [
        Reject(one, f"id {one} stands at another place of the listing already", ascii_only(row))
        for one, row in zip(page.ids, page.source, strict=True)
        if one in again
    ]
    kept = tuple(offer for offer in page.offers if offer.emag_offer_id not in again)
    return replace(page, offers=kept, rejects=(*page.rejects, *rejects), source=())


def unreadable_page(position: int) -> Page:
    """The record of a position that no page shows: the marketplace fails whenever one would."""
    nothing = fingerprint.of_page((), ())
    return Page(position + 1, 1, (), (), (), nothing, datetime.now(UTC), is_unreadable=True)


def _without_repeats(rows: list[object], most: int) -> tuple[list[object], list[Reject]]:
    """The rows but for second ones of an offer, as many as there are too many; and rejects for these."""
    kept: list[object] = []
    rejects: list[Reject] = []
    seen: set[int] = set()
    too_many = len(rows) - most
    for row in rows if too_many > 0 else ():
        number = normalise(row).emag_offer_id
        if number in seen and len(rejects) < too_many:
            rejects.append(_repeat(number, row))
        else:
            kept.append(row)
        if number is not None:
            seen.add(number)
    return (kept, rejects) if rejects else (rows, [])


def _repeat(offer_id: int, row: object) -> Reject:
    return Reject(offer_id, f"id {offer_id} stands on this page already", ascii_only(row))


def _read(rows: Sequence[object]) -> tuple[tuple[int, ...], tuple[Offer, ...], tuple[Reject, ...]]:
    """The rows' ids, each id's first row, and a reject for every further row of an id on the same page."""
    offers: dict[int, Offer] = {}
    ids, rejects, repeats = [], [], []
    for row in rows:
        read = normalise(row)
        ids.append(_number_of(read))
        if isinstance(read, Reject):
            rejects.append(read)
        elif offers.setdefault(read.emag_offer_id, read) is not read:
            repeats.append(_repeat(read.emag_offer_id, row))
    return tuple(ids), tuple(offers.values()), (*rejects, *repeats)


def _number_of(row: Offer | Reject) -> int:
    """The row's id; where it has no usable one a number below 0 made from its payload, the same for the same row."""
    if row.emag_offer_id is not None:
        return row.emag_offer_id
    payload = row.payload if isinstance(row, Reject) else ""
    return -1 - (int.from_bytes(fingerprint.of_values([payload])[:8], "big") >> 2)


def offer_of(offer_id: int, results: object) -> Offer | Reject | None:
    """The one offer that was asked for; None when the marketplace says that there is none.

    Raises ParametersIgnored when other offers come, as they do where the filter is not looked at; ApiUnavailable for a
    single other one.
    """
    rows = rows_in(results)
    if not rows:
        return None
    found = [normalise(row) for row in rows]
    strangers = [one.emag_offer_id for one in found if one.emag_offer_id not in (offer_id, None)]
    if len(strangers) > 1:
        raise ignored("the filter id", f"asked for offer {offer_id}, it answered with {len(rows):,} offers")
    if strangers:
        raise ApiUnavailable(f"offer {strangers[0]} came instead", remedy=_AGAIN)
    return found[0]


def count_of(results: object) -> Count:
    """The count. A page size that cannot be read counts as not named."""
    if not isinstance(results, Mapping):
        raise ApiUnavailable(f"the count is {shown(results)}, not an object", remedy=_AGAIN)
    try:
        rows = whole(results, "noOfItems", (0, BIGINT[1]))
    except Unreadable as problem:
        raise ApiUnavailable("the count cannot be read", why=str(problem), remedy=_AGAIN) from None
    if rows is None:
        raise ApiUnavailable("the count cannot be read", why="noOfItems is missing", remedy=_AGAIN)
    return Count(rows, _page_size(results))


def _page_size(results: Mapping[str, object]) -> int | None:
    try:
        return whole(results, "itemsPerPage", BIGINT)
    except Unreadable:
        return None


def ignored(what: str, why: str, where: str = "") -> ParametersIgnored:
    """The error that says by name what the marketplace pays no attention to."""
    return ParametersIgnored(f"the marketplace ignores {what}", where=where, why=why, remedy=_PROBE)


def rows_in(results: object, most: int | None = None) -> list[object]:
    """The rows of any answer; [] is the only way to say that there are none. Raises ApiUnavailable beyond `most`."""
    rows = _rows_in(results)
    return rows if most is None else _at_most(rows, most)


def _at_most(rows: list[object], most: int) -> list[object]:
    if len(rows) > most:
        raise ApiUnavailable(
            f"the answer holds {len(rows):,} rows, {most:,} were asked for",
            remedy="It is read in smaller pages; if it persists, the API has changed",
            page_tries=1,
            rows_too_many=len(rows) - most,
        )
    return rows


def _rows_in(results: object) -> list[object]:
    try:
        rows = listed("results", results) if results != {} else None
    except Unreadable as problem:
        raise ApiUnavailable("the rows cannot be read", why=str(problem), remedy=_AGAIN) from None
    if rows is None:
        raise ApiUnavailable("the rows cannot be read", why=f"results is {shown(results)}, not a list", remedy=_AGAIN)
    return rows
