"""Reading the quarantine (emag_offer_rejects): rows that could not be represented, with their reasons."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from emag_pipeline.db.engine import Database


@dataclass(frozen=True, slots=True)
class Rejected:
    """One row in quarantine. `payload` is the row as read, JSON in ASCII; page 0 stands for a read by id."""

    account: str
    sync_id: UUID
    page: int
    emag_offer_id: int | None
    reason: str
    payload: str
    rejected_at: datetime


def newest(database: Database, accounts: Sequence[str], limit: int) -> list[Rejected]:
    """The rows that each account's newest sync put into quarantine, in the order of pages; at most `limit` in all.

    A catalogue that moved is read several times: only the last reading counts.
    """
    with database.transaction(timeout_seconds=60) as tx:
        rows = tx.run(
            """SELECT r.account_type AS account, r.sync_id, r.page, r.emag_offer_id, r.reason, r.payload, r.rejected_at
               FROM unnest(CAST(:accounts AS text[])) AS a(account)
               CROSS JOIN LATERAL (
                   SELECT sync_id, round FROM {schema}.emag_offer_syncs s
                   WHERE s.account_type = a.account ORDER BY started_at DESC LIMIT 1
               ) s
               JOIN {schema}.emag_offer_rejects r ON r.sync_id = s.sync_id AND r.round = s.round
               ORDER BY r.account_type, r.page, r.reject_id LIMIT :limit""",
            accounts=list(accounts),
            limit=limit,
        )
        return [Rejected(**row._mapping) for row in rows]
