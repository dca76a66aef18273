"""The calls of a probe: each is made of what the answers before it have shown.

The first three ask for pages of 1 at one place of the body and of 2 at the other, so that the answer shows which place
is obeyed. Then one page is read, a part of it once more in a smaller page of an odd size, and one of its offers by id.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from emag_pipeline.errors import AccessRefused, PipelineError, RateLimited
from emag_pipeline.marketplace import RawAnswer

COUNT, READ = "product_offer/count", "product_offer/read"
PAGE_ROWS = 100
#: sizes that no default and no rounding would give
ODD_SIZES = (49, 7, 3)
_MOST_ERRORS = 2


@dataclass(frozen=True, slots=True)
class Question:
    """One call: its name in the file, what it asks, and what the request log tells of it."""

    name: str
    what: str
    resource: str
    body: Mapping[str, object]
    page: int | None = None
    page_size: int | None = None
    offer_id: int | None = None


@dataclass(slots=True)
class ProbeAnswers:
    """What was asked so far, and what came back."""

    given: list[tuple[Question, RawAnswer]] = field(default_factory=list)

    def add(self, question: Question, answer: RawAnswer) -> None:
        """The next answer."""
        self.given.append((question, answer))

    def of(self, name: str) -> tuple[Question, RawAnswer] | None:
        """The question of that name with its answer, if it was asked."""
        return next(((question, answer) for question, answer in self.given if question.name == name), None)

    def rows(self, name: str) -> list[object] | None:
        """The rows of a read; None where none came."""
        found = self.of(name)
        return rows_of(found[1].results) if found else None

    @property
    def page(self) -> list[object] | None:
        """The rows of the first page: that of the split read, where it paid no attention to page sizes."""
        split = self.rows("split_read")
        return self.rows("page") or (split if split and len(split) > 2 else None)

    @property
    def sample(self) -> list[object]:
        """The rows by which offers are described."""
        return self.page or self.rows("part") or self.rows("split_read") or []

    @property
    def errors(self) -> list[PipelineError]:
        """What failed or was refused."""
        return [answer.error for _, answer in self.given if answer.error is not None]

    @property
    def is_over(self) -> bool:
        """Whether further calls would tell nothing: the first one failed, the caller is refused, or two failed."""
        ends = any(isinstance(error, AccessRefused | RateLimited) for error in self.errors)
        return bool(ends or len(self.errors) >= _MOST_ERRORS or (self.errors and len(self.given) == 1))


def questions(answers: ProbeAnswers) -> Iterator[Question]:
    """One after the other; each is made when the answers before it are there."""
    for made in _QUESTIONS:
        question = made(answers)
        if question is not None:
            yield question


def rows_of(results: object) -> list[object] | None:
    """The rows of a read, also where PHP made an object of their list."""
    if isinstance(results, Mapping):
        return list(results.values()) if all(key.isdigit() for key in results) else None
    return results if isinstance(results, list) else None


def id_of(row: object) -> int | None:
    """The id of a row, as a number or in text."""
    value = row.get("id") if isinstance(row, Mapping) else None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        return int(value)
    return value if type(value) is int else None


def echoed_size(results: object) -> int | None:
    """The page size that a count names, if it does."""
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
    """With the place only that was not obeyed before."""
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
    """The second page of an odd size, all of which the first page has shown; where that failed, a small page."""
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
