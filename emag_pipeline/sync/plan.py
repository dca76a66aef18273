"""How many pages a scan has to read, how long it may take, and which page size it uses."""

from emag_pipeline.errors import PageBoundExceeded
from emag_pipeline.logs import logger
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import accounts
from emag_pipeline.sync.completeness import SIZES
from emag_pipeline.sync.completeness.reads import SMALLEST_OF_CHAIN

#: EMAG_SYNC_MAX_PAGES counts pages of this size, whatever page size a scan uses.
OFFERS_A_PAGE = 100


def hundreds(offers: int) -> int:
    """The number of pages of 100 for `offers` offers."""
    return -(-offers // OFFERS_A_PAGE)


def bounded(account: str, offers: int, max_pages: int) -> int:
    """The number of pages of 100 offers in the catalogue.

    Raises PageBoundExceeded if it exceeds EMAG_SYNC_MAX_PAGES; nothing has been read then.
    """
    pages = hundreds(offers)
    if pages > max_pages:
        enough = pages + max(5, pages // 20)  # room for growth, so that the error does not soon recur
        raise PageBoundExceeded(
            f"the catalogue has {offers:,} offers = {pages:,} pages, EMAG_SYNC_MAX_PAGES is {max_pages:,}",
            where=account,
            why="nothing was read",
            remedy=f"Set it to {enough} or more, which leaves room for {enough - pages:,} more pages",
        )
    return pages


def larger(size: int, most: int) -> int:
    """The next larger usual page size, at most `most`."""
    return min(most, next((one for one in reversed(SIZES) if one > size), most))


def usual(size: int) -> int:
    """The largest usual page size that is at most `size`."""
    return next(one for one in SIZES if one <= size)


# How long a sync may take: as set, or twice the time its calls need if that is longer.
#
# A large catalogue that needs an hour at the allowed rate is normal, so the time limit grows with the catalogue.

#: Factor on the time that a scan's calls need: for slow responses, smaller pages, another reading, confirmations. If
#: two readings are planned, it covers all four that may become necessary.
_ROOM = 2
#: Calls per page of offers, since windows overlap (docs/completeness.md). Plain pages do not, but some may be read in
#: parts.
_CALLS_A_PAGE = 1.25
#: Two counts, a read behind the end, and a second read of the head.
_AROUND_PAGES = 4


def readings_due(page_size: int, *, ignores_odd_sizes: bool) -> int:
    """The minimum number of readings of all pages: two if no chain of overlapping windows is possible."""
    return 2 if page_size < SMALLEST_OF_CHAIN or ignores_odd_sizes else 1


def scan_seconds(offers: int, page_size: int, pace_seconds: float, readings: int) -> float:
    """The minimum time for a scan's calls at one per `pace_seconds`. `readings`: see `readings_due`."""
    return (-(-offers // page_size) * _CALLS_A_PAGE * readings + _AROUND_PAGES) * pace_seconds


def with_room(needed_seconds: float) -> float:
    """The time allowed for work that needs `needed_seconds`."""
    return _ROOM * needed_seconds


def allowed_seconds(timeout_hours: float, needed_seconds: float) -> float:
    """The time limit of a sync in seconds, from EMAG_SYNC_TIMEOUT_HOURS and the time that its scan needs."""
    return max(timeout_hours * 3600, with_room(needed_seconds))


# Which page size to use for an account: the one that is known to work; once a day the next larger one is attempted.

log = logger(__name__)


class PageSize:
    """The page size of one attempt. Changes are recorded at once, for later attempts and syncs."""

    def __init__(self, database: Database, account: str, most: int) -> None:
        """`most` is EMAG_API_PAGE_SIZE."""
        self._database = database
        self._account = account
        self._most = most
        self._kept = accounts.page_size(database, account)
        self.size = self._first()

    def _first(self) -> int:
        if self._kept.size is None or self._kept.size >= self._most:
            return self._most
        return self._kept.size if self._kept.is_recent else larger(self._kept.size, self._most)

    @property
    def is_usual(self) -> bool:
        """Whether it is one of the usual sizes, which every marketplace obeys."""
        return self.size in SIZES

    def keep_to_usual(self) -> None:
        """Use the largest allowed usual size, because the marketplace obeys no others."""
        self.size = usual(self.size)

    def found_too_large(self, size: int) -> None:
        """Use `size` from now on, because the marketplace cannot handle the current size."""
        log.warning("page_size_lowered", page_size=self.size, to=size)
        self.size = size
        accounts.note_page_size(self._database, self._account, size)

    def proven(self) -> None:
        """Record the current size as working, after a whole reading with it."""
        kept = self._most if self._kept.size is None else self._kept.size
        if self.size > min(kept, self._most):
            log.info("page_size_raised", page_size=kept, to=self.size)
            accounts.note_page_size(self._database, self._account, self.size if self.size < self._most else None)
