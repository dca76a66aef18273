"""How much a scan has to read, and the page sizes that it may use."""

from emag_pipeline.errors import PageBoundExceeded
from emag_pipeline.logs import logger
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import accounts
from emag_pipeline.sync.completeness import SIZES
from emag_pipeline.sync.completeness.reads import SMALLEST_OF_CHAIN

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


# How long a sync may take: what the setting says, or twice what its calls need, where that is longer.
#
# A catalogue that takes an hour at the allowed rate is no fault, so a bound on faults follows it.

#: Of what the calls of a scan need: slow answers, smaller pages, a further reading, confirmations. Where two readings
#: are due it is room for all four that may come.
_ROOM = 2
#: Windows overlap: so many calls for a page's worth of offers (docs/completeness.md). Plain pages do not; among many
#: of them some are read in parts.
_CALLS_A_PAGE = 1.25
#: Two counts, a look behind the end, and the head once more.
_AROUND_PAGES = 4


def readings_due(page_size: int, *, ignores_odd_sizes: bool) -> int:
    """How often a scan reads all pages at least: twice where no chain of overlapping windows can be read."""
    return 2 if page_size < SMALLEST_OF_CHAIN or ignores_odd_sizes else 1


def scan_seconds(offers: int, page_size: int, pace_seconds: float, readings: int) -> float:
    """What the calls of a scan take at least, in seconds: one every pace. `readings`: see `readings_due`."""
    return (-(-offers // page_size) * _CALLS_A_PAGE * readings + _AROUND_PAGES) * pace_seconds


def with_room(needed_seconds: float) -> float:
    """How long what needs so many seconds may take, whatever the setting says."""
    return _ROOM * needed_seconds


def allowed_seconds(timeout_hours: float, needed_seconds: float) -> float:
    """How long a sync may take, in seconds. `timeout_hours`: EMAG_SYNC_TIMEOUT_HOURS; `needed_seconds`: its scan."""
    return max(timeout_hours * 3600, with_room(needed_seconds))


# Which page size to read an account with: the one that was found to work, and once a day one that is a step larger.

log = logger(__name__)


class PageSize:
    """The page size of one attempt. What is found out is kept at once, for later attempts and syncs."""

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
        """Whether it is one of the sizes that any marketplace obeys."""
        return self.size in SIZES

    def keep_to_usual(self) -> None:
        """The marketplace obeys the usual sizes only: use the largest of them that is allowed."""
        self.size = usual(self.size)

    def found_too_large(self, size: int) -> None:
        """The marketplace does not manage the present size; `size` is the one to use from now on."""
        log.warning("page_size_lowered", page_size=self.size, to=size)
        self.size = size
        accounts.note_page_size(self._database, self._account, size)

    def proven(self) -> None:
        """A whole reading has managed the present size."""
        kept = self._most if self._kept.size is None else self._kept.size
        if self.size > min(kept, self._most):
            log.info("page_size_raised", page_size=kept, to=self.size)
            accounts.note_page_size(self._database, self._account, self.size if self.size < self._most else None)
