"""Recovery: end a sync in the ledger with the reason, and its Dagster run in the way that lets Dagster retry it.

The ledger comes first: from then on the sync's process cannot write any more, whether it ends or not.
"""

import getpass
import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from uuid import UUID

from emag_pipeline.dagster_runs import ending, instance
from emag_pipeline.dagster_runs.ending import EndedRun
from emag_pipeline.dagster_runs.finding import StartedRun, ends_of, started_runs
from emag_pipeline.dagster_runs.instance import Instance, identity_of
from emag_pipeline.databases import attached
from emag_pipeline.errors import EndFromOutside, PipelineError
from emag_pipeline.logs import about, logger
from emag_pipeline.monitoring import incidents
from emag_pipeline.monitoring.incidents import IncidentFinding
from emag_pipeline.settings import Settings, load_settings
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import ledger, liveness
from emag_pipeline.sync.ledger import StillWriting
from emag_pipeline.sync.liveness import (
    Bounds,
    Condition,
    RunEnd,
    RunningSync,
    Trouble,
    is_abandoned,
    running_syncs,
    trouble_of,
)
from emag_pipeline.wording import goes_on

log = logger(__name__)

# Finding the syncs and runs that will not end on their own (by the rule in `sync.liveness`).


@dataclass(frozen=True, slots=True)
class StuckSync:
    """One finding: a sync of the ledger, or (`sync_id` is None) a Dagster run without a sync.

    `condition` is `stuck`, `dead`, `orphaned` or `cancelled`, see `sync.liveness`; `why` is a clause with the
    evidence.
    """

    account: str
    condition: Condition
    why: str
    sync_id: UUID | None
    dagster_run_id: str | None
    pages_done: int
    pages_expected: int | None
    #: this machine's process table shows that its process has ended
    is_process_gone: bool = False
    #: how many pages the next attempt continues with
    pages_left: int = 0

    @property
    def sentence(self) -> str:
        """Subject and problem, e.g. `main: dead: no heartbeat for 130 s, the limit is 120 s`."""
        return f"{self.account}: {self.condition}: {self.why}"


def find(database: Database, instance: Instance | None, bounds: Bounds) -> list[StuckSync]:
    """Everything that is stuck now. Without an instance, only what the ledger shows."""
    syncs = running_syncs(database)
    ends = run_ends(instance, syncs)
    found = [
        finding(sync, trouble)
        for sync in syncs
        if (trouble := trouble_of(sync, bounds, ends.get(sync.dagster_run_id or "")))
    ]
    return found + abandoned_runs(instance, syncs, bounds)


def finding(sync: RunningSync, trouble: Trouble) -> StuckSync:
    """The finding for a sync of the ledger."""
    return StuckSync(
        account=sync.account,
        condition=trouble.condition,
        why=trouble.why,
        sync_id=sync.sync_id,
        dagster_run_id=sync.dagster_run_id,
        pages_done=sync.pages_done,
        pages_expected=sync.pages_expected,
        is_process_gone=sync.is_process_gone,
        pages_left=sync.pages_left,
    )


def run_ends(instance: Instance | None, syncs: Sequence[RunningSync]) -> Mapping[str, RunEnd]:
    """How the syncs' Dagster runs ended; only runs of this instance that have ended."""
    if instance is None or not syncs:
        return {}
    own = identity_of(instance)
    run_ids = [sync.dagster_run_id for sync in syncs if sync.dagster_run_id and sync.dagster_instance_id == own]
    return {run: RunEnd(*end) for run, end in ends_of(instance, run_ids).items()}


def abandoned_runs(instance: Instance | None, syncs: Sequence[RunningSync], bounds: Bounds) -> list[StuckSync]:
    """Dagster runs in progress that belong to none of the syncs and will not end on their own."""
    if instance is None:
        return []
    at_work = [sync.dagster_run_id for sync in syncs if sync.dagster_run_id is not None]
    return [
        _abandoned(run)
        for run in started_runs(instance, except_for=at_work)
        if is_abandoned(run.quiet_seconds, bounds, worker_lives=run.worker_lives)
    ]


def _abandoned(run: StartedRun) -> StuckSync:
    why = f"Dagster run {run.run_id} is in progress without a sync and has logged nothing for {run.quiet_seconds:.0f} s"
    return StuckSync(run.account, Condition.ORPHANED, why, None, run.run_id, 0, None)


_IF_AGAIN = (
    "It was ended, and the next run {goes_on}; if it gets stuck again, check network, marketplace and "
    "database locks with `emag-pipeline doctor`"
)
#: A heartbeat or a page locks the row for milliseconds; a longer lock means a publish.
_TRIES, _TRY_SECONDS = 5, 0.2


@dataclass(frozen=True, slots=True)
class Recovered:
    """A finding that was handled. `run` is None if its Dagster run had ended already or could not be reached."""

    found: StuckSync
    run: EndedRun | None

    @property
    def sentence(self) -> str:
        """The problem, the action taken, and what follows."""
        done = [self.found.sentence]
        if self.found.sync_id is not None:
            done.append("marked as cancelled" if self.found.condition is Condition.CANCELLED else "marked as failed")
        if self.run is not None:
            done.append(self.run.fate)
        again = self.run is not None and self.run.will_retry
        done.append("Dagster's daemon starts the run again" if again else "the account's next run continues")
        return "; ".join(done)


def recover(
    database: Database, instance: Instance | None, bounds: Bounds, accounts: Collection[str] | None = None
) -> list[Recovered]:
    """End everything that is stuck, so that another attempt can continue. Returns what was done.

    With `accounts`, only their syncs are examined: others belong to another installation on the same database.
    A sync whose row is being written (usually by its publish) is alive and not ended. Without an instance no
    Dagster run is ended. Raises the errors of the database.
    """
    liveness.bring_back_signs(database)
    syncs = liveness.running_syncs(database)
    ends = run_ends(instance, syncs)
    ended = [
        found
        for sync in syncs
        if (accounts is None or sync.account in accounts)
        and (found := _end_sync(database, sync, bounds, ends.get(sync.dagster_run_id or ""))) is not None
    ]
    abandoned = abandoned_runs(instance, syncs, bounds)
    _count(database, liveness.STUCK, abandoned)
    done = [*ended, *abandoned]
    runs = {} if instance is None else _end_runs(instance, done)
    _count(database, liveness.RECOVERED, done)
    recovered = [Recovered(found, runs.get(found.dagster_run_id or "")) for found in done]
    for one in recovered:
        _tell(one)
        if one.found.condition is Condition.STUCK:
            incidents.note(database, _incident(one.found))
    return recovered


def _incident(found: StuckSync) -> IncidentFinding:
    """A stuck sync is reported even after it was ended, because its cause may persist; a crash is not."""
    remedy = _IF_AGAIN.format(goes_on=goes_on(found.pages_left))
    return IncidentFinding(found.account, "stuck", found.why, remedy, EndFromOutside.STUCK_SYNC, found.dagster_run_id)


def _tell(one: Recovered) -> None:
    found = one.found
    sync_id = None if found.sync_id is None else str(found.sync_id)
    with about(account=found.account, sync_id=sync_id, run_id=found.dagster_run_id):
        log.warning("stuck_sync_ended", condition=found.condition, why=found.why, message=one.sentence)


def _end_sync(database: Database, sync: RunningSync, bounds: Bounds, run_end: RunEnd | None) -> StuckSync | None:
    """End a sync in the ledger and count it, if it is still stuck once its row is locked."""
    if trouble_of(sync, bounds, run_end) is None:
        return None
    for _ in range(_TRIES):
        try:
            return _end_locked(database, sync, bounds, run_end)
        except StillWriting:
            time.sleep(_TRY_SECONDS)
    return None


def _end_locked(database: Database, sync: RunningSync, bounds: Bounds, run_end: RunEnd | None) -> StuckSync | None:
    with database.transaction(timeout_seconds=30) as tx:
        now = liveness.locked(tx, sync.sync_id)
        if now is None or now.dagster_run_id != sync.dagster_run_id:
            return None
        trouble = trouble_of(now, bounds, run_end)
        if trouble is None:
            return None
        message = f"{now.where}: {trouble.condition}: {trouble.why}"
        remedy = f"No action needed: the next attempt {goes_on(now.pages_left)}"
        ledger.end_locked(
            tx, now.sync_id, trouble.status, error_class=trouble.error_class, message=message, remedy=remedy
        )
        if trouble.condition is not Condition.CANCELLED:
            liveness.count(tx, liveness.STUCK, now.account)
        return finding(now, trouble)


def _end_runs(instance: Instance, done: Sequence[StuckSync]) -> dict[str, EndedRun]:
    reasons = {found.dagster_run_id: found.sentence for found in done if found.dagster_run_id is not None}
    gone = {found.dagster_run_id for found in done if found.is_process_gone and found.dagster_run_id is not None}
    return {run.run_id: run for run in ending.fail(instance, reasons, gone)}


def _count(database: Database, counter: str, findings: Sequence[StuckSync]) -> None:
    with database.transaction(timeout_seconds=30) as tx:
        for found in findings:
            if found.condition is not Condition.CANCELLED:
                liveness.count(tx, counter, found.account)


# The same on demand, by a person or a program; Dagster's storage may be unreachable.

_warnings = logging.getLogger(__name__)


@contextmanager
def opened(settings: Settings, complain: Callable[[str], None]) -> Iterator[tuple[Database, Instance | None]]:
    """The pipeline's database and Dagster's instance; None, after a message to `complain`, if it cannot be opened.

    Raises DatabaseUnavailable, SchemaMismatch.
    """
    with ExitStack() as stack:
        database = stack.enter_context(attached(settings))
        dagster: Instance | None = None
        try:
            dagster = stack.enter_context(instance.opened(settings))
        except PipelineError as error:
            complain(f"only the ledger can be examined, Dagster's runs cannot: {error.message}")
        yield database, dagster


def find_stuck_syncs() -> list[StuckSync]:
    """See `monitoring.find_stuck_syncs`."""
    settings = load_settings()
    with opened(settings, _warnings.warning) as (database, dagster):
        return find(database, dagster, Bounds.of(settings))


def cleanup_stuck_syncs(max_age_hours: float | None) -> int:
    """See `monitoring.cleanup_stuck_syncs`."""
    settings = load_settings()
    with opened(settings, _warnings.warning) as (database, dagster):
        return len(recover(database, dagster, Bounds.of(settings, max_age_hours, getpass.getuser())))
