"""The calls of a probe, and what the responses show. Each call depends on the responses before it.

The first three ask for pages of 1 in one place of the body and pages of 2 in the other, so that the response shows
which place is obeyed. Then one page is read, part of it again with a smaller, odd page size, and one offer by its id.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from emag_pipeline.errors import AccessRefused, PipelineError, RateLimited
from emag_pipeline.marketplace import RawAnswer

COUNT, READ = "product_offer/count", "product_offer/read"
PAGE_ROWS = 100
#: Sizes that neither a default nor rounding would produce.
ODD_SIZES = (49, 7, 3)
_MOST_ERRORS = 2


@dataclass(frozen=True, slots=True)
class Question:
    """One call: its name in the file, its purpose, its body, and what the request log records of it."""

    name: str
    what: str
    resource: str
    body: Mapping[str, object]
    page: int | None = None
    page_size: int | None = None
    offer_id: int | None = None


@dataclass(slots=True)
class ProbeAnswers:
    """The calls so far, with their responses."""

    given: list[tuple[Question, RawAnswer]] = field(default_factory=list)

    def add(self, question: Question, answer: RawAnswer) -> None:
        """Record the response to a question."""
        self.given.append((question, answer))

    def of(self, name: str) -> tuple[Question, RawAnswer] | None:
        """The question of that name with its response, if it was asked."""
        return next(((question, answer) for question, answer in self.given if question.name == name), None)

    def rows(self, name: str) -> list[object] | None:
        """The rows of a read; None if there were none."""
        found = self.of(name)
        return rows_of(found[1].results) if found else None

    @property
    def page(self) -> list[object] | None:
        """The rows of the first page; if page sizes are ignored, the split read has shown it already."""
        split = self.rows("split_read")
        return self.rows("page") or (split if split and len(split) > 2 else None)

    @property
    def sample(self) -> list[object]:
        """The rows from which offers are described."""
        return self.page or self.rows("part") or self.rows("split_read") or []

    @property
    def errors(self) -> list[PipelineError]:
        """All errors so far."""
        return [answer.error for _, answer in self.given if answer.error is not None]

    @property
    def is_over(self) -> bool:
        """Whether further calls are pointless: the first one failed, access is refused, or two failed."""
        ends = any(isinstance(error, AccessRefused | RateLimited) for error in self.errors)
        return bool(ends or len(self.errors) >= _MOST_ERRORS or (self.errors and len(self.given) == 1))


def questions(answers: ProbeAnswers) -> Iterator[Question]:
    """The questions in order; each is made once the responses before it are there."""
    for made in _QUESTIONS:
        question = made(answers)
        if question is not None:
            yield question


def rows_of(results: object) -> list[object] | None:
    """The rows of a read, also if PHP encoded the list as an object."""
    if isinstance(results, Mapping):
        return list(results.values()) if all(key.isdigit() for key in results) else None
    return results if isinstance(results, list) else None


def id_of(row: object) -> int | None:
    """The id of a row, whether a number or a string."""
    value = row.get("id") if isinstance(row, Mapping) else None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        return int(value)
    return value if type(value) is int else None


def echoed_size(results: object) -> int | None:
    """The page size that a count reports, if any."""
    value = results.get("itemsPerPage") if isinstance(results, Mapping) else None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    return value if type(value) is int else None


def _paged(size: int, page: int = 1) -> dict[str, object]:
    return {"currentPage": page, "itemsPerPage": size}


def _split_count(_: ProbeAnswers) -> Question:
    what = "count, pages of 1 at the top level and of 2 under data"
    return Question("split_count", what, COUNT, {**_paged(1), "data": _paged(2)})


def _lone_count(answers: ProbeAnswers) -> Question:
    """With only the place that was not obeyed before."""
    found = answers.of("split_count")
    if found and echoed_size(found[1].results) == 2:
        return Question("lone_count", "count, pages of 2 at the top level only", COUNT, {**_paged(2), "data": {}})
    return Question("lone_count", "count, pages of 2 under data only", COUNT, {"data": _paged(2)})


def _split_read(_: ProbeAnswers) -> Question:
    what = "read, pages of 1 at the top level and of 2 under data"
    return Question("split_read", what, READ, {**_paged(1), "data": _paged(2)}, page=1)


def _page(answers: ProbeAnswers) -> Question | None:
    if answers.page:
        return None
    return _read("page", PAGE_ROWS, 1)


def _part(answers: ProbeAnswers) -> Question | None:
    """The second page of an odd size, which the first page covers; if that one failed, a small first page."""
    if answers.page is None:
        return _read("part", ODD_SIZES[1], 1)
    size = next((size for size in ODD_SIZES if 2 * size <= len(answers.page)), None)
    return _read("part", size, 2) if size else None


def _read(name: str, size: int, page: int) -> Question:
    body = {**_paged(size, page), "data": _paged(size, page)}
    return Question(name, f"read, page {page} of {size} offers", READ, body, page=page, page_size=size)


def _by_id(answers: ProbeAnswers) -> Question | None:
    offer_id = next(filter(None, map(id_of, answers.sample)), None)
    if offer_id is None:
        return None
    asked = {"id": offer_id, **_paged(PAGE_ROWS)}
    return Question("by_id", "read, one offer by its id", READ, {**asked, "data": asked}, offer_id=offer_id)


_QUESTIONS: tuple[Callable[[ProbeAnswers], Question | None], ...] = (
    _split_count, _lone_count, _split_read, _page, _part, _by_id,
)  # fmt: skip


# What the responses show: which parameters are obeyed and where, and how the listing is ordered. None: not shown.


def parameters(answers: ProbeAnswers) -> dict[str, Any]:
    """Which place of the body counts and reads obey, and which parameters are obeyed at all."""
    count, read, alone = _count_place(answers), _read_place(answers), _alone(answers)
    first = read or count
    size, is_odd_obeyed = _odd_size(answers)
    return {
        "obeyed": "both" if alone and first in ("top", "data") else first,
        "count": count,
        "read": read,
        "other_place_alone": alone,
        "odd_page_size": size,
        "is_odd_page_size_obeyed": is_odd_obeyed,
        "is_page_number_obeyed": _is_page_obeyed(answers),
        "is_id_obeyed": _is_id_obeyed(answers),
    }


def order(answers: ProbeAnswers) -> dict[str, Any] | None:
    """How the first page is ordered, and whether a second read shows its offers in the same order."""
    ids = [one for one in map(id_of, answers.page or ()) if one is not None]
    if len(ids) < 2:
        return None
    steps = list(pairwise(ids))
    places = {offer_id: place for place, offer_id in enumerate(ids)}
    again = [places[one] for one in map(id_of, answers.rows("part") or ()) if one in places]
    return {
        "offers": len(ids),
        "ids_ascend": all(one < other for one, other in steps),
        "ids_descend": all(one > other for one, other in steps),
        "repeated_ids": len(ids) - len(places),
        "offers_read_again": len(again),
        "share_in_same_order": round(_longest_ascent(again) / len(again), 3) if again else None,
    }


def _count_place(answers: ProbeAnswers) -> str | None:
    found = answers.of("split_count")
    size = echoed_size(found[1].results) if found else None
    return None if size is None else {1: "top", 2: "data"}.get(size, "neither")


def _read_place(answers: ProbeAnswers) -> str | None:
    rows = answers.rows("split_read")
    if rows is None or len(answers.page or ()) < 3:  # they fit on any page
        return None
    return {1: "top", 2: "data"}.get(len(rows), "neither")


def _alone(answers: ProbeAnswers) -> bool | None:
    """Whether a count obeys the other place if only that one is given."""
    found = answers.of("lone_count")
    size = echoed_size(found[1].results) if found else None
    return None if size is None else size == 2


def _odd_size(answers: ProbeAnswers) -> tuple[int | None, bool | None]:
    found, rows = answers.of("part"), answers.rows("part")
    if found is None or rows is None:
        return None, None
    return found[0].page_size, len(rows) == found[0].page_size


def _is_page_obeyed(answers: ProbeAnswers) -> bool | None:
    found = answers.of("part")
    first, second = (list(map(id_of, rows or ())) for rows in (answers.page, answers.rows("part")))
    if not found or found[0].page != 2 or not second:
        return None
    if second == first[len(second) : 2 * len(second)]:
        return True
    return False if second == first[: len(second)] else None


def _is_id_obeyed(answers: ProbeAnswers) -> bool | None:
    found, rows = answers.of("by_id"), answers.rows("by_id")
    if found is None or not rows:
        return None
    return [id_of(row) for row in rows] == [found[0].offer_id]


def _longest_ascent(places: list[int]) -> int:
    """The length of the longest ascending subsequence."""
    ends: list[int] = []
    for place in places:
        at = bisect_left(ends, place)
        ends[at : at + 1] = [place]
    return len(ends)
