"""Executes the reads that a scan decides on, and stages them window by window; each is durable before it counts.

A page may fail alone, or because the marketplace does not respond at all; smaller pages help only in the first case. So
before a page is split, and before a position is given up, the marketplace must show some other position.
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

# Positions of the listing that the marketplace fails to show at any page size.
#
# While the listing moves, one offer that breaks its pages can fail at several positions: each arrival in front of it
# moves it by one. So a failed position that a later page has shown is no longer counted once another one nearby has
# failed too.

#: An offer moves by at most this many positions while its failing page is read in smaller ones.
_NEARBY = 100


class UnreadablePositions:
    """The unreadable positions found by one scan."""

    def __init__(self) -> None:
        #: in the order of their failures, with whether a later page has shown the position
        self._failed: dict[int, bool] = {}
        self._settled: set[int] = set()

    def __len__(self) -> int:
        return len(self._failed)

    def restore(self, positions: list[int]) -> None:
        """Load the durable positions, in the order of their failures."""
        self._failed.update(dict.fromkeys(positions, False))

    def failed(self, position: int) -> bool:
        """Record a position that no page shows. Returns whether it has to be staged."""
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
        """Keep at most `most` positions: first those that no later page has shown, then the latest failures."""
        order = sorted(self._failed, key=lambda one: not self._failed[one])  # stable: else in the order of failures
        for one in order[: max(0, len(order) - most)]:
            del self._failed[one]
            self._settled.add(one)

    def settled(self) -> list[int]:
        """The positions that no longer count, each returned once."""
        settled, self._settled = sorted(self._settled), set()
        return settled

    def _settle(self) -> None:
        places = {one: place for place, one in enumerate(self._failed)}
        for one in [one for one, is_shown in self._failed.items() if is_shown]:
            near = (other for other in self._failed if other != one and abs(other - one) <= _NEARBY)
            if any(not self._failed[other] or places[other] > places[one] for other in near):
                del self._failed[one]
                self._settled.add(one)


# Turns reads into calls, and stages the results.

#: More unreadable positions than this, or than the tolerance allows, are not a problem of single offers.
_FEW = 10
#: A page may repeat an offer; only more excess rows than this mean that page sizes are ignored.
_REPEATED = 2
#: Attempts for a part of a failed page: if it fails, it is split further anyway.
_PART_TRIES = 2


@dataclass(frozen=True, slots=True)
class _Call:
    read: Read
    tries: int | None


class ListingReader:
    """Executes a scan's reads and stages the results."""

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
        """`on_staged` is called with the scan's progress and the newly staged pages.

        Rows that equal those of `published` offers are not parsed again. `ignores_odd_sizes`: the marketplace is known
        to obey only the usual page sizes, so no others are requested.
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
        #: whether the marketplace is known to ignore page sizes other than the usual ones
        self.ignores_odd_sizes = ignores_odd_sizes
        #: the scan's own page size is one of the ignored ones: it has to be planned again
        self.needs_new_plan = False
        self._batch: list[StagedWindow] = []
        self._number = 0
        #: number of staged windows that the scan relies on
        self._staged = 0
        #: digests of the quarantined rows; the rows themselves may be large and many
        self._rejected: set[bytes] = set()
        self._unreadable = UnreadablePositions()
        #: checks by the first two pages whether pagination is obeyed
        self.obedience: Obedience | None = None
        self._first: Sequence[int] | None = None

    def restore(self, scan: ScanDecisions, count_before: int) -> None:
        """Pass the already staged windows to the scan."""
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
        """The number of staged windows that a crash of the database has lost. Raises LeaseLost."""
        return staging.keep_what_is_left(self._database, self._lease, self._staged)

    def read(self, scan: ScanDecisions) -> Ask | None:
        """Read until the scan asks for something else, has its verdict or needs a new plan; all reads are staged then.

        Raises ParametersIgnored, and the client's errors if the marketplace does not respond or too many positions
        cannot be read.
        """
        asked: list[Ask] = []

        def take() -> _Call | None:
            action = None if asked else self._take(scan)
            if isinstance(action, Ask):
                asked.append(action)
                return None
            return None if action is None else _Call(action, _tries(scan, action))

        for call, outcome in self._readers.as_taken(take, self._try):
            if scan.verdict is not None:  # a call that was still in progress; no longer needed
                continue
            if isinstance(outcome, ReadFailure):
                self._failed(scan, call.read, outcome)
            else:
                self._answered(scan, call.read, outcome)
            self._note_size(scan)
        self._stage(scan)
        return asked[0] if asked else None

    def end(self, scan: ScanDecisions) -> None:
        """After the proof: keep only as many unreadable positions as the scan counts."""
        self._unreadable.keep(scan.unreadable)
        self._stage(scan)

    def _take(self, scan: ScanDecisions) -> Read | Ask | None:
        """The scan's next action. Reads of sizes that the marketplace ignores count as failed without a call."""
        if self.needs_new_plan:
            return None
        action = scan.take()
        while self.ignores_odd_sizes and isinstance(action, Read) and action.size not in SIZES:
            self._require_time()
            scan.failed(action)
            action = scan.take()
        return action

    def _try(self, call: _Call) -> Page | ReadFailure:
        """The page, or the error, which is handled in a single thread."""
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
        """Whether the row is new; overlapping windows show the same rows twice."""
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
        if self.ignores_odd_sizes and read.size not in SIZES:  # requested before this was known
            scan.failed(read)
            return
        if not self._answers_elsewhere(scan, read, error):
            raise error
        if _is_size_ignored(read, error):  # a single time may be a glitch of the marketplace
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
        """Request no such sizes again; a chain needs them, so it ends."""
        log.warning("page_size_ignored", page=read.page, page_size=read.size, why=error.what)
        self.ignores_odd_sizes = True
        self.needs_new_plan = not self._page_size.is_usual
        scan.disobeyed(read, answers=2)

    def _answers_elsewhere(self, scan: ScanDecisions, read: Read, error: ReadFailure) -> bool:
        """Whether the marketplace shows any other position; one attempt each."""
        is_too_long = isinstance(error, ApiUnavailable) and error.is_too_long
        first = (0,) if is_too_long else ()  # shows rows at whatever page size is used instead
        for position in (*first, *_elsewhere(read, scan.count_before)):
            try:
                rows = self._client.rows_at(position)
            except (ApiUnavailable, RequestRefused):
                continue
            if rows > _REPEATED:  # the marketplace ignores the page size
                self._refuse_size(read, rows, error)
            if rows:
                return True
        return False

    def _refuse_size(self, read: Read, rows: int, error: ReadFailure) -> None:
        if not (isinstance(error, ApiUnavailable) and error.is_too_long):
            raise error
        report = "report the output file of `emag-pipeline probe`"
        raise ParametersIgnored(
            "the marketplace ignores itemsPerPage",
            where=self._lease.account,
            why=f"{error.what}, and asked for 1 it returned {rows:,}",
            remedy=f"Set EMAG_API_PAGE_SIZE to 100, and {report}" if read.size < SIZES[0] else report.capitalize(),
        )

    def _give_up(self, scan: ScanDecisions, read: Read, error: ReadFailure) -> None:
        if not self._unreadable.failed(read.first):  # known from an earlier reading of the same stretch
            return
        if len(self._unreadable) > max(_FEW, self._tolerance * scan.count_before):
            self._stage(scan)  # so that the next attempt knows the others
            raise ApiUnavailable(
                f"{len(self._unreadable):,} positions of the listing cannot be read",
                where=self._lease.account,
                why=f"the last one: {error.what}",
                remedy=f"List the others with `emag-pipeline rejects --account {self._lease.account}` and report them "
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
    """Whether a page of an unusual size has too many rows, more than a repeated offer explains."""
    return isinstance(error, ApiUnavailable) and error.rows_too_many > _REPEATED and read.size not in SIZES


def _tries(scan: ScanDecisions, read: Read) -> int | None:
    return _PART_TRIES if scan.is_part(read) and read.size > 1 else None


def _elsewhere(read: Read, offers: int) -> list[int]:
    """Positions for checking whether the marketplace responds: outside the page, else at its ends."""
    candidates = dict.fromkeys((0, read.stop, offers - 1))
    outside = [one for one in candidates if 0 <= one < offers and not read.first <= one < read.stop]
    ends = [read.first, offers - 1] if read.size > 1 else []
    return outside or [one for one in ends if one >= 0]
