"""How an account's syncs went, which publish each mart shows, and what is wrong now."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from emag_pipeline.monitoring.incident_table import COLUMNS, Incident
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.ledger import Approval, approval_of
from emag_pipeline.sync.published import TIMEOUT_SECONDS


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One sync. `proof`: the numbers of `figures.ScanFigures`, None where it did not come that far."""

    sync_id: UUID
    status: str
    attempt: int
    started_at: datetime
    completed_at: datetime | None
    pages_done: int
    total_offers_processed: int
    offers_created: int
    offers_updated: int
    offers_unchanged: int
    offers_deleted: int
    offers_rejected: int
    proof: Mapping[str, Any] | None
    error_message: str | None
    error_remedy: str | None
    approved_at: datetime | None
    approved_by: str | None

    @property
    def approval(self) -> Approval | None:
        """That a person accepted what the audit refused."""
        return approval_of(self)


@dataclass(frozen=True, slots=True)
class MartStamp:
    """Which publish a mart shows."""

    mart: str
    published_at: datetime
    refreshed_at: datetime
    rows: int


def last_syncs(database: Database, account: str, limit: int = 8) -> list[LedgerRow]:
    """The newest syncs, the newest first."""
    with database.transaction(timeout_seconds=TIMEOUT_SECONDS) as tx:
        rows = tx.run(
            f"""SELECT {", ".join(LedgerRow.__slots__)} FROM emag_offer_syncs
                WHERE account_type = :account ORDER BY sync_number DESC LIMIT :limit""",
            account=account,
            limit=limit,
        )
        return [LedgerRow(**row._mapping) for row in rows]


def mart_stamps(database: Database, account: str) -> list[MartStamp]:
    """The account's marts by name."""
    with database.transaction(timeout_seconds=TIMEOUT_SECONDS) as tx:
        rows = tx.run(
            """SELECT mart, published_at, refreshed_at, rows FROM emag_mart_refreshes
               WHERE account_type = :account ORDER BY mart""",
            account=account,
        )
        return [MartStamp(**row._mapping) for row in rows]


def incidents_of(database: Database, account: str) -> list[Incident]:
    """What is wrong now with the account, or with a part of the pipeline that all accounts need; the oldest first."""
    with database.transaction(timeout_seconds=TIMEOUT_SECONDS) as tx:
        rows = tx.run(
            f"""SELECT {COLUMNS} FROM emag_incidents
                WHERE closed_at IS NULL
                  AND (subject = :account OR subject NOT IN (SELECT account_type FROM emag_offer_syncs))
                ORDER BY opened_at, incident_id""",
            account=account,
        )
        return [Incident(**row._mapping) for row in rows]
