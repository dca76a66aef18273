"""Reading the quarantine (emag_offer_rejects): rows that could not be represented, with their reasons.

Beside them, as long as a scan is staged: offers with fields that cannot be read, and positions of the listing that the
marketplace fails to show. All three count for the audit's tolerance.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from emag_pipeline.store.engine import Database
from emag_pipeline.store.transaction import Transaction
from emag_pipeline.sync.ledger import Lease


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


_NEWEST = """
    SELECT sync_id FROM emag_offer_syncs
    WHERE account_type = :account ORDER BY sync_number DESC LIMIT 1
"""

#: Rows of the scan :sync of :account.
_NOT_READ = """
    SELECT CAST(:account AS text) AS account, sync_id, 'quarantined' AS kind, page, emag_offer_id, reason, payload,
           rejected_at, reject_id AS place
    FROM emag_offer_rejects WHERE sync_id = :sync
    UNION ALL
    SELECT account_type, sync_id, 'unreadable field', page, emag_offer_id,
           array_to_string(unreadable, ', ') || ' cannot be read', CAST(raw AS text), fetched_at, emag_offer_id
    FROM emag_scan_offers WHERE account_type = :account AND sync_id = :sync AND unreadable <> '{}'
    UNION ALL
    SELECT account_type, sync_id, 'unreadable position', page, NULL,
           'the marketplace fails on every page that holds this position of the listing', NULL, fetched_at,
           position
    FROM emag_scan_pages WHERE account_type = :account AND sync_id = :sync AND is_unreadable
"""
_COMMONEST = f"""
    WITH grouped AS (
        SELECT *, left(regexp_replace(reason, :values, '…', 'g'), 160) AS words FROM ({_NOT_READ}) not_read
    )
    SELECT account, words, count(*) AS rows, min(kind) AS kind,
           (array_agg(emag_offer_id ORDER BY page, place))[1] AS emag_offer_id,
           (array_agg(page ORDER BY page, place))[1] AS page
    FROM grouped GROUP BY account, words ORDER BY rows DESC, words LIMIT :most
"""
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
            rows = tx.run(
                f"""SELECT account, sync_id, kind, page, emag_offer_id, reason, payload, rejected_at
                    FROM ({_NOT_READ}) not_read ORDER BY page, kind, place LIMIT :limit""",
                account=account,
                sync=sync_id,
                limit=limit - len(found),
            )
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
        for sync_id in tx.run(_NEWEST, account=account).scalars():
            yield account, sync_id


def _commonest(tx: Transaction, account: str, sync_id: UUID, most: int | None) -> list[RejectReason]:
    rows = tx.run(_COMMONEST, account=account, sync=sync_id, values=_VALUES, most=most)
    return [RejectReason(**row._mapping) for row in rows]
