"""Which page size to read an account with: the one that was found to work, and once a day one that is a step larger."""

from emag_pipeline.completeness import SIZES
from emag_pipeline.db import accounts
from emag_pipeline.db.engine import Database
from emag_pipeline.logs import logger
from emag_pipeline.sync.plan import larger, usual

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
