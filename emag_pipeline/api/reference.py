"""The marketplace's reference data: categories page by page, VAT rates and handling times whole (emag-api.md, 6)."""

from emag_pipeline.api import reference_rows
from emag_pipeline.api.calls import Call, Calls
from emag_pipeline.api.pages import ITEMS_PER_PAGE, count_of, rows_in
from emag_pipeline.api.reference_rows import Category, HandlingTime, Rows, VatRate, once_each, rows_of


class ReferenceData(Calls):
    """Reference data as one account sees it. Rows that cannot be represented are told, not an error."""

    def count_categories(self) -> int:
        """How many categories the marketplace reports."""
        call = Call("category/count", {"itemsPerPage": ITEMS_PER_PAGE})
        return self.ask(call, lambda results, _: count_of(results).offers)

    def read_categories(self, page: int, language: str) -> Rows[Category]:
        """One page of categories, from 1 on, with names in a language: en, ro, hu, bg, pl, gr or de."""
        data = {"currentPage": page, "itemsPerPage": ITEMS_PER_PAGE}
        call = Call("category/read", data, page=page, language=language)
        return self.ask(call, lambda results, _: rows_of(rows_in(results), reference_rows.category))

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
