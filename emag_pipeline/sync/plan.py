"""Which pages a scan will read, known and bounded before the first of them is read."""

from dataclasses import dataclass

from emag_pipeline.errors import PageBoundExceeded

OFFERS_A_PAGE = 100


@dataclass(frozen=True, slots=True)
class Plan:
    """Pages 1 to `pages` hold `offers` offers, says the marketplace."""

    pages: int
    offers: int


def plan_scan(account: str, offers: int, max_pages: int) -> Plan:
    """Plan the scan of a catalogue of so many offers.

    Raises PageBoundExceeded when it needs more pages than EMAG_SYNC_MAX_PAGES; nothing has been read then.
    """
    pages = -(-offers // OFFERS_A_PAGE)
    if pages > max_pages:
        enough = pages + max(5, pages // 20)  # some air for growth, or the next week brings the same error
        raise PageBoundExceeded(
            f"the catalogue has {offers:,} offers = {pages:,} pages, EMAG_SYNC_MAX_PAGES is {max_pages:,}",
            where=account,
            why="nothing was read",
            remedy=f"Set it to {enough} or more",
        )
    return Plan(pages, offers)
