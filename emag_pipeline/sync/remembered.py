"""What one scan of an account leaves for the next: the listing's order and habits, and how its rows were written.

Any of it may be lost at any time: a scan that remembers nothing reads more, and proves the same.
"""

import hashlib
from array import array
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from emag_pipeline.model import AsPublished
from emag_pipeline.store import migrate
from emag_pipeline.store.columns import NARROW, TEXTS, hashed
from emag_pipeline.store.engine import Database
from emag_pipeline.store.sql import statements
from emag_pipeline.sync import ledger
from emag_pipeline.sync.ledger import Lease

_SQL = "sync/remembered.sql"

# The order of the listing as of the last complete scan, and how it was found to behave.

_CHUNK = 10_000
#: Days for which a habit is believed after it was last seen.
_BELIEVED_DAYS = 30


@dataclass(frozen=True, slots=True)
class Habits:
    """How an account's listing was found to behave, within the last 30 days."""

    reorders: bool = False
    ignores_odd_sizes: bool = False


def read_order(database: Database, account: str) -> "array[int] | None":
    """The offers in the order of the last complete scan; None before there was one. Eight bytes per offer."""
    order = array("q")
    chunk = 0
    while True:
        with database.transaction() as tx:
            found = tx.run(statements(_SQL)["read_order"], account=account, chunk=chunk)
            ids: Sequence[int] | None = found.scalar_one_or_none()
        if ids is None:
            return order if chunk else None
        order.extend(ids)
        chunk += 1


def keep_order(database: Database, lease: Lease, order: Sequence[int]) -> None:
    """Keep the order for the next scan; of a listing that stands still nothing is written. Raises LeaseLost."""
    chunks = max(1, -(-len(order) // _CHUNK))
    with database.transaction() as tx:
        ledger.hold(tx, lease)
        for chunk in range(chunks):
            tx.run(
                statements(_SQL)["keep_order"],
                account=lease.account,
                chunk=chunk,
                ids=list(order[chunk * _CHUNK : (chunk + 1) * _CHUNK]),
            )
        tx.run(statements(_SQL)["forget_order"], account=lease.account, chunks=chunks)


def habits(database: Database, account: str) -> Habits:
    """What earlier scans have seen."""
    with database.transaction(timeout_seconds=60) as tx:
        row = tx.run(statements(_SQL)["habits"], account=account, days=_BELIEVED_DAYS).one_or_none()
    return Habits() if row is None else Habits(row.reorders, row.ignores_odd_sizes)


def note_habits(database: Database, account: str, seen: Habits) -> None:
    """Keep what this scan has seen."""
    with database.transaction(timeout_seconds=60) as tx:
        tx.run(
            statements(_SQL)["note_habits"],
            account=account,
            reorders=seen.reorders,
            odd=seen.ignores_odd_sizes,
        )


# How the rows of published offers were written (emag_row_digests): the same row need not be read again.
#
# It is of one state of an offer, named by its fingerprints. A publish writes it (publish.sql), in its own transaction.


@cache
def digest_formula() -> bytes:
    """Stands for how hashes of what is published are made: of other columns, or of another schema, none is equal."""
    words = (hashed(NARROW, "o"), hashed(TEXTS, "p"), migrate.newest())
    return hashlib.blake2b("\0".join(words).encode(), digest_size=8).digest()


def find_digests(database: Database, account: str, ids: Collection[int]) -> Mapping[int, AsPublished]:
    """Of these offers, those that are published as they were read."""
    if not ids:
        return {}
    with database.transaction() as tx:
        find = statements(_SQL)["find_digests"]
        found = tx.run(find, account=account, formula=digest_formula(), ids=list(ids)).all()
    return {
        row.emag_offer_id: AsPublished(bytes(row.digest), bytes(row.row_hash), bytes(row.content_hash), row.noticed)
        for row in found
    }
