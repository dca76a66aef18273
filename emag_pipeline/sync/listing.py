"""One reading of the listing: window by window into staging, smaller pages where large ones fail.

A page fails alone or because nothing answers at all; only the first is a matter of its size. So before a page is
narrowed down, and before a position is given up, the marketplace has to show some other position.
"""

from collections.abc import Callable, Sequence

from emag_pipeline.api import Marketplace, Obedience, Page, unreadable_page
from emag_pipeline.db import staging
from emag_pipeline.db.engine import Database
from emag_pipeline.db.ledger import Lease
from emag_pipeline.errors import ApiUnavailable, ParametersIgnored, RequestRefused
from emag_pipeline.logs import logger
from emag_pipeline.sync.page_size import PageSize
from emag_pipeline.sync.plan import SIZES, ScanPlan, Window
from emag_pipeline.sync.readers import Readers

log = logger(__name__)

#: A read that fails, or that is refused while others are answered: which status goes with what is not documented.
ReadFailure = ApiUnavailable | RequestRefused
#: More unreadable positions than these, or than are tolerated, are no matter of single offers any more.
_FEW = 10
#: An offer that its own page shows twice is no sign that page sizes are ignored.
_REPEATED = 2


class ListingReader:
    """Reads what a plan asks for, and makes it durable."""

    def __init__(
        self,
        database: Database,
        lease: Lease,
        client: Marketplace,
        readers: Readers,
        *,
        batch_size: int,
        tolerance: float,
        page_size: PageSize,
        on_staged: Callable[[int, Sequence[Page]], None],
        require_time: Callable[[], None],
    ) -> None:
        """`on_staged` is told the windows expected and the pages that have become durable."""
        self._database = database
        self._lease = lease
        self._client = client
        self._readers = readers
        self._batch_size = batch_size
        self._tolerance = tolerance
        self._page_size = page_size
        self._on_staged = on_staged
        self._require_time = require_time

    def read(self, round_: int, plan: ScanPlan, offers: int, obedience: Obedience | None) -> int:
        """Stage all windows of the plan. Returns the rows behind the last one.

        `obedience`: judge by the first two pages whether pagination is obeyed. Raises ParametersIgnored, and the
        client's errors when the marketplace does not answer, or when too many positions cannot be read.
        """
        self._round, self._plan, self._offers = round_, plan, offers
        self._batch: list[Page] = []
        self._unreadable = 0
        self._first: tuple[int | None, ...] | None = None
        plan.is_cautious = obedience is not None
        rows_behind = 0
        for window, outcome in self._readers.as_taken(plan.take, self._try):
            if isinstance(outcome, ReadFailure):
                self._narrow(window, outcome)
                continue
            if obedience is not None and plan.is_cautious:
                self._judge(obedience, outcome)
            plan.answered(window)
            if window.is_behind:
                rows_behind = outcome.rows
            else:
                self._keep(outcome)
            self._note_size()
        self._stage()
        self._page_size.proven()
        return rows_behind

    def _try(self, window: Window) -> Page | ReadFailure:
        """The page, or why there is none: what follows is for one thread to decide."""
        try:
            return self._client.read_page(window.page, window.size, window.part, window.tries)
        except (ApiUnavailable, RequestRefused) as error:
            return error

    def _judge(self, obedience: Obedience, page: Page) -> None:
        if self._first is None:
            self._first = page.ids
        else:
            obedience.judge_pages(self._first, page.ids, page.number)
            self._plan.is_cautious = False

    def _narrow(self, window: Window, error: ReadFailure) -> None:
        self._require_time()
        if not self._answers_elsewhere(window, error):
            raise error
        if window.size > 1:
            self._plan.narrow(window, is_slow=isinstance(error, ApiUnavailable) and error.is_slow)
            log.warning("page_narrowed", page=window.page, page_size=window.size, why=error.what)
        elif window.is_behind:
            raise error
        else:
            self._give_up(window, error)
        staging.note_pages(self._database, self._lease, pages=self._plan.pages)

    def _answers_elsewhere(self, window: Window, error: ReadFailure) -> bool:
        """Whether the marketplace shows any other position; one try each."""
        is_too_long = isinstance(error, ApiUnavailable) and error.is_too_long
        first = (0,) if is_too_long else ()  # where any page size that is used instead shows rows
        for position in (*first, *_elsewhere(window, self._offers)):
            try:
                rows = self._client.rows_at(position)
            except (ApiUnavailable, RequestRefused):
                continue
            if rows > _REPEATED:  # smaller pages cannot be had
                self._refuse_size(window, rows, error)
            if rows:
                return True
        return False

    def _refuse_size(self, window: Window, rows: int, error: ReadFailure) -> None:
        if not (isinstance(error, ApiUnavailable) and error.is_too_long):
            raise error
        report = "report the file of `emag-pipeline probe`"
        raise ParametersIgnored(
            "the marketplace ignores itemsPerPage",
            where=self._lease.account,
            why=f"{error.what}, and asked for 1 it answered with {rows:,}",
            remedy=f"Set EMAG_API_PAGE_SIZE to 100, and {report}" if window.size < SIZES[0] else report.capitalize(),
        )

    def _give_up(self, window: Window, error: ReadFailure) -> None:
        self._unreadable += 1
        if self._unreadable > max(_FEW, self._tolerance * self._offers):
            raise ApiUnavailable(
                f"{self._unreadable:,} positions of the listing cannot be read",
                where=self._lease.account,
                why=f"the last one: {error.what}",
                remedy="Report it to the marketplace's support; the next run tries again",
            )
        self._plan.give_up(window)
        self._keep(unreadable_page(window.first))
        log.warning("position_unreadable", position=window.first, why=error.what)
        self._note_size()

    def _keep(self, page: Page) -> None:
        self._batch.append(page)
        if sum(page.positions for page in self._batch) >= self._batch_size:
            self._stage()

    def _stage(self) -> None:
        if not self._batch:
            return
        self._require_time()
        pages, self._batch = self._batch, []
        staging.stage_pages(self._database, self._lease, self._round, pages, pages_expected=self._plan.pages)
        self._on_staged(self._plan.pages, pages)

    def _note_size(self) -> None:
        if self._plan.settled_size < self._page_size.size:
            self._page_size.found_too_large(self._plan.settled_size)


def _elsewhere(window: Window, offers: int) -> list[int]:
    """Positions that show whether the marketplace answers: outside of the window, else at its ends."""
    candidates = dict.fromkeys((0, window.stop, offers - 1))
    outside = [one for one in candidates if 0 <= one < offers and not window.first <= one < window.stop]
    ends = [window.first, offers - 1] if window.size > 1 else []
    return outside or [one for one in ends if one >= 0]
