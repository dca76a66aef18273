"""Turns `results` into pages, single offers and counts. Raises ApiUnavailable for anything of another shape."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeVar, cast

from emag_pipeline.errors import ApiUnavailable, ParametersIgnored
from emag_pipeline.marketplace import fields, fingerprint
from emag_pipeline.marketplace.fields import BIGINT, UnreadableValue, listed, whole
from emag_pipeline.marketplace.json_text import Written, ascii_only, shown
from emag_pipeline.marketplace.normalise import normalise
from emag_pipeline.marketplace.surprises import added_up, of_text, without_people
from emag_pipeline.model import AskPublished, AsPublished, Offer, Page, Reject, Unchanged

_T = TypeVar("_T")

#: Stands for an offer that was never published.
_NEVER = AsPublished(b"", b"", b"", None)
_AGAIN = "It is retried; if it persists, the API has changed"
#: At most this many rows without an id may explain why a page is too long.
_FEW_NAMELESS = 2
_PROBE = "Run `emag-pipeline probe` and report its output file: it shows which parameters the marketplace obeys"


@dataclass(frozen=True, slots=True)
class Count:
    """The reported number of rows, and the reported page size, None if there is none."""

    rows: int
    items_per_page: int | None


@dataclass(frozen=True, slots=True)
class _Row:
    """A row as received, and as parsed."""

    row: object
    read: Offer | Unchanged | Reject
    #: its id, or see `Page.ids`
    number: int

    @classmethod
    def of(cls, row: object, digest: bytes | None = None) -> "_Row":
        read = normalise(row, digest)
        return cls(row, read, _number_of(read))

    @property
    def unreadable(self) -> tuple[str, ...]:
        """Commercial fields that cannot be read."""
        return () if isinstance(self.read, Reject) else self.read.unreadable

    @property
    def part_number(self) -> object:
        """The product's part number key, if the row has one as text."""
        name = self.row.get("part_number_key") if isinstance(self.row, Mapping) else None
        return name if isinstance(name, str) and name else None


def page_of(
    number: int,
    size: int,
    results: object,
    fetched_at: datetime | None = None,
    published: AskPublished | None = None,
) -> Page:
    """A page of offers and rejects, fetched now unless `fetched_at` is given. It may be empty: the scan judges that.

    Rows whose text is the same as when their offers were `published` are not parsed again.

    If an offer has several rows, the one with the fewest unreadable fields counts, else the first; the others are
    rejects. If the response has more rows than requested because it repeats offers, the repeated rows, or a few rows
    without a usable id, take no position. Raises ApiUnavailable for any other excess.
    """
    rows = _rows(rows_in(results), published)
    best = _best_of(rows)
    placed = _at_most(_placed(rows, best, size), size)
    offers = tuple(one.read for one in best.values() if not isinstance(one.read, Reject))
    rejects = tuple(_reject_of(one, best.get(one.number)) for one in rows if best.get(one.number) is not one)
    return Page(
        number=number,
        size=size,
        ids=tuple(one.number for one in placed),
        offers=offers,
        rejects=rejects,
        content_hash=fingerprint.of_page(offers, rejects),
        fetched_at=fetched_at or datetime.now(UTC),
        surprises=added_up(one for offer in offers for one in offer.surprises),
        source=tuple(one.row for one in placed),
    )


def _rows(rows: list[object], published: AskPublished | None) -> list[_Row]:
    if published is None or not isinstance(rows, Written):
        return [_Row.of(row) for row in rows]
    ids = [_id_of(row) for row in rows]
    known = published([number for number in ids if number is not None])
    found = []
    for row, number, text in zip(rows, ids, rows.texts, strict=True):
        digest = fingerprint.of_row(text)
        before = _NEVER if number is None else known.get(number, _NEVER)
        if number is not None and digest == before.digest:
            same = Unchanged(number, before.row_hash, before.content_hash, of_text(before.noticed))
            found.append(_Row(row, same, number))
        else:
            found.append(_Row.of(row, digest))
    return found


def _id_of(row: object) -> int | None:
    """The row's id if it has a usable one."""
    try:
        return fields.offer_id(row) if isinstance(row, dict) else None
    except UnreadableValue:
        return None


def set_aside(page: Page, doubled: Collection[int]) -> Page:
    """The page without `source`, and with rejects for the rows of `doubled`: offers also listed elsewhere.

    If an offer appears twice on this page, its second row is already a reject.
    """
    again = {one for one in doubled if page.ids.count(one) == 1}
    rejects = [
        Reject(one, f"id {one} appears at another place in the listing already", _payload(row))
        for one, row in zip(page.ids, page.source, strict=True)
        if one in again
    ]
    kept = tuple(offer for offer in page.offers if offer.emag_offer_id not in again)
    return replace(page, offers=kept, rejects=(*page.rejects, *rejects), source=())


def unreadable_page(position: int) -> Page:
    """The page that records an unreadable position: the marketplace fails for every page that contains it."""
    nothing = fingerprint.of_page((), ())
    return Page(position + 1, 1, (), (), (), nothing, datetime.now(UTC), is_unreadable=True)


def _best_of(rows: Sequence[_Row]) -> dict[int, _Row]:
    """For each offer the first of the rows with the fewest unreadable fields."""
    best: dict[int, _Row] = {}
    for one in rows:
        if not isinstance(one.read, Reject) and len(one.unreadable) < len(best.setdefault(one.number, one).unreadable):
            best[one.number] = one
    return best


def _placed(rows: Sequence[_Row], best: Mapping[int, _Row], most: int) -> list[_Row]:
    """The rows that take positions: all, minus the excess rows if they can be identified.

    Excess rows are repeated rows of an offer. If a few are still too many, rows without an id are left out, first those
    with the part number of another row: their offer is on the page already.
    """
    too_many = len(rows) - most
    kept: list[_Row] = []
    seen: set[int] = set()
    for one in rows:
        if too_many > 0 and one.number in seen and one.number in best:
            too_many -= 1
        else:
            kept.append(best.get(one.number, one))
            seen.add(one.number)
    nameless = [one for one in kept if isinstance(one.read, Reject)]
    if not 0 < too_many <= min(len(nameless), _FEW_NAMELESS):
        return kept
    known = {one.part_number for one in best.values()}
    nameless.sort(key=lambda one: one.part_number is None or one.part_number not in known)
    left_out = {id(one) for one in nameless[:too_many]}
    return [one for one in kept if id(one) not in left_out]


def _reject_of(row: _Row, best: _Row | None) -> Reject:
    """The reject for a row that is not an offer, or whose offer is taken from another row of the page."""
    if isinstance(row.read, Reject):
        return row.read
    better = [] if best is None else [one for one in row.unreadable if one not in best.unreadable]
    again = f"again, with readable {', '.join(better)}" if better else "already"
    return Reject(row.number, f"id {row.number} appears on this page {again}", _payload(row.row))


def _payload(row: object) -> str:
    return ascii_only(without_people(row))


def _number_of(row: Offer | Unchanged | Reject) -> int:
    """The row's id; without a usable one a negative number derived from its payload, the same for the same row."""
    if row.emag_offer_id is not None:
        return row.emag_offer_id
    payload = row.payload if isinstance(row, Reject) else ""
    return -1 - (int.from_bytes(fingerprint.of_values([payload])[:8], "big") >> 2)


def offer_of(offer_id: int, results: object) -> Offer | Reject | None:
    """The requested offer, from the row with the fewest unreadable fields; None if there is none.

    Raises ParametersIgnored if several other offers are returned, which means that the filter is ignored;
    ApiUnavailable for a single other one.
    """
    rows = rows_in(results)
    if not rows:
        return None
    found = [_Row.of(row) for row in rows]
    strangers = [one.number for one in found if one.number > 0 and one.number != offer_id]
    if len(strangers) > 1:
        raise ignored("the filter id", f"asked for offer {offer_id}, it returned {len(rows):,} offers")
    if strangers:
        raise ApiUnavailable(f"offer {strangers[0]} was returned instead", remedy=_AGAIN)
    return cast(Offer | Reject, _best_of(found).get(offer_id, found[0]).read)  # `published` was not given


def count_of(results: object) -> Count:
    """The count. An unreadable page size counts as missing."""
    if not isinstance(results, Mapping):
        raise ApiUnavailable(f"the count is {shown(results)}, not an object", remedy=_AGAIN)
    try:
        rows = whole(results, "noOfItems", (0, BIGINT[1]))
    except UnreadableValue as problem:
        raise ApiUnavailable("the count cannot be read", why=str(problem), remedy=_AGAIN) from None
    if rows is None:
        raise ApiUnavailable("the count cannot be read", why="noOfItems is missing", remedy=_AGAIN)
    return Count(rows, _page_size(results))


def _page_size(results: Mapping[str, object]) -> int | None:
    try:
        return whole(results, "itemsPerPage", BIGINT)
    except UnreadableValue:
        return None


def ignored(what: str, why: str, where: str = "") -> ParametersIgnored:
    """The error that names what the marketplace ignores."""
    return ParametersIgnored(f"the marketplace ignores {what}", where=where, why=why, remedy=_PROBE)


def rows_in(results: object, most: int | None = None) -> list[object]:
    """The rows of any response; only [] means that there are none. Raises ApiUnavailable for more than `most`."""
    rows = _rows_in(results)
    return rows if most is None else _at_most(rows, most)


def _at_most(rows: list[_T], most: int) -> list[_T]:
    if len(rows) > most:
        raise ApiUnavailable(
            f"the response has {len(rows):,} rows instead of {most:,}",
            remedy="It is read in smaller pages; if it persists, the API has changed",
            page_tries=1,
            rows_too_many=len(rows) - most,
        )
    return rows


def _rows_in(results: object) -> list[object]:
    try:
        rows = listed("results", results) if results != {} else None
    except UnreadableValue as problem:
        raise ApiUnavailable("the rows cannot be read", why=str(problem), remedy=_AGAIN) from None
    if rows is None:
        raise ApiUnavailable("the rows cannot be read", why=f"results is {shown(results)}, not a list", remedy=_AGAIN)
    return rows
