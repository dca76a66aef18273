"""Reads the marketplace's offers (the count, a page, a single offer) and its reference data."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from emag_pipeline.errors import ParametersIgnored
from emag_pipeline.marketplace import reference_rows
from emag_pipeline.marketplace.calls import MOST_PER_PAGE, ApiCalls, Call
from emag_pipeline.marketplace.json_text import shown
from emag_pipeline.marketplace.pages import Count, count_of, ignored, offer_of, page_of, rows_in
from emag_pipeline.marketplace.reference_rows import Category, HandlingTime, Rows, VatRate, once_each, rows_of
from emag_pipeline.model import AskPublished, Offer, Page, Reject

# Does the marketplace obey pagination? If not, every read returns page 1, and no scan can be complete.
#
# Parameters in the wrong place are silently ignored (docs/marketplace-api.md, "Pages, counts and order"). So a count
# asks for pages of 1, which is nobody's default, and the first two pages of a listing are compared. It is not proven
# that every real count reports the requested page size; if one does not, two reads of one row decide.


class Obedience:
    """Decides whether pagination is obeyed for one listing, in at most three calls including the count."""

    def __init__(self, account: str, read_row: Callable[[int], Sequence[object]]) -> None:
        """`read_row` reads the page with the given number at page size 1."""
        self._account = account
        self._read_row = read_row
        self._is_proven = False

    def judge_count(self, count: Count) -> None:
        """Judge by the result of a count that asked for pages of 1.

        Raises ParametersIgnored if neither the count nor two reads of one row obeyed.
        """
        if count.items_per_page == 1 or count.rows == 0:
            return
        named = "no page size" if count.items_per_page is None else f"a page size of {count.items_per_page:,}"
        first = self._read_row(1)
        if len(first) > 1:
            raise self._ignored(
                "itemsPerPage",
                f"asked for 1 row per page, its count reported {named} and a read returned {len(first):,} rows",
            )
        second = self._read_row(2) if count.rows > 1 else []
        if first and _ids(first) == _ids(second):
            raise self._ignored("currentPage", f"pages 1 and 2 of one row each show the same id {_ids(first)[0]}")
        self._is_proven = True

    def judge_pages(self, first: Sequence[object], second: Sequence[object], number: int) -> None:
        """Compare the ids of the first page with those of page `number`, which was read next. Judges only once.

        Raises ParametersIgnored if the second page repeats the first.
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
        """The number of offers that the marketplace reports. Asks for pages of 1, to check whether that is obeyed."""
        call = Call("product_offer/count", {"currentPage": 1, "itemsPerPage": 1}, page_size=1)
        return self.ask(call, lambda results, _: count_of(results))

    def read_page(
        self,
        number: int,
        size: int = MOST_PER_PAGE,
        tries: int | None = None,
        published: AskPublished | None = None,
    ) -> Page:
        """Read page `number` (from 1) of `size` offers, with at most `tries` attempts; see `page_of`.

        A row that cannot be represented is a reject of the page, not an error. Raises ApiUnavailable for more rows than
        requested.
        """
        call = replace(_read(number, size), tries=tries)
        return self.ask(call, lambda results, at: page_of(number, size, results, at, published))

    def read_offer(self, offer_id: int) -> Offer | Reject | None:
        """Read one offer by its id; None if the marketplace reports that it does not exist.

        Absence is never inferred from a failure. Raises ParametersIgnored if the filter is ignored.
        Source: docs/marketplace-api.md, "Filters", "Overview".
        """
        parameters = {"id": offer_id, "currentPage": 1, "itemsPerPage": MOST_PER_PAGE}
        call = Call("product_offer/read", parameters, offer_id=offer_id)
        return self.ask(call, lambda results, _: offer_of(offer_id, results))

    def rows_at(self, position: int) -> int:
        """The number of rows on a page of size 1 at a position (from 0): 1, or 0 past the end of the listing.

        One attempt only: it checks whether the marketplace responds at all. More than 1 means it ignores the page size.
        """
        call = replace(_read(position + 1, 1), tries=1)
        return self.ask(call, lambda results, _: len(rows_in(results)))

    def obedience(self) -> Obedience:
        """A new `Obedience` for this account's offers."""
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
    """Reference data as one account sees it. Rows that cannot be represented are returned as such, not raised."""

    def count_categories(self) -> Count:
        """The number of categories that the marketplace reports. Asks for pages of 1, as `MarketplaceClient.count`."""
        call = Call("category/count", {"currentPage": 1, "itemsPerPage": 1}, page_size=1)
        return self.ask(call, lambda results, _: count_of(results))

    def obedience(self) -> Obedience:
        """A new `Obedience` for the categories."""
        return Obedience(
            self._account.name,
            lambda number: self.ask(_categories(number, 1, "en"), lambda results, _: rows_in(results)),
        )

    def read_categories(self, page: int, language: str) -> Rows[Category]:
        """One page of categories (from 1), with names in a language: en, ro, hu, bg, pl, gr or de."""
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
