"""What is known of the order of an account's listing: the order itself as of the last complete scan, and its habits."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

from emag_pipeline.store.engine import Database
from emag_pipeline.sync import ledger
from emag_pipeline.sync.ledger import Lease

_CHUNK = 10_000
#: Days for which a habit is believed after it was last seen.
_BELIEVED_DAYS = 30


@dataclass(frozen=True, slots=True)
class Habits:
    """How an account's listing was found to behave, within the last 30 days."""

    reorders: bool = False
    ignores_odd_sizes: bool = False


def read(database: Database, account: str) -> "array[int] | None":
    """The offers in the order of the last complete scan; None before there was one. Eight bytes an offer."""
    order = array("q")
    chunk = 0
    while True:
        with database.transaction() as tx:
            ids: Sequence[int] | None = tx.run(
                "SELECT ids FROM emag_listing_order WHERE account_type = :account AND chunk = :chunk",
                account=account,
                chunk=chunk,
            ).scalar_one_or_none()
        if ids is None:
            return order if chunk else None
        order.extend(ids)
        chunk += 1


def keep(database: Database, lease: Lease, order: Sequence[int]) -> None:
    """Keep the order for the next scan; of a listing that stands still nothing is written. Raises LeaseLost."""
    chunks = max(1, -(-len(order) // _CHUNK))
    with database.transaction() as tx:
        ledger.hold(tx, lease)
        for chunk in range(chunks):
            tx.run(
                """INSERT INTO emag_listing_order AS o (account_type, chunk, ids)
                   VALUES (:account, :chunk, CAST(:ids AS bigint[]))
                   ON CONFLICT (account_type, chunk) DO UPDATE SET ids = excluded.ids
                   WHERE o.ids <> excluded.ids""",
                account=lease.account,
                chunk=chunk,
                ids=list(order[chunk * _CHUNK : (chunk + 1) * _CHUNK]),
            )
        tx.run(
            "DELETE FROM emag_listing_order WHERE account_type = :account AND chunk >= :chunks",
            account=lease.account,
            chunks=chunks,
        )


def habits(database: Database, account: str) -> Habits:
    """What earlier scans have seen."""
    with database.transaction(timeout_seconds=60) as tx:
        row = tx.run(
            """SELECT coalesce(reorders_at > now() - :days * interval '1 day', false) AS reorders,
                      coalesce(odd_sizes_ignored_at > now() - :days * interval '1 day', false) AS ignores_odd_sizes
               FROM emag_accounts WHERE account_type = :account""",
            account=account,
            days=_BELIEVED_DAYS,
        ).one_or_none()
    return Habits() if row is None else Habits(row.reorders, row.ignores_odd_sizes)


def note_habits(database: Database, account: str, seen: Habits) -> None:
    """Keep what this scan has seen."""
    with database.transaction(timeout_seconds=60) as tx:
        tx.run(
            """UPDATE emag_accounts
               SET reorders_at = CASE WHEN :reorders THEN clock_timestamp() ELSE reorders_at END,
                   odd_sizes_ignored_at = CASE WHEN :odd THEN clock_timestamp() ELSE odd_sizes_ignored_at END
               WHERE account_type = :account AND (:reorders OR :odd)""",
            account=account,
            reorders=seen.reorders,
            odd=seen.ignores_odd_sizes,
        )
