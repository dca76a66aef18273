"""Does a running sync live? The rule, without a look at the clock, the database or Dagster: at its process alone.

- **stuck**: it beats, but nothing has become durable for too long.
- **dead**: it does not beat any more, or its process on this very machine is gone.
- **orphaned**: its Dagster run is over, so nobody will bring it to an end. A run that Dagster does not know proves
  nothing: it may be another installation's, or this Dagster's database may have been restored.

A sync whose Dagster run a person cancels is none of these: it is ended as cancelled. So is one that goes on and that
a person ends all the same (`recover --max-age-hours`).
"""

from dataclasses import dataclass
from datetime import datetime
from math import inf
from typing import Any, Literal
from uuid import UUID

from emag_pipeline.processes import ProcessMark
from emag_pipeline.settings import Settings
from emag_pipeline.store import OperationalError, Row, counters
from emag_pipeline.store.engine import Database
from emag_pipeline.store.transaction import Transaction
from emag_pipeline.sync.ledger import pages_left
from emag_pipeline.sync.owners import PROCESS, gone_words, process_of

# The signs of life of the syncs that the ledger calls running, by the database's clock.

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


Condition = Literal["stuck", "dead", "orphaned", "cancelled"]

#: The names under which the ledger counts these ends; a retry can help after each of them (`errors.rerun_after`).
ERROR_CLASSES: dict[Condition, str] = {
    "stuck": "StuckSync",
    "dead": "OwnerDied",
    "orphaned": "OwnerDied",
    "cancelled": "Interrupted",
}

#: A run that has just ended may still be writing down why.
SETTLING_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long a sync may go without progress, and without a heartbeat.

    `asked_seconds` is how long one may that nothing is wrong with, where somebody ends those as well, `asked_by` whom.
    """

    idle_seconds: float
    silent_seconds: float
    asked_seconds: float = inf
    asked_by: str = ""

    @classmethod
    def of(cls, settings: Settings, max_age_hours: float | None = None, asked_by: str = "") -> "Bounds":
        """Those of the settings. `max_age_hours`, if given, is when `asked_by` has syncs ended that go on."""
        asked = inf if max_age_hours is None else max_age_hours * 3600
        return cls(settings.stuck_threshold_hours * 3600, settings.heartbeat_timeout_seconds, asked, asked_by)


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How a Dagster run ended, or that it is being cancelled: Dagster's word.

    `seconds_ago` is None when nobody knows when.
    """

    status: str
    seconds_ago: float | None

    @property
    def is_settled(self) -> bool:
        """Long enough ago for its process to have written down why."""
        return self.seconds_ago is None or self.seconds_ago > SETTLING_SECONDS


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with a running sync, in a clause for people."""

    condition: Condition
    why: str

    @property
    def error_class(self) -> str:
        """The name under which the ledger counts it."""
        return ERROR_CLASSES[self.condition]

    @property
    def status(self) -> str:
        """What the ledger calls a sync that ends so."""
        return "cancelled" if self.condition == "cancelled" else "failed"


def trouble_of(sync: RunningSync, bounds: Bounds, run_end: RunEnd | None = None) -> Trouble | None:
    """What is wrong with a running sync, None if it lives and goes on. `run_end`: its run is over or told to stop."""
    if run_end is not None and run_end.is_settled:
        return _without_run(sync, run_end)
    if sync.silent_seconds > bounds.silent_seconds:
        return Trouble(
            "dead", f"no heartbeat for {sync.silent_seconds:.0f} s, the bound is {bounds.silent_seconds:g} s"
        )
    if sync.process is not None and sync.is_process_gone:
        return Trouble("dead", gone_words(sync.process))
    if sync.idle_seconds >= bounds.idle_seconds:
        bound = f"{bounds.idle_seconds:g} s"
        met = f"; {sync.obstacle}" if sync.obstacle else ""
        return Trouble(
            "stuck", f"it beats, but nothing became durable for {sync.idle_seconds:.0f} s, the bound is {bound}{met}"
        )
    if sync.idle_seconds >= bounds.asked_seconds:
        return Trouble("cancelled", f"ended by {bounds.asked_by} with `emag-pipeline recover`, it was not stuck")
    return None


def _without_run(sync: RunningSync, run_end: RunEnd) -> Trouble:
    run = f"its Dagster run {sync.dagster_run_id}"
    if run_end.status == "CANCELING" and sync.process is not None and sync.is_process_gone:
        return Trouble("cancelled", f"{run} was being cancelled, and {gone_words(sync.process)}")
    if run_end.status == "CANCELING":
        return Trouble("cancelled", f"{run} was told to stop and does not")
    if run_end.status == "CANCELED":
        return Trouble("cancelled", f"{run} was cancelled and left the lease behind")
    return Trouble("orphaned", f"{run} has ended ({run_end.status}) and left the lease behind")


def is_abandoned(quiet_seconds: float, bounds: Bounds, *, worker_lives: bool) -> bool:
    """Whether a Dagster run that is under way without a sync will not come to an end by itself.

    It may just be starting, waiting between two tries, or finishing what follows the publish, and tells Dagster
    so. `quiet_seconds`: since its last event. A process that is seen alive gets as long as a sync without progress.
    """
    return quiet_seconds > (bounds.idle_seconds if worker_lives else bounds.silent_seconds + _LONGEST_WAIT_SECONDS)


#: Between two tries within a run: 5, 10, 20 seconds, each up to twice that (dagster_runs/resource.py).
_LONGEST_WAIT_SECONDS = 45.0
