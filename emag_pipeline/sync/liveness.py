"""Does a running sync live? Its owner, its signs of life as the ledger has them, and the rule that judges them.

The rule looks neither at the clock nor at the database nor at Dagster: at the sync's process alone.

- **stuck**: it beats, but nothing has become durable for too long.
- **dead**: it does not beat any more, or its process on this very machine is gone.
- **orphaned**: its Dagster run is over, so nobody will bring it to an end. A run that Dagster does not know proves
  nothing: it may be another installation's, or this Dagster's database may have been restored.

A sync whose Dagster run a person cancels is none of these: it is ended as cancelled. So is one that goes on and that
a person ends all the same (`recover --max-age-hours`).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from math import inf
from typing import Any
from uuid import UUID

from emag_pipeline.errors import EndFromOutside
from emag_pipeline.processes import ProcessMark, own_mark
from emag_pipeline.settings import Settings
from emag_pipeline.store import monitoring_tables
from emag_pipeline.store.engine import Database
from emag_pipeline.store.rows import rows_of
from emag_pipeline.store.sql import statements
from emag_pipeline.store.transaction import Transaction
from emag_pipeline.sync.ledger import SyncPhase, SyncStatus, at_once, pages_left

_SQL = statements("sync/liveness.sql")

#: Syncs and runs that were found stuck, dead or abandoned, and were ended for it.
STUCK = "emag_sync_stuck_syncs_total"
#: Those of them after which nothing is in the way of the next attempt: the lease is free, the Dagster run is over.
RECOVERED = "emag_sync_recovered_syncs_total"


@dataclass(frozen=True, slots=True)
class RunningSync:
    """A sync that holds its account's lease. Seconds are since its last heartbeat and since its last durable write."""

    sync_id: UUID
    account: str
    phase: SyncPhase
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

    @classmethod
    def of(
        cls,
        *,
        host: str,
        process_id: int | None,
        boot_id: str | None,
        namespaces: str | None,
        process_start_ticks: int | None,
        phase: SyncPhase,
        **columns: Any,
    ) -> "RunningSync":
        """By the ledger's columns."""
        mark = None if process_id is None else ProcessMark(host, process_id, boot_id, namespaces, process_start_ticks)
        return cls(phase=phase, process=mark, **columns)

    @property
    def is_process_gone(self) -> bool:
        """Whether it is sure that its process lives no more; of another machine's nothing is."""
        return self.process is not None and self.process.is_gone

    @property
    def where(self) -> str:
        """How messages name this sync."""
        return f"{self.account}, sync {self.sync_id}"


@dataclass(frozen=True, slots=True)
class Owner:
    """A Dagster run and the process that executes it. Without an instance's id the run is nobody's to judge."""

    run_id: str
    dagster_instance_id: str | None
    process: ProcessMark

    @classmethod
    def here(cls, run_id: str, dagster_instance_id: str | None) -> "Owner":
        """The run in this process."""
        return cls(run_id, dagster_instance_id, own_mark())

    @property
    def columns(self) -> dict[str, Any]:
        """What the ledger keeps of it, by column."""
        return {
            "dagster_run_id": self.run_id,
            "dagster_instance_id": self.dagster_instance_id,
            "host": self.process.host,
            "boot_id": self.process.boot_id,
            "namespaces": self.process.namespaces,
            "process_id": self.process.process_id,
            "process_start_ticks": self.process.start_ticks,
        }


def running_syncs(database: Database) -> list[RunningSync]:
    """Every sync that holds a lease, of whatever account, in the order of their accounts."""
    with database.transaction(timeout_seconds=30) as tx:
        return _running(tx, "ORDER BY account_type")


def bring_back_signs(database: Database, account: str | None = None) -> None:
    """Let signs of life that lie ahead of the clock, which was set back, count from now on: none could be missed.

    Whoever lives gives the next one soon. Of all accounts, or of one.
    """
    with database.transaction(timeout_seconds=30) as tx:
        tx.run(_SQL["bring_back_signs"], account=account)


def locked(tx: Transaction, sync_id: UUID) -> RunningSync | None:
    """The sync as it is now, kept from whoever else might end it; None when it has ended. Raises StillWriting."""
    with at_once():
        return next(iter(_running(tx, "AND sync_id = :sync FOR UPDATE NOWAIT", sync=sync_id)), None)


def locked_of(tx: Transaction, account: str) -> RunningSync | None:
    """The same of the sync that holds an account's lease."""
    with at_once():
        return next(iter(_running(tx, "AND account_type = :account FOR UPDATE NOWAIT", account=account)), None)


def _running(tx: Transaction, which: str, **parameters: Any) -> list[RunningSync]:
    syncs = rows_of(tx.run(f"{_SQL['running']}\n{which}", **parameters), RunningSync.of)
    return [replace(sync, pages_left=pages_left(tx, sync.sync_id, sync.account)) for sync in syncs]


def count(tx: Transaction, counter: str, account: str) -> None:
    """Raise STUCK or RECOVERED by one."""
    monitoring_tables.add_to_counters(tx, {(counter, (("account_type", account),)): 1})


class Condition(StrEnum):
    """What a running sync is found to be that does not go on."""

    STUCK = "stuck"
    DEAD = "dead"
    ORPHANED = "orphaned"
    CANCELLED = "cancelled"


#: The names under which the ledger counts these ends; a retry can help after each of them (`errors.rerun_after`).
ERROR_CLASSES = {
    Condition.STUCK: EndFromOutside.STUCK_SYNC,
    Condition.DEAD: EndFromOutside.OWNER_DIED,
    Condition.ORPHANED: EndFromOutside.OWNER_DIED,
    Condition.CANCELLED: EndFromOutside.INTERRUPTED,
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
    def error_class(self) -> EndFromOutside:
        """The name under which the ledger counts it."""
        return ERROR_CLASSES[self.condition]

    @property
    def status(self) -> SyncStatus:
        """What the ledger calls a sync that ends so."""
        return SyncStatus.CANCELLED if self.condition is Condition.CANCELLED else SyncStatus.FAILED


def trouble_of(sync: RunningSync, bounds: Bounds, run_end: RunEnd | None = None) -> Trouble | None:
    """What is wrong with a running sync, None if it lives and goes on. `run_end`: its run is over or told to stop."""
    if run_end is not None and run_end.is_settled:
        return _without_run(sync, run_end)
    if why := _silence(sync, bounds.silent_seconds) or _absence(sync):
        return Trouble(Condition.DEAD, why)
    if sync.idle_seconds >= bounds.idle_seconds:
        bound = f"{bounds.idle_seconds:g} s"
        met = f"; {sync.obstacle}" if sync.obstacle else ""
        return Trouble(
            Condition.STUCK,
            f"it beats, but nothing became durable for {sync.idle_seconds:.0f} s, the bound is {bound}{met}",
        )
    if sync.idle_seconds >= bounds.asked_seconds:
        return Trouble(
            Condition.CANCELLED, f"ended by {bounds.asked_by} with `emag-pipeline recover`, it was not stuck"
        )
    return None


def _without_run(sync: RunningSync, run_end: RunEnd) -> Trouble:
    run = f"its Dagster run {sync.dagster_run_id}"
    if run_end.status == "CANCELING" and (why := _absence(sync)):
        return Trouble(Condition.CANCELLED, f"{run} was being cancelled, and {why}")
    if run_end.status == "CANCELING":
        return Trouble(Condition.CANCELLED, f"{run} was told to stop and does not")
    if run_end.status == "CANCELED":
        return Trouble(Condition.CANCELLED, f"{run} was cancelled and left the lease behind")
    return Trouble(Condition.ORPHANED, f"{run} has ended ({run_end.status}) and left the lease behind")


def death(sync: RunningSync, asking: Owner, bound_seconds: float, run_has_ended: Callable[[str], bool]) -> str | None:
    """What proves that nobody works on a running sync any more, in a clause; None when nothing does.

    `run_has_ended` says of a run of the asking instance whether it is known to be over. Not knowing is no proof:
    another installation on the same database has a Dagster that knows other runs, a restored one knows none.
    """
    if why := _silence(sync, bound_seconds):
        return why
    if sync.dagster_run_id == asking.run_id:
        return "the same Dagster run began again without having recorded its end"
    if why := _absence(sync):
        return why
    is_ours = sync.dagster_instance_id == asking.dagster_instance_id
    if is_ours and sync.dagster_run_id is not None and run_has_ended(sync.dagster_run_id):
        return f"Dagster run {sync.dagster_run_id} has ended without recording it"
    return None


def _silence(sync: RunningSync, bound_seconds: float) -> str:
    """Why a sync is dead that does not beat, in a clause; empty while it beats."""
    if sync.silent_seconds <= bound_seconds:
        return ""
    return f"no heartbeat for {sync.silent_seconds:.0f} s, the bound is {bound_seconds:g} s"


def _absence(sync: RunningSync) -> str:
    """Why a sync is dead whose process is gone, in a clause; empty where that is not known."""
    if sync.process is None or not sync.is_process_gone:
        return ""
    return f"its process {sync.process.process_id} on {sync.process.host} is gone"


def is_abandoned(quiet_seconds: float, bounds: Bounds, *, worker_lives: bool) -> bool:
    """Whether a Dagster run that is under way without a sync will not come to an end by itself.

    It may just be starting, waiting between two tries, or finishing what follows the publish, and tells Dagster
    so. `quiet_seconds`: since its last event. A process that is seen alive gets as long as a sync without progress.
    """
    return quiet_seconds > (bounds.idle_seconds if worker_lives else bounds.silent_seconds + _LONGEST_WAIT_SECONDS)


#: Between two tries within a run: 5, 10, 20 seconds, each up to twice that (dagster_runs/resource.py).
_LONGEST_WAIT_SECONDS = 45.0
