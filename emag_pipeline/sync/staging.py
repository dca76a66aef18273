"""Staging: windows of the listing that are durable but not yet visible (emag_scan_pages, emag_scan_offers, quarantine).

A page's offers, its record, its rejects and the sync's counters and heartbeat are written in one fenced transaction:
after a crash a page is staged completely or not at all. Windows overlap: if several show an offer, the row read last is
kept. Each account has its own partitions (`sync.staging_room`), which hold at most one scan.
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
    """Escape backslashes first. On long descriptions, single replacements are six times faster than str.translate."""
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


#: The resource whose responses are staged, as in emag_requests.
RESOURCE = "product_offer/read"
#: The page number of offers that were read by id.
BY_ID = 0

_values, _unchanged_values = attrgetter(*STAGED), attrgetter(*UNCHANGED)
#: Limits how long a COPY whose client has vanished behind a dead network can lock the ledger's row.
_STAGE_SECONDS = 120.0
#: Windows fetched at once.
_WINDOWS = 500
_SQL = "sync/staging.sql"
_PLACE = "account_type, sync_id, page, fetched_at"
_COPY_OFFERS = f"COPY emag_scan_offers ({_PLACE}, {listed(STAGED)}) FROM STDIN"
_COPY_UNCHANGED = f"COPY emag_scan_offers ({_PLACE}, is_unchanged, {listed(UNCHANGED)}) FROM STDIN"


@dataclass(frozen=True, slots=True)
class StagedWindow:
    """A page to be staged as a window of the listing."""

    page: Page
    #: sequence number of the response, from 0, and its reading: see `completeness.Window`
    number: int
    reading: int
    #: its offers that earlier windows have shown
    again: Sequence[int]
    #: its rejects that no earlier window has shown
    rejects: Sequence[Reject]


@dataclass(frozen=True, slots=True)
class Reached:
    """The progress of a scan: hundreds of positions, distinct rows seen, and the number of the reading.

    `position` is the progress of that reading. `readable` are positions that no longer count as unreadable.
    """

    pages_done: int
    pages_expected: int
    rows: int
    reading: int = 1
    position: int = 0
    readable: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class DurableWindow:
    """A staged window."""

    number: int
    page: int
    size: int
    reading: int
    ids: Sequence[int]


def plan(database: Database, lease: Lease, *, pages: int, offers: int, seconds: float = 0.0) -> datetime:
    """Begin the scan in the ledger: record what is expected, reset progress. The sync has at least `seconds` from now.

    Returns its deadline (UTC).
    """
    with database.transaction() as tx:
        monitoring_tables.add_offers_processed(
            tx, lease.account, ledger.read_in(tx, lease.sync_id).total_offers_processed
        )
        return ledger.plan(tx, lease, pages=pages, offers=offers, seconds=seconds)


def keep_what_is_left(database: Database, lease: Lease, staged: int) -> int:
    """The number of the `staged` windows that a crash of the server has lost; records the rest in the ledger.

    Staging is unlogged: a crash empties it, while the sync continues. The ledger may also have lost the count of the
    last windows, since they were staged with asynchronous commits; so the caller passes the number. This commit is
    synchronous, which makes all earlier ones durable too. Raises LeaseLost.
    """
    with database.transaction() as tx:
        found = ledger.durable_windows(tx, lease.sync_id, lease.account)
        ledger.set_windows(tx, lease, found)
    return staged - found


def stage_windows(database: Database, lease: Lease, windows: Sequence[StagedWindow], reached: Reached) -> None:
    """Stage windows, all in one transaction. Raises LeaseLost, in which case none of them is staged."""
    with database.transaction(timeout_seconds=_STAGE_SECONDS, durable=False) as tx:  # a crash empties staging anyway
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
        if again := [one for window in windows for one in window.again]:  # responses may arrive out of order
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
    """COPY offers into staging, within the caller's fenced transaction; unchanged ones only as fingerprints."""
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
    """The staged windows, which need not be read again, in the order of the responses."""
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
    """The unreadable positions, in the order in which they were found."""
    with database.transaction() as tx:
        found = tx.run(statements(_SQL)["unreadable_positions"], account=lease.account, sync=lease.sync_id)
        return list(found.scalars())


def require_staging(tx: Transaction, lease: Lease, windows: int) -> None:
    """Raise StagingLost unless staging contains exactly this number of windows.

    Staging is unlogged: a crash of the server empties it, but not the ledger.
    """
    found = ledger.durable_windows(tx, lease.sync_id, lease.account)
    if found != windows:
        raise lost(lease, "the staged pages are gone", f"{found:,} of {windows:,} are there")


def require_staged(database: Database, lease: Lease) -> None:
    """The same for a running sync, with the number of windows in the ledger."""
    with database.transaction() as tx:
        require_staging(tx, lease, ledger.read_in(tx, lease.sync_id).windows_staged)


def lost(lease: Lease, what: str, why: str) -> StagingLost:
    """The error of a sync whose staging was lost in a crash of the database."""
    return StagingLost(
        what,
        where=lease.where,
        why=f"{why}: the database has crashed since",
        remedy="Nothing was published; the next run reads the catalogue from scratch",
    )


def discard_remains(database: Database, lease: Lease) -> int:
    """Remove what is staged of the account's other syncs. Returns the number of these syncs.

    They can be neither resumed nor approved any more: only an account's newest sync can. Raises LeaseLost without
    touching anything of the run that has taken over.
    """
    with database.transaction() as tx:
        staged = staging_room.staged_syncs(tx, lease.account)
    others = [sync for sync in staged if sync != lease.sync_id]
    if others or not lease.resumed:  # also removes dead rows and the rest of an interrupted cleanup
        staging_room.empty(database, lease.account, others, fence=lambda tx: ledger.hold(tx, lease))
    return len(others)


def _run(tx: Transaction, lease: Lease, name: str, **values: Any) -> Any:
    return staging_room.run(tx, statements(_SQL)[name], lease.account, sync=lease.sync_id, **values)
