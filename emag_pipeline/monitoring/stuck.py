"""Finding the syncs and runs that will not come to an end by themselves (the rule stands in `sync.liveness`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from emag_pipeline.db.engine import Database
from emag_pipeline.db.liveness import RunningSync, running_syncs
from emag_pipeline.runs.finding import StartedRun, ends_of, started_runs
from emag_pipeline.runs.identity import identity_of
from emag_pipeline.runs.instance import Instance
from emag_pipeline.sync.liveness import Bounds, RunEnd, Trouble, is_abandoned, trouble_of


@dataclass(frozen=True, slots=True)
class StuckSync:
    """What was found wrong: a sync of the ledger, or (`sync_id` is None) a Dagster run that works on no sync.

    `condition` is `stuck`, `dead`, `orphaned` or `cancelled`, see `sync.liveness`; `why` is a clause that says what
    speaks for it.
    """

    account: str
    condition: str
    why: str
    sync_id: UUID | None
    dagster_run_id: str | None
    pages_done: int
    pages_expected: int | None
    #: this machine's process table shows that nobody works on it any more
    is_process_gone: bool = False
    #: how many pages the next attempt goes on with
    pages_left: int = 0

    @property
    def sentence(self) -> str:
        """Who, and what is wrong, e.g. `main: dead: no heartbeat for 130 s, the bound is 120 s`."""
        return f"{self.account}: {self.condition}: {self.why}"


def find(database: Database, instance: Instance | None, bounds: Bounds) -> list[StuckSync]:
    """Everything that is stuck now. Without an instance only what the ledger alone can tell."""
    syncs = running_syncs(database)
    ends = run_ends(instance, syncs)
    found = [
        finding(sync, trouble)
        for sync in syncs
        if (trouble := trouble_of(sync, bounds, ends.get(sync.dagster_run_id or "")))
    ]
    return found + abandoned_runs(instance, syncs, bounds)


def finding(sync: RunningSync, trouble: Trouble) -> StuckSync:
    """What is wrong with a sync of the ledger."""
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
    """How those Dagster runs of the syncs have ended that are over, and that are this instance's own."""
    if instance is None or not syncs:
        return {}
    own = identity_of(instance)
    run_ids = [sync.dagster_run_id for sync in syncs if sync.dagster_run_id and sync.dagster_instance_id == own]
    return {run: RunEnd(*end) for run, end in ends_of(instance, run_ids).items()}


def abandoned_runs(instance: Instance | None, syncs: Sequence[RunningSync], bounds: Bounds) -> list[StuckSync]:
    """Dagster runs under way that work on none of the syncs and will not end by themselves."""
    if instance is None:
        return []
    at_work = [sync.dagster_run_id for sync in syncs if sync.dagster_run_id is not None]
    return [
        _abandoned(run)
        for run in started_runs(instance, except_for=at_work)
        if is_abandoned(run.quiet_seconds, bounds, worker_lives=run.worker_lives)
    ]


def _abandoned(run: StartedRun) -> StuckSync:
    why = f"Dagster run {run.run_id} is under way without a sync and has said nothing for {run.quiet_seconds:.0f} s"
    return StuckSync(run.account, "orphaned", why, None, run.run_id, 0, None)
