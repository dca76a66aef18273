"""The marketplace's offers: how many, one page of them, one of them."""

from emag_pipeline.api.calls import Call, Calls
from emag_pipeline.api.offer import Offer, Page, Reject
from emag_pipeline.api.pages import ITEMS_PER_PAGE, OfferCount, count_of, offer_of, page_of


class Marketplace(Calls):
    """One account's offers."""

    def count(self) -> OfferCount:
        """How many offers the marketplace reports, and on how many pages."""
        call = Call("product_offer/count", {"itemsPerPage": ITEMS_PER_PAGE})
        return self.ask(call, lambda results, _: count_of(results))

    def read_page(self, number: int) -> Page:
        """Read one page, from 1 on. A row that cannot be represented is a reject of the page, not an error."""
        call = Call("product_offer/read", {"currentPage": number, "itemsPerPage": ITEMS_PER_PAGE}, page=number)
        return self.ask(call, lambda results, fetched_at: page_of(number, results, fetched_at))

    def read_offer(self, offer_id: int) -> Offer | Reject | None:
        """Read one offer by its id; None when the marketplace says that there is none.

        Absence is never inferred from a failure. Source: emag-api.md section 4 (filter `id`), section 8.
        """
        call = Call("product_offer/read", {"id": offer_id, "itemsPerPage": ITEMS_PER_PAGE}, offer_id=offer_id)
        return self.ask(call, lambda results, _: offer_of(offer_id, results))
