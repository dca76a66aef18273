"""The quarantine (emag_offer_rejects): rows that could not be represented, with their reasons.

People are shown beside them, as long as a scan is staged, offers with fields that cannot be read and positions of the
listing that the marketplace fails to show. All three count for the audit's tolerance.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from emag_pipeline.model import Reject
from emag_pipeline.store.engine import Database
from emag_pipeline.store.sql import statements
from emag_pipeline.store.transaction import Transaction
from emag_pipeline.sync.ledger import Lease

_SQL = "sync/quarantine.sql"
#: Bytes that stand for a row, and rows that are taken up at once.
_DIGEST, _PIECE = 16, 10_000

# What a scan puts there.


def keep(tx: Transaction, lease: Lease, page: int, rejects: Iterable[Reject], offer_id: int | None = None) -> None:
    """Keep rows that cannot be represented, within the caller's fenced transaction.

    `offer_id` is the offer that was asked for; without it, each row's own id counts, if it has one.
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
    """What stands for a row in quarantine: the same row has the same, see `digests`."""
    return sha256(f"{'' if offer_id is None else offer_id}:{payload}".encode()).digest()[:_DIGEST]


def digests(database: Database, lease: Lease) -> Iterator[bytes]:
    """What stands for the rows from pages that a sync has put there, as `digest_of` makes it."""
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


# What people are told of it.


@dataclass(frozen=True, slots=True)
class Rejected:
    """One row that was not read, or not in full.

    `kind` is `quarantined` (the row is kept out), `unreadable field` (the offer is taken, these fields keep their
    published values) or `unreadable position` (the marketplace showed nothing). `payload` is the row as read, JSON in
    ASCII, None for a position; page 0 stands for a read by id.
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
    """Why rows were not read, how many they are, and the first of them.

    `words` have an ellipsis for each value that differs from row to row.
    """

    account: str
    words: str
    rows: int
    kind: str
    emag_offer_id: int | None
    page: int

    @property
    def example(self) -> str:
        """Where it was met first, e.g. `offer 123 on page 4`."""
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
    """What each account's newest sync did not read, in the order of pages; at most `limit` rows in all."""
    found: list[Rejected] = []
    with database.transaction(timeout_seconds=60) as tx:
        for account, sync_id in _newest_syncs(tx, accounts):
            rows = tx.run(statements(_SQL)["rows"], account=account, sync=sync_id, limit=limit - len(found))
            found += [Rejected(**row._mapping) for row in rows]
    return found


def reasons(database: Database, accounts: Sequence[str]) -> list[RejectReason]:
    """Why each account's newest sync did not read rows, the commonest reason of an account first."""
    with database.transaction(timeout_seconds=60) as tx:
        return [
            reason
            for account, sync_id in _newest_syncs(tx, accounts)
            for reason in _commonest(tx, account, sync_id, most=None)
        ]


def commonest(database: Database, lease: Lease, most: int = 3) -> list[RejectReason]:
    """The commonest reasons for which a sync did not read rows."""
    with database.transaction() as tx:
        return _commonest(tx, lease.account, lease.sync_id, most)


def _newest_syncs(tx: Transaction, accounts: Sequence[str]) -> Iterator[tuple[str, UUID]]:
    """In the order of the accounts' names; one by one, since a statement on staging is about one account."""
    for account in sorted(accounts):
        for sync_id in tx.run(statements(_SQL)["newest_sync"], account=account).scalars():
            yield account, sync_id


def _commonest(tx: Transaction, account: str, sync_id: UUID, most: int | None) -> list[RejectReason]:
    rows = tx.run(statements(_SQL)["reasons"], account=account, sync=sync_id, values=_VALUES, most=most)
    return [RejectReason(**row._mapping) for row in rows]
