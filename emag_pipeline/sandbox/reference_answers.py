"""The reference resources' answers: true, in PHP's types, or as the faults in force would have them."""

from dataclasses import dataclass
from typing import Any

from emag_pipeline.sandbox import reference
from emag_pipeline.sandbox.answers import Answer, success, success_rows
from emag_pipeline.sandbox.catalogue.chance import Chance
from emag_pipeline.sandbox.faults import Faults, Target
from emag_pipeline.sandbox.offer_pages import counted, paging
from emag_pipeline.sandbox.page_faults import heard, shown_page, shown_size, spoilt, told_count
from emag_pipeline.sandbox.quirks import row_as_php


@dataclass(frozen=True, slots=True)
class ReferenceAnswers:
    """What one account is told of categories, VAT rates and handling times."""

    account: str
    seed: int
    faults: Faults
    shape_share: float
    quirk_share: float

    def count_categories(self, data: dict[str, Any], *, as_text: bool) -> Answer:
        """How many categories and pages there are; a fault may lie about it."""
        _, size = paging(data)
        number = told_count(
            self.faults, Target(self.account, "category/count", None), len(reference.categories({}, "ro"))
        )
        return counted(number, size, as_text=as_text)

    def categories(self, asked: dict[str, Any], language: str) -> Answer:
        """One page of categories, after the faults had their say; or the one asked for by its id."""
        target = Target(self.account, "category/read", None if "id" in asked else paging(asked)[0])
        data = heard(self.faults, target, asked)
        page, size = paging(data)
        found = reference.categories(data, language)
        shown = shown_page(self.faults, target, page, lambda: -(-len(found) // size))
        size = shown_size(self.faults, target, size)
        rows = [self._served(row) for row in found[(shown - 1) * size : shown * size]]
        return success_rows(spoilt(self.faults, target, rows))

    def vat_rates(self) -> Answer:
        """All VAT rates, to some accounts as percentages."""
        as_percent = Chance(self.seed, self.account, "vat").happens(round(self.shape_share * 500))
        return self._all(reference.VAT_PERCENTAGES if as_percent else reference.VAT_RATES)

    def handling_times(self) -> Answer:
        """All handling times."""
        return self._all(reference.HANDLING_TIMES)

    def _all(self, rows: tuple[dict[str, Any], ...]) -> Answer:
        served = [self._served(row) for row in rows]
        return success({str(place): row for place, row in enumerate(served)} if self.quirk_share >= 1 else served)

    def _served(self, row: dict[str, Any]) -> dict[str, Any]:
        return row_as_php(row, (self.seed, *row.values()), self.quirk_share)
