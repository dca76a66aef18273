"""How an account's syncs went, which publish each mart shows, and what is wrong now."""

from dataclasses import dataclass
from datetime import datetime

from emag_pipeline.monitoring.incident_table import COLUMNS, Incident
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import ledger
from emag_pipeline.sync.ledger import Sync
from emag_pipeline.sync.published import TIMEOUT_SECONDS


@dataclass(frozen=True, slots=True)
class MartStamp:
    """Which publish a mart shows."""

    mart: str
    published_at: datetime
    refreshed_at: datetime
    rows: int


def last_syncs(database: Database, account: str, limit: int = 8) -> list[Sync]:
    """The newest syncs, the newest first."""
    with database.transaction(timeout_seconds=TIMEOUT_SECONDS) as tx:
        return ledger.newest(tx, account, limit)


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
