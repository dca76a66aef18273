"""Is a running sync alive? Its owner, its signs of life in the ledger, and the rule that judges them.

The rule (`trouble_of`) depends on its arguments only, apart from the check for the sync's process on this machine.

- **stuck**: its heartbeat continues, but nothing has become durable for too long.
- **dead**: its heartbeat has stopped, or its process on this machine is gone.
- **orphaned**: its Dagster run has ended, so no process will end the sync. A run unknown to Dagster proves nothing: it
  may belong to another installation, or this Dagster's database may have been restored.

A sync whose Dagster run a person cancels is none of these: it ends as cancelled. So does a healthy one that a person
ends anyway (`recover --max-age-hours`).
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

#: Syncs and runs that were ended because they were stuck, dead or abandoned.
STUCK = "emag_sync_stuck_syncs_total"
#: Those of them whose lease is free and whose Dagster run has ended, so that the next attempt can start.
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
    #: the Dagster instance of its run; None if an older version started it
    dagster_instance_id: str | None = None
    process: ProcessMark | None = None
    #: number of pages that the next attempt can continue with: 0 if a crash of the server has lost some
    pages_left: int = 0
    #: what it is waiting for: the retry of a failed call, or a locked table
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
        """From the ledger's columns."""
        mark = None if process_id is None else ProcessMark(host, process_id, boot_id, namespaces, process_start_ticks)
        return cls(phase=phase, process=mark, **columns)

    @property
    def is_process_gone(self) -> bool:
        """Whether its process is known to be gone; never known for a process on another machine."""
        return self.process is not None and self.process.is_gone

    @property
    def where(self) -> str:
        """How messages name this sync."""
        return f"{self.account}, sync {self.sync_id}"


@dataclass(frozen=True, slots=True)
class Owner:
    """A Dagster run and the process that executes it. Without an instance id no Dagster can judge the run."""

    run_id: str
    dagster_instance_id: str | None
    process: ProcessMark

    @classmethod
    def here(cls, run_id: str, dagster_instance_id: str | None) -> "Owner":
        """The run in this process."""
        return cls(run_id, dagster_instance_id, own_mark())

    @property
    def columns(self) -> dict[str, Any]:
        """Its columns in the ledger."""
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
    """All syncs that hold a lease, ordered by account."""
    with database.transaction(timeout_seconds=30) as tx:
        return _running(tx, "ORDER BY account_type")


def bring_back_signs(database: Database, account: str | None = None) -> None:
    """Set signs of life that are in the future, because the clock was set back, to now; for one or all accounts.

    Otherwise a missing heartbeat would go unnoticed. A living sync will beat again soon.
    """
    with database.transaction(timeout_seconds=30) as tx:
        tx.run(_SQL["bring_back_signs"], account=account)


def locked(tx: Transaction, sync_id: UUID) -> RunningSync | None:
    """The current state of the sync, locked against being ended; None if it has ended. Raises StillWriting."""
    with at_once():
        return next(iter(_running(tx, "AND sync_id = :sync FOR UPDATE NOWAIT", sync=sync_id)), None)


def locked_of(tx: Transaction, account: str) -> RunningSync | None:
    """The same for the sync that holds an account's lease."""
    with at_once():
        return next(iter(_running(tx, "AND account_type = :account FOR UPDATE NOWAIT", account=account)), None)


def _running(tx: Transaction, which: str, **parameters: Any) -> list[RunningSync]:
    syncs = rows_of(tx.run(f"{_SQL['running']}\n{which}", **parameters), RunningSync.of)
    return [replace(sync, pages_left=pages_left(tx, sync.sync_id, sync.account)) for sync in syncs]


def count(tx: Transaction, counter: str, account: str) -> None:
    """Raise STUCK or RECOVERED by one."""
    monitoring_tables.add_to_counters(tx, {(counter, (("account_type", account),)): 1})


class Condition(StrEnum):
    """Why a running sync has to be ended."""

    STUCK = "stuck"
    DEAD = "dead"
    ORPHANED = "orphaned"
    CANCELLED = "cancelled"


#: The error classes in the ledger for these ends; a retry can help after each of them (`errors.rerun_after`).
ERROR_CLASSES = {
    Condition.STUCK: EndFromOutside.STUCK_SYNC,
    Condition.DEAD: EndFromOutside.OWNER_DIED,
    Condition.ORPHANED: EndFromOutside.OWNER_DIED,
    Condition.CANCELLED: EndFromOutside.INTERRUPTED,
}

#: A run that ended more recently than this may still be recording why.
SETTLING_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long a sync may go without progress, and without a heartbeat.

    `asked_seconds` is the limit without progress beyond which the person `asked_by` also ends healthy syncs.
    """

    idle_seconds: float
    silent_seconds: float
    asked_seconds: float = inf
    asked_by: str = ""

    @classmethod
    def of(cls, settings: Settings, max_age_hours: float | None = None, asked_by: str = "") -> "Bounds":
        """The bounds of the settings. `max_age_hours`: the limit at which `asked_by` also ends healthy syncs."""
        asked = inf if max_age_hours is None else max_age_hours * 3600
        return cls(settings.stuck_threshold_hours * 3600, settings.heartbeat_timeout_seconds, asked, asked_by)


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How a Dagster run ended, or that it is being cancelled, as reported by Dagster.

    `seconds_ago` is None if the time is unknown.
    """

    status: str
    seconds_ago: float | None

    @property
    def is_settled(self) -> bool:
        """Whether it was long enough ago for the process to have recorded why."""
        return self.seconds_ago is None or self.seconds_ago > SETTLING_SECONDS


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with a running sync; `why` is a clause for people."""

    condition: Condition
    why: str

    @property
    def error_class(self) -> EndFromOutside:
        """The error class in the ledger."""
        return ERROR_CLASSES[self.condition]

    @property
    def status(self) -> SyncStatus:
        """The status in the ledger of a sync ended for this reason."""
        return SyncStatus.CANCELLED if self.condition is Condition.CANCELLED else SyncStatus.FAILED


def trouble_of(sync: RunningSync, bounds: Bounds, run_end: RunEnd | None = None) -> Trouble | None:
    """What is wrong with a running sync; None if it is healthy. `run_end`: its run has ended or was told to stop."""
    if run_end is not None and run_end.is_settled:
        return _without_run(sync, run_end)
    if why := _silence(sync, bounds.silent_seconds) or _absence(sync):
        return Trouble(Condition.DEAD, why)
    if sync.idle_seconds >= bounds.idle_seconds:
        bound = f"{bounds.idle_seconds:g} s"
        met = f"; {sync.obstacle}" if sync.obstacle else ""
        return Trouble(
            Condition.STUCK,
            f"its heartbeat continues, but no progress for {sync.idle_seconds:.0f} s, the limit is {bound}{met}",
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
        return Trouble(Condition.CANCELLED, f"{run} was told to stop but did not")
    if run_end.status == "CANCELED":
        return Trouble(Condition.CANCELLED, f"{run} was cancelled without releasing the lease")
    return Trouble(Condition.ORPHANED, f"{run} has ended ({run_end.status}) without releasing the lease")


def death(sync: RunningSync, asking: Owner, bound_seconds: float, run_has_ended: Callable[[str], bool]) -> str | None:
    """A clause that proves that no process works on a running sync any more; None without proof.

    `run_has_ended` returns whether a run of the asking Dagster instance is known to have ended. An unknown run proves
    nothing: another installation on the same database has other runs, and a restored Dagster may have lost some.
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
    """The clause for a sync without a heartbeat; empty while it has one."""
    if sync.silent_seconds <= bound_seconds:
        return ""
    return f"no heartbeat for {sync.silent_seconds:.0f} s, the limit is {bound_seconds:g} s"


def _absence(sync: RunningSync) -> str:
    """The clause for a sync whose process is gone; empty if that is not known."""
    if sync.process is None or not sync.is_process_gone:
        return ""
    return f"its process {sync.process.process_id} on {sync.process.host} is gone"


def is_abandoned(quiet_seconds: float, bounds: Bounds, *, worker_lives: bool) -> bool:
    """Whether a Dagster run that is in progress without a sync will never end on its own.

    It may be starting, waiting between two attempts, or finishing after the publish; it logs events meanwhile.
    `quiet_seconds`: since its last event. A process known to be alive gets as long as a sync without progress.
    """
    return quiet_seconds > (bounds.idle_seconds if worker_lives else bounds.silent_seconds + _LONGEST_WAIT_SECONDS)


#: Longest wait between two attempts of a step: 5, 10, 20 seconds, each up to doubled (dagster_runs/resource.py).
_LONGEST_WAIT_SECONDS = 45.0
