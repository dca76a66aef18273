"""How much a scan has to read, and the page sizes that it may use."""

from emag_pipeline.completeness import SIZES
from emag_pipeline.errors import PageBoundExceeded

#: EMAG_SYNC_MAX_PAGES counts pages of so many offers, whatever the size that a scan reads them with.
OFFERS_A_PAGE = 100


def hundreds(offers: int) -> int:
    """Pages of 100 offers that so many take."""
    return -(-offers // OFFERS_A_PAGE)


def bounded(account: str, offers: int, max_pages: int) -> int:
    """Pages of 100 offers that a catalogue has.

    Raises PageBoundExceeded when they are more than EMAG_SYNC_MAX_PAGES; nothing has been read then.
    """
    pages = hundreds(offers)
    if pages > max_pages:
        enough = pages + max(5, pages // 20)  # some air for growth, or the next week brings the same error
        raise PageBoundExceeded(
            f"the catalogue has {offers:,} offers = {pages:,} pages, EMAG_SYNC_MAX_PAGES is {max_pages:,}",
            where=account,
            why="nothing was read",
            remedy=f"Set it to {enough} or more",
        )
    return pages


def larger(size: int, most: int) -> int:
    """The next larger page size, at most `most`."""
    return min(most, next((one for one in reversed(SIZES) if one > size), most))


def usual(size: int) -> int:
    """The largest of the usual page sizes, at most `size`."""
    return next(one for one in SIZES if one <= size)
