"""How a marketplace answers from the listing: truthfully, or with one of the faults that are not movement."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from emag_pipeline.sync.completeness import SIZES, Read
from emag_pipeline_tests.completeness.listing import Listing

#: Numbers of offers that no listing holds.
_BEHIND = 4_200_000_000


class Fails(Exception):
    """The read fails, whatever is done, while others are answered."""


class TooMany(Exception):
    """The answer holds more rows than were asked for."""


@dataclass
class Market:
    """Answers reads, counts and reads by id. Its fields are faults; some are limited to the page numbers `pages`."""

    listing: Listing
    count_is_off: int = 0
    count_says: int | None = None
    pages: frozenset[int] = frozenset()
    empty_page: bool = False
    short_page: int = 0
    repeats: int = 0
    ignores_page: bool = False
    ignores_size: bool = False
    #: page numbers are obeyed for the usual sizes only: others begin where a page of 100 would
    odd_sizes_shift: bool = False
    last_page_again: bool = False
    endless: bool = False
    fresh_rows: bool = False
    #: behind the listing's end stand ever new rows, each at its own place whatever the page's size
    goes_on: bool = False
    #: a page shows no more rows, whatever is asked, and begins where a page of so many would
    shows_at_most: int = 100
    #: sizes other than the usual ones are answered with a page of 100
    odd_sizes_are_100: bool = False
    #: so often the first position cannot be read again, at which size soever
    head_fails: int = 0
    #: offers that break every page that holds them
    poison: frozenset[int] = frozenset()
    fails_above: int = 100
    calls: int = field(default=0)
    by_id: int = field(default=0)
    _invented: int = 4_100_000_000
    _heads: int = 0

    def count(self) -> int:
        """What a count tells."""
        self.calls += 1
        return self.count_says if self.count_says is not None else max(0, len(self.listing.ids) + self.count_is_off)

    def read(self, read: Read) -> Sequence[int]:
        """What a page shows. Raises Fails or TooMany."""
        self.calls += 1
        rows = self._rows(read)
        if read.first == 0 and self.head_fails:
            self._heads += 1
            if 1 < self._heads <= 1 + self.head_fails:
                raise Fails
        if read.size > self.fails_above or (self.poison and not self.poison.isdisjoint(rows)):
            raise Fails
        if len(rows) > read.size:
            raise TooMany
        return rows

    def has(self, one: int, present: set[int]) -> bool:
        """What a read by id tells."""
        self.calls += 1
        self.by_id += 1
        return one in present

    def _rows(self, read: Read) -> list[int]:
        ids, page, size = self.listing.ids, read.page, read.size
        hit = page in self.pages
        if self.ignores_page:
            page = 1
        if self.ignores_size or (self.odd_sizes_are_100 and size not in SIZES):
            size = 100
        size = min(size, self.shows_at_most)
        if self.goes_on:
            first, stop = (page - 1) * size, page * size
            return [*ids[first:stop], *range(_BEHIND + max(first, len(ids)), _BEHIND + stop)]
        if hit and self.repeats:
            page = self.repeats
        last = max(1, -(-len(ids) // size))
        if page > last:
            if self.fresh_rows:
                self._invented += size
                return list(range(self._invented - size, self._invented))
            if self.last_page_again:
                page = last
            elif self.endless:
                page = (page - 1) % last + 1
        first = (page - 1) * (100 if self.odd_sizes_shift and size not in (100, 50, 20, 10) else size)
        rows = ids[first : first + size]
        if hit and self.empty_page:
            return []
        if hit and self.short_page:
            return rows[: -self.short_page]
        return rows
