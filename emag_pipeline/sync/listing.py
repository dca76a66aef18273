"""Reading what the decisions of a scan ask for: window by window into staging, each durable before it counts.

A page fails alone or because nothing answers at all; only the first is a matter of its size. So before a page is
narrowed down, and before a position is given up, the marketplace has to show some other position.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from emag_pipeline.errors import ApiUnavailable, ParametersIgnored, RequestRefused
from emag_pipeline.logs import logger
from emag_pipeline.marketplace import MarketplaceClient, Obedience, set_aside, unreadable_page
from emag_pipeline.model import AskPublished, Page, Reject
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import quarantine, staging
from emag_pipeline.sync.completeness import SIZES, Ask, Read, ScanDecisions
from emag_pipeline.sync.ledger import Lease
from emag_pipeline.sync.plan import PageSize, hundreds
from emag_pipeline.sync.readers import Readers, ReadFailure
from emag_pipeline.sync.staging import Reached, StagedWindow

log = logger(__name__)

# Positions of the listing that the marketplace fails to show, whatever the page's size.
#
# One offer that breaks its pages fails at several positions while the listing moves: each arrival in front of it takes
# it one further. So a position that a later page has shown is no longer counted, once another one nearby has failed
# too.

#: An offer moves by no more than this while the page that it breaks is read in smaller ones.
_NEARBY = 100


class UnreadablePositions:
    """What one scan has found of them."""

    def __init__(self) -> None:
        #: in the order of their failures, and whether a later page has shown what stands there
        self._failed: dict[int, bool] = {}
        self._settled: set[int] = set()

    def __len__(self) -> int:
        return len(self._failed)

    def restore(self, positions: list[int]) -> None:
        """Take up what is durable, in the order of the failures."""
        self._failed.update(dict.fromkeys(positions, False))

    def failed(self, position: int) -> bool:
        """No page shows the position. Returns whether that has to be made durable."""
        is_known = position in self._failed or position in self._settled
        self._settled.discard(position)
        self._failed.pop(position, None)
        self._failed[position] = False
        self._settle()
        return not is_known

    def shown(self, first: int, stop: int) -> None:
        """A page has shown the positions from `first` up to `stop`."""
        if any(first <= one < stop for one in self._failed):
            self._failed.update({one: True for one in self._failed if first <= one < stop})
            self._settle()

    def keep(self, most: int) -> None:
        """No more than so many stand for rows that no page shows: those that none has shown since, else the last."""
        order = sorted(self._failed, key=lambda one: not self._failed[one])  # of the same, in the order of failures
        for one in order[: max(0, len(order) - most)]:
            del self._failed[one]
            self._settled.add(one)

    def settled(self) -> list[int]:
        """The positions that are not counted any more and were not told yet."""
        told, self._settled = sorted(self._settled), set()
        return told

    def _settle(self) -> None:
        places = {one: place for place, one in enumerate(self._failed)}
        for one in [one for one, is_shown in self._failed.items() if is_shown]:
            near = (other for other in self._failed if other != one and abs(other - one) <= _NEARBY)
            if any(not self._failed[other] or places[other] > places[one] for other in near):
                del self._failed[one]
                self._settled.add(one)


# Reads become calls, and what they show becomes durable.

#: More unreadable positions than these, or than are tolerated, are not a matter of single offers any more.
_FEW = 10
#: An offer that its own page shows twice is no sign that page sizes are ignored.
_REPEATED = 2
#: How often to ask for a part of a page that failed: where it fails, smaller ones are tried anyway.
_PART_TRIES = 2


@dataclass(frozen=True, slots=True)
class _Call:
    read: Read
    tries: int | None


class ListingReader:
    """Reads what a scan asks for, and makes it durable."""

    def __init__(
        self,
        database: Database,
        lease: Lease,
        client: MarketplaceClient,
        readers: Readers,
        *,
        batch_size: int,
        tolerance: float,
        page_size: PageSize,
        on_staged: Callable[[Reached, Sequence[Page]], None],
        require_time: Callable[[], None],
        published: AskPublished | None = None,
        ignores_odd_sizes: bool = False,
    ) -> None:
        """`on_staged` is told how far the scan has come, and the pages that have become durable.

        Rows that are known of `published` offers are not read again. `ignores_odd_sizes`: the marketplace is known to
        obey the usual page sizes only, so no other one is asked for.
        """
        self._database = database
        self._lease = lease
        self._client = client
        self._readers = readers
        self._batch_size = batch_size
        self._tolerance = tolerance
        self._page_size = page_size
        self._on_staged = on_staged
        self._require_time = require_time
        self._published = published
        #: whether page sizes other than the usual ones are known not to be obeyed
        self.ignores_odd_sizes = ignores_odd_sizes
        #: its pages are of such a size: they have to be planned anew
        self.needs_new_plan = False
        self._batch: list[StagedWindow] = []
        self._number = 0
        #: windows that were made durable and are relied upon
        self._staged = 0
        #: what stands for each row in quarantine: rows themselves may be large, and many
        self._rejected: set[bytes] = set()
        self._unreadable = UnreadablePositions()
        #: judges by the first two pages whether pagination is obeyed
        self.obedience: Obedience | None = None
        self._first: Sequence[int] | None = None

    def restore(self, scan: ScanDecisions, count_before: int) -> None:
        """Tell the scan what is durable already."""
        self.needs_new_plan = False
        self._staged = 0
        self._unreadable = UnreadablePositions()
        self._rejected = set(quarantine.digests(self._database, self._lease))
        self._unreadable.restore(staging.unreadable_positions(self._database, self._lease))
        scan.restore(count_before, self._durable())

    def _durable(self) -> Iterator[tuple[Read, Sequence[int], int]]:
        for window in staging.durable_windows(self._database, self._lease):
            self._number = window.number + 1
            self._staged += 1
            yield Read(window.page, window.size), window.ids, window.reading

    def lost(self) -> int:
        """How many windows a crash of the database has taken since they were staged. Raises LeaseLost."""
        return staging.keep_what_is_left(self._database, self._lease, self._staged)

    def read(self, scan: ScanDecisions) -> Ask | None:
        """Read until the scan asks for something else, has its verdict or needs a new plan. All is durable then.

        Raises ParametersIgnored, and the client's errors when the marketplace does not answer, or when too many
        positions cannot be read.
        """
        asked: list[Ask] = []

        def take() -> _Call | None:
            action = None if asked else self._take(scan)
            if isinstance(action, Ask):
                asked.append(action)
                return None
            return None if action is None else _Call(action, _tries(scan, action))

        for call, outcome in self._readers.as_taken(take, self._try):
            if scan.verdict is not None:  # it was under way, and is not needed any more
                continue
            if isinstance(outcome, ReadFailure):
                self._failed(scan, call.read, outcome)
            else:
                self._answered(scan, call.read, outcome)
            self._note_size(scan)
        self._stage(scan)
        return asked[0] if asked else None

    def end(self, scan: ScanDecisions) -> None:
        """The scan is proven: of the positions that were given up, no more are listed than it counts as unreadable."""
        self._unreadable.keep(scan.unreadable)
        self._stage(scan)

    def _take(self, scan: ScanDecisions) -> Read | Ask | None:
        """What the scan asks for next, without pages of sizes that the marketplace does not obey: they fail unasked."""
        if self.needs_new_plan:
            return None
        action = scan.take()
        while self.ignores_odd_sizes and isinstance(action, Read) and action.size not in SIZES:
            self._require_time()
            scan.failed(action)
            action = scan.take()
        return action

    def _try(self, call: _Call) -> Page | ReadFailure:
        """The page, or why there is none: what follows is for one thread to decide."""
        try:
            return self._client.read_page(call.read.page, call.read.size, call.tries, self._published)
        except (ApiUnavailable, RequestRefused) as error:
            return error

    def _answered(self, scan: ScanDecisions, read: Read, page: Page) -> None:
        if self.obedience is not None:
            self._judge(self.obedience, page)
        again = [one for one in page.ids if one in scan.seen]
        doubled = set(scan.doubles.found)
        window = scan.answered(read, page.ids)
        self._unreadable.shown(window.first, window.stop)
        page = set_aside(page, scan.doubles.found - doubled)
        rejects = [row for row in page.rejects if self._is_new(row)]
        self._keep(scan, page, reading=window.reading, again=again, rejects=rejects)

    def _is_new(self, row: Reject) -> bool:
        """Whether no window has shown the row: where they overlap, two do."""
        key = quarantine.digest_of(row.emag_offer_id, row.payload)
        if key in self._rejected:
            return False
        self._rejected.add(key)
        return True

    def _judge(self, obedience: Obedience, page: Page) -> None:
        if page.position == 0:
            self._first = page.ids
        elif self._first is not None:
            obedience.judge_pages(self._first[: page.rows], page.ids, page.number)
            self.obedience = None

    def _failed(self, scan: ScanDecisions, read: Read, error: ReadFailure) -> None:
        self._require_time()
        if self.ignores_odd_sizes and read.size not in SIZES:  # it was under way when this was found out
            scan.failed(read)
            return
        if not self._answers_elsewhere(scan, read, error):
            raise error
        if _is_size_ignored(read, error):  # once may be a slip of the marketplace
            again = self._try(_Call(read, tries=1))
            if isinstance(again, Page):
                self._answered(scan, read, again)
                return
            if _is_size_ignored(read, again):
                self._note_ignored(scan, read, again)
                return
            error = again
        if read.size == 1 and not scan.is_aside(read):
            self._give_up(scan, read, error)
        else:
            log.warning("page_narrowed", page=read.page, page_size=read.size, why=error.what)
        scan.failed(read, is_slow=isinstance(error, ApiUnavailable) and error.is_slow)

    def _note_ignored(self, scan: ScanDecisions, read: Read, error: ReadFailure) -> None:
        """Ask for no such size again; a chain, which is made of them, ends."""
        log.warning("page_size_ignored", page=read.page, page_size=read.size, why=error.what)
        self.ignores_odd_sizes = True
        self.needs_new_plan = not self._page_size.is_usual
        scan.disobeyed(read, answers=2)

    def _answers_elsewhere(self, scan: ScanDecisions, read: Read, error: ReadFailure) -> bool:
        """Whether the marketplace shows any other position; one try each."""
        is_too_long = isinstance(error, ApiUnavailable) and error.is_too_long
        first = (0,) if is_too_long else ()  # where any page size that is used instead shows rows
        for position in (*first, *_elsewhere(read, scan.count_before)):
            try:
                rows = self._client.rows_at(position)
            except (ApiUnavailable, RequestRefused):
                continue
            if rows > _REPEATED:  # smaller pages cannot be had
                self._refuse_size(read, rows, error)
            if rows:
                return True
        return False

    def _refuse_size(self, read: Read, rows: int, error: ReadFailure) -> None:
        if not (isinstance(error, ApiUnavailable) and error.is_too_long):
            raise error
        report = "report the file of `emag-pipeline probe`"
        raise ParametersIgnored(
            "the marketplace ignores itemsPerPage",
            where=self._lease.account,
            why=f"{error.what}, and asked for 1 it answered with {rows:,}",
            remedy=f"Set EMAG_API_PAGE_SIZE to 100, and {report}" if read.size < SIZES[0] else report.capitalize(),
        )

    def _give_up(self, scan: ScanDecisions, read: Read, error: ReadFailure) -> None:
        if not self._unreadable.failed(read.first):  # an earlier reading of the same stretch has said so
            return
        if len(self._unreadable) > max(_FEW, self._tolerance * scan.count_before):
            self._stage(scan)  # the next attempt is to know of the others
            raise ApiUnavailable(
                f"{len(self._unreadable):,} positions of the listing cannot be read",
                where=self._lease.account,
                why=f"the last one: {error.what}",
                remedy=f"See the others with `emag-pipeline rejects --account {self._lease.account}` and report them "
                "to the marketplace's support; the next run tries again",
            )
        self._keep(scan, unreadable_page(read.first), reading=0)
        log.warning("position_unreadable", position=read.first, why=error.what)

    def _keep(
        self,
        scan: ScanDecisions,
        page: Page,
        *,
        reading: int,
        again: Sequence[int] = (),
        rejects: Sequence[Reject] = (),
    ) -> None:
        self._batch.append(StagedWindow(page, self._number, reading, again, rejects))
        self._number += 1
        if sum(max(1, len(window.page.ids)) for window in self._batch) >= self._batch_size:
            self._stage(scan)

    def _stage(self, scan: ScanDecisions) -> None:
        readable = self._unreadable.settled()
        if not self._batch and not readable:
            return
        self._require_time()
        windows, self._batch = self._batch, []
        expected = hundreds(max(scan.count_before, scan.reached))
        plain = scan.readings.now
        reached = Reached(
            pages_done=min(hundreds(scan.reached), expected),
            pages_expected=expected,
            rows=scan.accounted,
            reading=scan.readings.number,
            position=scan.reached if plain is None else plain.shown_to,
            readable=readable,
        )
        staging.stage_windows(self._database, self._lease, windows, reached)
        self._staged += len(windows)
        self._on_staged(reached, [window.page for window in windows])

    def _note_size(self, scan: ScanDecisions) -> None:
        if scan.chain is not None and scan.chain.size < self._page_size.size:
            self._page_size.found_too_large(scan.chain.size)


def _is_size_ignored(read: Read, error: ReadFailure) -> bool:
    """Whether a page of an unusual size holds more rows than that, and not for an offer that stands there twice."""
    return isinstance(error, ApiUnavailable) and error.rows_too_many > _REPEATED and read.size not in SIZES


def _tries(scan: ScanDecisions, read: Read) -> int | None:
    return _PART_TRIES if scan.is_part(read) and read.size > 1 else None


def _elsewhere(read: Read, offers: int) -> list[int]:
    """Positions that show whether the marketplace answers: outside of the page, else at its ends."""
    candidates = dict.fromkeys((0, read.stop, offers - 1))
    outside = [one for one in candidates if 0 <= one < offers and not read.first <= one < read.stop]
    ends = [read.first, offers - 1] if read.size > 1 else []
    return outside or [one for one in ends if one >= 0]
