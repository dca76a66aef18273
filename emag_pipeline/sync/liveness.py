"""Does a running sync live? The rule, without a look at the clock, the database or Dagster: at its process alone.

- **stuck**: it beats, but nothing has become durable for too long.
- **dead**: it does not beat any more, or its process on this very machine is gone.
- **orphaned**: its Dagster run is over, so nobody will bring it to an end. A run that Dagster does not know proves
  nothing: it may be another installation's, or this Dagster's database may have been restored.

A sync whose Dagster run a person cancels is none of these: it is ended as cancelled. So is one that goes on and that a
person ends all the same (`recover --max-age-hours`).
"""

from dataclasses import dataclass
from math import inf
from typing import Literal

from emag_pipeline.db.liveness import RunningSync
from emag_pipeline.db.owners import gone_words
from emag_pipeline.settings import Settings

Condition = Literal["stuck", "dead", "orphaned", "cancelled"]

#: The names under which the ledger counts these ends; a rerun can help after each of them (`errors.rerun_after`).
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


#: Between two tries within a run: 5, 10, 20 seconds, each up to twice that (assets/staged_offers.py).
_LONGEST_WAIT_SECONDS = 45.0
