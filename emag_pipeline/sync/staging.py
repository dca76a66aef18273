"""Staging: windows of the listing that are durable and not yet visible (emag_scan_pages, emag_scan_offers, quarantine).

A page, its record, its rejects, the sync's counters and heartbeat are one fenced transaction: after a crash a page is
there as a whole or not at all. Windows overlap: of an offer that several show, the row read last stays. Each account
has a room of its own there (`sync.staging_room`), which holds one reading at most.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any
from uuid import UUID

from emag_pipeline.errors import StagingLost
from emag_pipeline.model import Offer, Page, Reject, Unchanged
from emag_pipeline.store import monitoring_tables
from emag_pipeline.store.columns import STAGED, UNCHANGED, listed
from emag_pipeline.store.engine import Database
from emag_pipeline.store.sql import statements
from emag_pipeline.store.transaction import Transaction
from emag_pipeline.sync import ledger, quarantine, staging_room, surprises
from emag_pipeline.sync.ledger import Lease

# Rows in PostgreSQL's COPY text format (manual: COPY, "Text Format"). Any Unicode but NUL passes.


def line(values: Iterable[object]) -> str:
    """One row, with its line end."""
    return "\t".join([field(value) for value in values]) + "\n"


def field(value: object) -> str:
    """One value: None, text, numbers, booleans, bytes, times, uuids, and tuples of text or integers."""
    if value is None:
        return "\\N"
    if isinstance(value, str):
        return _escaped(value)
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, bytes):
        return "\\\\x" + value.hex()
    if isinstance(value, tuple):
        return _escaped(_array(value))
    if isinstance(value, int | Decimal | datetime | UUID):
        return str(value)
    raise TypeError(f"COPY cannot write a {type(value).__name__}")


def _escaped(text: str) -> str:
    """Backslash first. One replacement a character beats str.translate six times on descriptions."""
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    if "\n" in text:
        text = text.replace("\n", "\\n")
    if "\r" in text:
        text = text.replace("\r", "\\r")
    return text.replace("\t", "\\t") if "\t" in text else text


def _array(items: tuple[object, ...]) -> str:
    return "{" + ",".join([_quoted(item) if isinstance(item, str) else str(item) for item in items]) + "}"


def _quoted(text: str) -> str:
    inner = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{inner}"'


#: The resource whose answers are staged, as in emag_requests.
RESOURCE = "product_offer/read"
#: "Page" of the offers that were read one by one by their id.
BY_ID = 0

_values, _unchanged_values = attrgetter(*STAGED), attrgetter(*UNCHANGED)
#: A COPY whose client is gone behind a network that is silent holds the ledger's row so long, and no longer.
_STAGE_SECONDS = 120.0
#: Windows that are taken up at once.
_WINDOWS = 500
_SQL = "sync/staging.sql"
_PLACE = "account_type, sync_id, page, fetched_at"
_COPY_OFFERS = f"COPY emag_scan_offers ({_PLACE}, {listed(STAGED)}) FROM STDIN"
_COPY_UNCHANGED = f"COPY emag_scan_offers ({_PLACE}, is_unchanged, {listed(UNCHANGED)}) FROM STDIN"


@dataclass(frozen=True, slots=True)
class StagedWindow:
    """A page that is made durable as a window of the listing."""

    page: Page
    #: in the order of the answers, from 0, and what it was read for: see `completeness.Window`
    number: int
    reading: int
    #: its offers that windows before it have shown
    again: Sequence[int]
    #: its rejects that no window before it has shown
    rejects: Sequence[Reject]


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a scan has come: hundreds of positions, different rows that were seen, and which reading it is.

    `position` is how far that reading has come. `readable` are positions that were unreadable before, and are not
    counted as such any more.
    """

    pages_done: int
    pages_expected: int
    rows: int
    reading: int = 1
    position: int = 0
    readable: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class DurableWindow:
    """A window as it stands in staging."""

    number: int
    page: int
    size: int
    reading: int
    ids: Sequence[int]


def plan(database: Database, lease: Lease, *, pages: int, offers: int, seconds: float = 0.0) -> datetime:
    """Begin to read: what is expected, nothing done yet. The sync has so many seconds from now, or more.

    Returns until when it may go on (UTC).
    """
    with database.transaction() as tx:
        monitoring_tables.add_offers_processed(
            tx, lease.account, ledger.read_in(tx, lease.sync_id).total_offers_processed
        )
        return ledger.plan(tx, lease, pages=pages, offers=offers, seconds=seconds)


def keep_what_is_left(database: Database, lease: Lease, staged: int) -> int:
    """How many of the `staged` windows a crash of the server has taken; the ledger knows for good how many are left.

    Staging is unlogged: such a crash empties it, while the sync goes on. What the ledger said of the last windows may
    be gone too, since they were staged by commits that nobody waited for: only who staged them knows their number.
    This commit is waited for, and so are all before it. Raises LeaseLost.
    """
    with database.transaction() as tx:
        found = ledger.durable_windows(tx, lease.sync_id, lease.account)
        ledger.set_windows(tx, lease, found)
    return staged - found


def stage_windows(database: Database, lease: Lease, windows: Sequence[StagedWindow], reached: Reached) -> None:
    """Make windows durable, all together. Raises LeaseLost, and then nothing of them is there."""
    with database.transaction(timeout_seconds=_STAGE_SECONDS, durable=False) as tx:  # a crash empties staging too
        ledger.add_windows(
            tx,
            lease,
            len(windows),
            rejects=sum(len(window.rejects) for window in windows),
            done=reached.pages_done,
            expected=reached.pages_expected,
            rows=reached.rows,
            reading=reached.reading,
        )
        for window in windows:
            copy_offers(tx, lease, window.page.number, window.page.fetched_at, window.page.offers)
            quarantine.keep(tx, lease, window.page.number, window.rejects)
        if again := [one for window in windows for one in window.again]:  # answers may come late
            _run(tx, lease, "keep_the_newest", ids=again)
        surprises.note(tx, lease.account, RESOURCE, [one for window in windows for one in window.page.surprises])
        insert = staging_room.own(statements(_SQL)["insert_window"], lease.account)
        tx.run_many(insert, [_record(lease, window) for window in windows])
        if reached.readable:
            _run(tx, lease, "note_readable", positions=list(reached.readable))


def _record(lease: Lease, window: StagedWindow) -> dict[str, Any]:
    page = window.page
    return {
        "account": lease.account,
        "sync": lease.sync_id,
        "number": window.number,
        "reading": window.reading,
        "page": page.number,
        "size": page.size,
        "position": page.position,
        "unreadable": page.is_unreadable,
        "ids": list(page.ids),
        "offers": len(page.offers),
        "rejects": len(page.rejects),
        "hash": page.content_hash,
        "fetched_at": page.fetched_at,
    }


def copy_offers(
    tx: Transaction, lease: Lease, page: int, fetched_at: datetime, offers: Iterable[Offer | Unchanged]
) -> None:
    """COPY offers into staging, within the caller's fenced transaction; of unchanged ones their fingerprints."""
    place = line((lease.account, lease.sync_id, page, fetched_at))[:-1] + "\t"
    read, unchanged = [], []
    for offer in offers:
        if offer.is_unchanged:
            unchanged.append(place + "t\t" + line(_unchanged_values(offer)))
        else:
            read.append(place + line(_values(offer)))
    for statement, lines in ((_COPY_OFFERS, read), (_COPY_UNCHANGED, unchanged)):
        if lines:
            tx.copy_in(staging_room.own(statement, lease.account), "".join(lines))


def durable_windows(database: Database, lease: Lease) -> Iterator[DurableWindow]:
    """What need not be read again, in the order of the answers."""
    after = -1
    while True:
        with database.transaction() as tx:
            found = tx.run(
                statements(_SQL)["durable_windows"],
                account=lease.account,
                sync=lease.sync_id,
                after=after,
                limit=_WINDOWS,
            ).all()
        yield from (DurableWindow(row.number, row.page, row.size, row.reading, row.ids) for row in found)
        if len(found) < _WINDOWS:
            return
        after = found[-1].number


def unreadable_positions(database: Database, lease: Lease) -> list[int]:
    """The positions that no page shows, in the order in which that was found out."""
    with database.transaction() as tx:
        found = tx.run(statements(_SQL)["unreadable_positions"], account=lease.account, sync=lease.sync_id)
        return list(found.scalars())


def require_staging(tx: Transaction, lease: Lease, windows: int) -> None:
    """Raise StagingLost unless as many windows stand in staging as were made durable there.

    Staging is unlogged: a crash of the server empties it, while the ledger remembers.
    """
    found = ledger.durable_windows(tx, lease.sync_id, lease.account)
    if found != windows:
        raise lost(lease, "the staged pages are gone", f"{found:,} of {windows:,} are there")


def require_staged(database: Database, lease: Lease) -> None:
    """The same of a sync under way, by what the ledger knows."""
    with database.transaction() as tx:
        require_staging(tx, lease, ledger.read_in(tx, lease.sync_id).windows_staged)


def lost(lease: Lease, what: str, why: str) -> StagingLost:
    """The error of a sync whose staging a crash of the database has taken."""
    return StagingLost(
        what,
        where=lease.where,
        why=f"{why}: the database has crashed since",
        remedy="Nothing was published; the next run reads the catalogue from scratch",
    )


def discard_remains(database: Database, lease: Lease) -> int:
    """Give back what is staged of the account's other syncs: one reading at most stays, which is this sync's.

    None of them can be taken up or approved any more: only an account's newest sync can. Returns how many there were.
    Raises LeaseLost, and then nothing of the run that has taken over is touched.
    """
    with database.transaction() as tx:
        staged = staging_room.staged_syncs(tx, lease.account)
    others = [sync for sync in staged if sync != lease.sync_id]
    if others or not lease.resumed:  # what is dead, and what an emptying that broke off has left, goes as well
        staging_room.empty(database, lease.account, others, fence=lambda tx: ledger.hold(tx, lease))
    return len(others)


def _run(tx: Transaction, lease: Lease, name: str, **values: Any) -> Any:
    return staging_room.run(tx, statements(_SQL)[name], lease.account, sync=lease.sync_id, **values)
