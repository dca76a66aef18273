"""What a scan of an account stores for the next: the listing's order and behaviour, and digests of its rows.

All of it is optional: without it a scan reads more, but proves the same.
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

# The order of the listing in the last complete scan, and its observed behaviour.

_CHUNK = 10_000
#: Days for which an observed behaviour is assumed to continue.
_BELIEVED_DAYS = 30


@dataclass(frozen=True, slots=True)
class Habits:
    """The behaviour of an account's listing, observed within the last 30 days."""

    reorders: bool = False
    ignores_odd_sizes: bool = False


def read_order(database: Database, account: str) -> "array[int] | None":
    """The offer ids in the order of the last complete scan; None before the first. Eight bytes per offer."""
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
    """Store the order for the next scan; writes nothing if it is unchanged. Raises LeaseLost."""
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
    """The behaviour observed by earlier scans."""
    with database.transaction(timeout_seconds=60) as tx:
        row = tx.run(statements(_SQL)["habits"], account=account, days=_BELIEVED_DAYS).one_or_none()
    return Habits() if row is None else Habits(row.reorders, row.ignores_odd_sizes)


def note_habits(database: Database, account: str, seen: Habits) -> None:
    """Record the behaviour observed by this scan."""
    with database.transaction(timeout_seconds=60) as tx:
        tx.run(
            statements(_SQL)["note_habits"],
            account=account,
            reorders=seen.reorders,
            odd=seen.ignores_odd_sizes,
        )


# Digests of the rows of published offers (emag_row_digests): a row with the same text need not be parsed again.
#
# A digest belongs to one state of an offer, identified by its fingerprints. The publish writes it in its own
# transaction (publish.sql).


@cache
def digest_formula() -> bytes:
    """Identifies how hashes of published rows are computed; it changes with the hashed columns and the schema."""
    words = (hashed(NARROW, "o"), hashed(TEXTS, "p"), migrate.newest())
    return hashlib.blake2b("\0".join(words).encode(), digest_size=8).digest()


def find_digests(database: Database, account: str, ids: Collection[int]) -> Mapping[int, AsPublished]:
    """The digests of those of these offers that are still published as they were read."""
    if not ids:
        return {}
    with database.transaction() as tx:
        find = statements(_SQL)["find_digests"]
        found = tx.run(find, account=account, formula=digest_formula(), ids=list(ids)).all()
    return {
        row.emag_offer_id: AsPublished(bytes(row.digest), bytes(row.row_hash), bytes(row.content_hash), row.noticed)
        for row in found
    }
