"""The marketplace's offers: how many, one page of them, one of them."""

from dataclasses import replace

from emag_pipeline.api.calls import MOST_PER_PAGE, Call, Calls
from emag_pipeline.api.obedience import Obedience
from emag_pipeline.api.offer import Offer, Page, Published, Reject
from emag_pipeline.api.pages import Count, count_of, offer_of, page_of, rows_in


class Marketplace(Calls):
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
        published: Published | None = None,
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

        Tried once: it asks whether the marketplace answers at all. More than 1: it pays no attention to the page size.
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
