"""The quarantine (emag_offer_rejects): rows that could not be represented, with their reasons.

While a scan is staged, lists for people also include offers with unreadable fields and unreadable positions of the
listing. All three count for the audit's tolerance.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from emag_pipeline.model import Reject
from emag_pipeline.store.engine import Database
from emag_pipeline.store.rows import rows_of
from emag_pipeline.store.sql import statements
from emag_pipeline.store.transaction import Transaction
from emag_pipeline.sync.ledger import Lease

_SQL = "sync/quarantine.sql"
#: Bytes of a row's digest, and rows fetched at once.
_DIGEST, _PIECE = 16, 10_000

# Writing.


def keep(tx: Transaction, lease: Lease, page: int, rejects: Iterable[Reject], offer_id: int | None = None) -> None:
    """Quarantine rows, within the caller's fenced transaction.

    `offer_id` is the requested offer; without it, each row's own id is recorded, if it has one.
    """
    tx.run_many(
        statements(_SQL)["keep"],
        [
            {
                "account": lease.account,
                "sync": lease.sync_id,
                "page": page,
                "id": offer_id or reject.emag_offer_id,
                "reason": reject.reason,
                "payload": reject.payload,
            }
            for reject in rejects
        ],
    )


def digest_of(offer_id: int | None, payload: str) -> bytes:
    """The digest of a row in quarantine, equal for equal rows; see `digests`."""
    return sha256(f"{'' if offer_id is None else offer_id}:{payload}".encode()).digest()[:_DIGEST]


def digests(database: Database, lease: Lease) -> Iterator[bytes]:
    """The digests (`digest_of`) of the rows from pages that a sync has quarantined."""
    after = 0
    while True:
        with database.transaction() as tx:
            found = tx.run(
                statements(_SQL)["digests"], sync=lease.sync_id, size=_DIGEST, after=after, limit=_PIECE
            ).all()
        yield from (bytes(row.digest) for row in found)
        if len(found) < _PIECE:
            return
        after = found[-1].reject_id


# Lists and summaries for people.


@dataclass(frozen=True, slots=True)
class Rejected:
    """One row that could not be read, or only in part.

    `kind` is `quarantined` (the row is not published), `unreadable field` (the offer is published, these fields keep
    their published values) or `unreadable position` (the marketplace showed nothing). `payload` is the row as ASCII
    JSON, None for a position; page 0 means a read by id.
    """

    account: str
    sync_id: UUID
    kind: str
    page: int
    emag_offer_id: int | None
    reason: str
    payload: str | None
    rejected_at: datetime


@dataclass(frozen=True, slots=True)
class RejectReason:
    """A reason why rows could not be read, the number of these rows, and the first of them.

    `words` contains an ellipsis for each value that differs between the rows.
    """

    account: str
    words: str
    rows: int
    kind: str
    emag_offer_id: int | None
    page: int

    @property
    def example(self) -> str:
        """Its first occurrence, e.g. `offer 123 on page 4`."""
        if self.kind == "unreadable position":
            return f"position {self.page} of the listing"
        what = "a row without an id" if self.emag_offer_id is None else f"offer {self.emag_offer_id}"
        return f"{what} on page {self.page}" if self.page else f"{what}, read by its id"


#: What differs between rows that have the same reason: JSON, quoted text, numbers, constants.
_VALUES = (
    r"""[\[{].*[\]}…]|'([^'\\]|\\.)*'…?|"([^"\\]|\\.)*"…?|-?\m[0-9][0-9.eE+-]*|"""
    r"""\m(true|false|null|NaN|Infinity)\M"""
)


def newest(database: Database, accounts: Sequence[str], limit: int) -> list[Rejected]:
    """The rows that each account's newest sync could not read, in page order; at most `limit` rows in total."""
    found: list[Rejected] = []
    with database.transaction(timeout_seconds=60) as tx:
        for account, sync_id in _newest_syncs(tx, accounts):
            rows = tx.run(statements(_SQL)["rows"], account=account, sync=sync_id, limit=limit - len(found))
            found += rows_of(rows, Rejected)
    return found


def reasons(database: Database, accounts: Sequence[str]) -> list[RejectReason]:
    """The reasons why each account's newest sync could not read rows, most frequent first."""
    with database.transaction(timeout_seconds=60) as tx:
        return [
            reason
            for account, sync_id in _newest_syncs(tx, accounts)
            for reason in _commonest(tx, account, sync_id, most=None)
        ]


def commonest(database: Database, lease: Lease, most: int = 3) -> list[RejectReason]:
    """The most frequent reasons why a sync could not read rows."""
    with database.transaction() as tx:
        return _commonest(tx, lease.account, lease.sync_id, most)


def _newest_syncs(tx: Transaction, accounts: Sequence[str]) -> Iterator[tuple[str, UUID]]:
    """The newest sync of each account, by name. One query per account, as all statements on staging."""
    for account in sorted(accounts):
        for sync_id in tx.run(statements(_SQL)["newest_sync"], account=account).scalars():
            yield account, sync_id


def _commonest(tx: Transaction, account: str, sync_id: UUID, most: int | None) -> list[RejectReason]:
    rows = tx.run(statements(_SQL)["reasons"], account=account, sync=sync_id, values=_VALUES, most=most)
    return rows_of(rows, RejectReason)
