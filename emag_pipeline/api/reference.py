"""The marketplace's reference data: categories page by page, VAT rates and handling times whole.

Source: docs/marketplace-api.md, "Reference data".
"""

from emag_pipeline.api import reference_rows
from emag_pipeline.api.calls import MOST_PER_PAGE, Call, Calls
from emag_pipeline.api.obedience import Obedience
from emag_pipeline.api.pages import Count, count_of, rows_in
from emag_pipeline.api.reference_rows import Category, HandlingTime, Rows, VatRate, once_each, rows_of


class ReferenceData(Calls):
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
