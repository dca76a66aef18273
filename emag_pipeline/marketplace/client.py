"""The marketplace's offers: how many, one page of them, one of them."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from emag_pipeline.errors import ParametersIgnored
from emag_pipeline.marketplace import reference_rows
from emag_pipeline.marketplace.calls import MOST_PER_PAGE, ApiCalls, Call
from emag_pipeline.marketplace.json_text import shown
from emag_pipeline.marketplace.pages import Count, count_of, ignored, offer_of, page_of, rows_in
from emag_pipeline.marketplace.reference_rows import Category, HandlingTime, Rows, VatRate, once_each, rows_of
from emag_pipeline.model import AskPublished, Offer, Page, Reject

# Is pagination obeyed? Where it is not, page 1 comes again and again, and no scan of it can be complete.
#
# Parameters at the wrong place are ignored without a word (docs/marketplace-api.md, "Pages, counts and order"). So a
# count asks for pages of 1, which nobody answers by default, and the first two pages of a listing are compared. No
# recorded answer shows that every real count names the page size that it was asked for; where one does not, two reads
# of one row decide.


class Obedience:
    """Judges one listing in at most three calls, counted from the count that it is given."""

    def __init__(self, account: str, read_row: Callable[[int], Sequence[object]]) -> None:
        """`read_row` reads the page of that number with one row on it."""
        self._account = account
        self._read_row = read_row
        self._is_proven = False

    def judge_count(self, count: Count) -> None:
        """Look at the answer to a count that asked for pages of 1.

        Raises ParametersIgnored when neither the count nor two reads of one row obeyed.
        """
        if count.items_per_page == 1 or count.rows == 0:
            return
        named = "no page size" if count.items_per_page is None else f"a page size of {count.items_per_page:,}"
        first = self._read_row(1)
        if len(first) > 1:
            raise self._ignored(
                "itemsPerPage",
                f"asked for 1 row a page, its count named {named} and a read answered with {len(first):,} rows",
            )
        second = self._read_row(2) if count.rows > 1 else []
        if first and _ids(first) == _ids(second):
            raise self._ignored("currentPage", f"pages 1 and 2 of one row each show the same one, id {_ids(first)[0]}")
        self._is_proven = True

    def judge_pages(self, first: Sequence[object], second: Sequence[object], number: int) -> None:
        """Compare what the first page and the one of that number, read next, show: ids in order. Once is enough.

        Raises ParametersIgnored when the second repeats the first.
        """
        if not self._is_proven and first and first == second:
            raise self._ignored("currentPage", f"page {number} shows the same {len(first):,} rows as page 1")
        self._is_proven = True

    def _ignored(self, what: str, why: str) -> ParametersIgnored:
        return ignored(what, why, where=self._account)


def _ids(rows: Sequence[object]) -> list[str]:
    return [shown(row.get("id") if isinstance(row, dict) else row) for row in rows]


class MarketplaceClient(ApiCalls):
    """One account's offers."""

    def count(self) -> Count:
        """How many offers the marketplace reports. Asks for pages of 1, to see whether that is obeyed."""
        call = Call("product_offer/count", {"currentPage": 1, "itemsPerPage": 1}, page_size=1)
        return self.ask(call, lambda results, _: count_of(results))

    def read_page(
        self,
        number: int,
        size: int = MOST_PER_PAGE,
        tries: int | None = None,
        published: AskPublished | None = None,
    ) -> Page:
        """Read one page of so many offers, from 1 on, with at most so many tries; see `page_of`.

        A row that cannot be represented is a reject of the page, not an error. Raises ApiUnavailable for more rows than
        were asked for.
        """
        call = replace(_read(number, size), tries=tries)
        return self.ask(call, lambda results, at: page_of(number, size, results, at, published))

    def read_offer(self, offer_id: int) -> Offer | Reject | None:
        """Read one offer by its id; None when the marketplace says that there is none.

        Absence is never inferred from a failure. Raises ParametersIgnored when the filter is not looked at.
        Source: docs/marketplace-api.md, "Filters", "Overview".
        """
        parameters = {"id": offer_id, "currentPage": 1, "itemsPerPage": MOST_PER_PAGE}
        call = Call("product_offer/read", parameters, offer_id=offer_id)
        return self.ask(call, lambda results, _: offer_of(offer_id, results))

    def rows_at(self, position: int) -> int:
        """How many rows a page of one offer shows at a position of the listing, from 0: 1, or 0 behind its end.

        Tried once: it asks whether the marketplace answers at all. More than 1: it ignores the page size.
        """
        call = replace(_read(position + 1, 1), tries=1)
        return self.ask(call, lambda results, _: len(rows_in(results)))

    def obedience(self) -> Obedience:
        """A judge of whether this account's pagination is obeyed."""
        return Obedience(
            self._account.name, lambda number: self.ask(_read(number, 1), lambda results, _: rows_in(results))
        )


def _read(number: int, size: int) -> Call:
    parameters = {"currentPage": number, "itemsPerPage": size}
    return Call("product_offer/read", parameters, page=number, page_size=size)


# The marketplace's reference data: categories page by page, VAT rates and handling times whole.
#
# Source: docs/marketplace-api.md, "Reference data".


class ReferenceData(ApiCalls):
    """Reference data as one account sees it. Rows that cannot be represented are told, not an error."""

    def count_categories(self) -> Count:
        """How many categories the marketplace reports. Asks for pages of 1, to see whether that is obeyed."""
        call = Call("category/count", {"currentPage": 1, "itemsPerPage": 1}, page_size=1)
        return self.ask(call, lambda results, _: count_of(results))

    def obedience(self) -> Obedience:
        """A judge of whether the pagination of categories is obeyed."""
        return Obedience(
            self._account.name,
            lambda number: self.ask(_categories(number, 1, "en"), lambda results, _: rows_in(results)),
        )

    def read_categories(self, page: int, language: str) -> Rows[Category]:
        """One page of categories, from 1 on, with names in a language: en, ro, hu, bg, pl, gr or de."""
        call = _categories(page, MOST_PER_PAGE, language)
        return self.ask(call, lambda results, _: rows_of(rows_in(results, MOST_PER_PAGE), reference_rows.category))

    def read_vat_rates(self) -> Rows[VatRate]:
        """All VAT rates."""
        return self.ask(
            Call("vat/read", {}), lambda results, _: once_each(rows_of(rows_in(results), reference_rows.vat_rate))
        )

    def read_handling_times(self) -> Rows[HandlingTime]:
        """All handling times that offers may have."""
        return self.ask(
            Call("handling_time/read", {}),
            lambda results, _: once_each(rows_of(rows_in(results), reference_rows.handling_time)),
        )


def _categories(page: int, size: int, language: str) -> Call:
    parameters = {"currentPage": page, "itemsPerPage": size}
    return Call("category/read", parameters, page=page, page_size=size, language=language)
