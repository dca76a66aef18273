"""The signs of life of the syncs that the ledger calls running, by the database's clock."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.exc import OperationalError

from emag_pipeline.db import counters
from emag_pipeline.db.engine import Database
from emag_pipeline.db.ledger import pages_left
from emag_pipeline.db.owners import PROCESS, process_of
from emag_pipeline.db.transaction import Transaction
from emag_pipeline.processes import ProcessMark

#: Syncs and runs that were found stuck, dead or abandoned, and were ended for it.
STUCK = "emag_sync_stuck_syncs_total"
#: Those of them after which nothing is in the way of the next attempt: the lease is free, the Dagster run is over.
RECOVERED = "emag_sync_recovered_syncs_total"


@dataclass(frozen=True, slots=True)
class RunningSync:
    """A sync that holds its account's lease. Seconds are since its last heartbeat and since its last durable write."""

    sync_id: UUID
    account: str
    phase: str
    attempt: int
    dagster_run_id: str | None
    attempt_started_at: datetime
    pages_done: int
    pages_expected: int | None
    silent_seconds: float
    idle_seconds: float
    #: whose Dagster run it is; None where a version before this one has begun it
    dagster_instance_id: str | None = None
    process: ProcessMark | None = None
    #: how many pages the next attempt goes on with: none that a crash of the server has taken
    pages_left: int = 0
    #: what keeps it waiting: a call that failed, a table that somebody holds
    obstacle: str | None = None

    @property
    def is_process_gone(self) -> bool:
        """Whether it is sure that its process lives no more; of another machine's nothing is."""
        return self.process is not None and self.process.is_gone

    @property
    def where(self) -> str:
        """How messages name this sync."""
        return f"{self.account}, sync {self.sync_id}"


class StillWriting(Exception):
    """The ledger's row cannot be had at once: its publish, or another write of the sync, holds it. It lives."""


_RUNNING = f"""
    SELECT sync_id, account_type AS account, phase, attempt, dagster_run_id, dagster_instance_id, {PROCESS},
           attempt_started_at, pages_done, windows_staged, obstacle,
           pages_expected, extract(epoch FROM clock_timestamp() - heartbeat_at)::float8 AS silent_seconds,
           extract(epoch FROM clock_timestamp() - progressed_at)::float8 AS idle_seconds
    FROM emag_offer_syncs
    WHERE status = 'running'
"""


def running_syncs(database: Database) -> list[RunningSync]:
    """Every sync that holds a lease, of whatever account, in the order of their accounts."""
    with database.transaction(timeout_seconds=30) as tx:
        return [_sync(tx, row) for row in tx.run(_RUNNING + " ORDER BY account_type").all()]


def bring_back_signs(database: Database, account: str | None = None) -> None:
    """Let signs of life that lie ahead of the clock, which was set back, count from now on: none could be missed.

    Whoever lives gives the next one soon. Of all accounts, or of one.
    """
    with database.transaction(timeout_seconds=30) as tx:
        tx.run(
            """UPDATE emag_offer_syncs
               SET heartbeat_at = least(heartbeat_at, clock_timestamp()),
                   progressed_at = least(progressed_at, clock_timestamp())
               WHERE status = 'running' AND (CAST(:account AS text) IS NULL OR account_type = :account)
                 AND greatest(heartbeat_at, progressed_at) > clock_timestamp() + interval '5 seconds'""",
            account=account,
        )


def locked(tx: Transaction, sync_id: UUID) -> RunningSync | None:
    """The sync as it is now, kept from whoever else might end it; None when it has ended. Raises StillWriting."""
    try:
        row = tx.run(_RUNNING + " AND sync_id = :sync FOR UPDATE NOWAIT", sync=sync_id).one_or_none()
    except OperationalError as error:
        if getattr(error.orig, "pgcode", None) != "55P03":  # lock_not_available
            raise
        raise StillWriting from error
    return None if row is None else _sync(tx, row)


def _sync(tx: Transaction, row: Row[Any]) -> RunningSync:
    told = {name: value for name, value in row._mapping.items() if name in RunningSync.__slots__}
    return RunningSync(**told, pages_left=pages_left(tx, row, row.account), process=process_of(row))


def count(tx: Transaction, counter: str, account: str) -> None:
    """Raise STUCK or RECOVERED by one."""
    counters.add(tx, {(counter, (("account_type", account),)): 1})
