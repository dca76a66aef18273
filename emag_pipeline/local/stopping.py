"""The emergency stop: releases every lease, cancels every run, ends every process. Needs no daemon and no UI.

Unreachable things (a database, a process on another machine) are reported, and do not prevent the rest from being
stopped.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from emag_pipeline import processes, running_up
from emag_pipeline.dagster_runs import daemon, ending, finding, instance
from emag_pipeline.dagster_runs.daemon import SILENT_SECONDS
from emag_pipeline.dagster_runs.ending import EndedRun
from emag_pipeline.dagster_runs.finding import RunUnderWay, runs_under_way
from emag_pipeline.databases import attached, dagster_url
from emag_pipeline.errors import EndFromOutside, PipelineError
from emag_pipeline.local.embedded_use import awake
from emag_pipeline.running_up import Instance
from emag_pipeline.settings import Settings
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import ledger, liveness
from emag_pipeline.sync.ledger import StillWriting, SyncStatus
from emag_pipeline.sync.liveness import RunningSync
from emag_pipeline.wording import age, counted, goes_on

T = TypeVar("T")

#: After a process was killed during its publish: the server notices within two seconds and frees the row.
_RELEASE_SECONDS, _LOOK_SECONDS = 10.0, 0.2
_OBEY_SECONDS = 8.0


@dataclass(frozen=True, slots=True)
class UnderWay:
    """What an emergency stop would end. `unreached`: what could not be examined, one sentence each."""

    runs: Sequence[RunUnderWay]
    syncs: Sequence[RunningSync]
    processes: int
    unreached: Sequence[str]


@dataclass(slots=True)
class Stopped:
    """What an emergency stop did. `unreached`: what it could not examine, one sentence each."""

    runs: Sequence[EndedRun] = ()
    backfills: int = 0
    released: list[RunningSync] = field(default_factory=list)
    #: syncs whose lease could not be released, because another process is writing their row
    held: list[RunningSync] = field(default_factory=list)
    #: processes that executed runs unknown to Dagster
    strays: int = 0
    unreached: list[str] = field(default_factory=list)
    #: what keeps running and may start runs: an `up` of this home, or a daemon, with the age of its last heartbeat
    up: Instance | None = None
    daemon_silence_seconds: float | None = None
    #: it is unknown whether a daemon is running
    is_daemon_unseen: bool = False

    @property
    def is_complete(self) -> bool:
        """Whether everything could be examined and nothing is still running."""
        return not (self.unreached or self.held or any(run.process == "unreachable" for run in self.runs))


def under_way(settings: Settings) -> UnderWay:
    """What an emergency stop would end. Read-only."""
    unreached: list[str] = []
    with _opened(settings, unreached) as (database, dagster):
        return UnderWay(
            runs=runs_under_way(dagster) if dagster else (),
            syncs=liveness.running_syncs(database) if database else (),
            processes=len(finding.workers_here(instance.home_of(settings))),
            unreached=unreached,
        )


def stop_all(settings: Settings, reason: str) -> Stopped:
    """End everything in progress as cancelled for that reason; returns when it has ended, or cannot be ended.

    Leases are released first, so that nothing is written from then on. None of the runs is retried.
    """
    stopped = Stopped()
    with _opened(settings, stopped.unreached) as (database, dagster):
        gone: set[str] = set()
        if database is not None:
            syncs = liveness.running_syncs(database)
            gone = {sync.dagster_run_id for sync in syncs if sync.is_process_gone and sync.dagster_run_id is not None}
            _release(database, syncs, reason, stopped)
        if dagster is not None:
            stopped.backfills = ending.cancel_backfills(dagster)
            stopped.runs = ending.cancel_all(dagster, reason, gone)
        stopped.strays = _end_strays(settings)
        until = time.monotonic() + _RELEASE_SECONDS
        while database is not None and stopped.held and time.monotonic() < until:
            time.sleep(_LOOK_SECONDS)
            _release(database, stopped.held, reason, stopped)
        stopped.up = running_up.running(settings.home)
        if stopped.up is None:
            _look_for_daemon(stopped, settings, is_reached=dagster is not None)
    return stopped


def _look_for_daemon(stopped: Stopped, settings: Settings, *, is_reached: bool) -> None:
    """Record the daemon's last heartbeat; without its database it is unknown, unless Dagster was never started here."""
    if not is_reached:
        stopped.is_daemon_unseen = instance.home_of(settings).is_dir()
        return
    try:
        stopped.daemon_silence_seconds = daemon.heartbeats(dagster_url(settings)).silence_seconds
    except Exception as error:  # from Dagster, the driver or our code; what was done must still be reported
        stopped.is_daemon_unseen = True
        stopped.unreached.append(f"Dagster's database could not be queried for its daemon: {type(error).__name__}.")


@contextmanager
def _opened(settings: Settings, unreached: list[str]) -> Iterator[tuple[Database | None, instance.Instance | None]]:
    """The pipeline's database and Dagster's instance; the cause of an unreachable one is recorded once.

    So is a server that was started here and does not end: what was done meanwhile is still reported.
    """
    awoken = ExitStack()
    is_away = _reached(awoken, unreached, lambda: awake(settings)) is None
    try:
        with ExitStack() as stack:
            if is_away and settings.database_url is None and settings.dagster_pg_url is None:
                yield None, None
            else:
                database = _reached(stack, unreached, lambda: attached(settings))
                yield database, _reached(stack, unreached, lambda: instance.opened(settings))
    finally:
        try:
            awoken.close()
        except PipelineError as error:
            unreached.append(error.message)


def _reached(stack: ExitStack, unreached: list[str], open_: Callable[[], AbstractContextManager[T]]) -> T | None:
    """The result of `open_`, kept open by the stack; or None, with the reason added to `unreached`."""
    try:
        return stack.enter_context(open_())
    except PipelineError as error:
        if error.message not in unreached:
            unreached.append(error.message)
        return None


def _release(database: Database, syncs: Sequence[RunningSync], reason: str, stopped: Stopped) -> None:
    """End the syncs as cancelled; those whose row is being written are recorded as held."""
    stopped.held = []
    for sync in syncs:
        try:
            with database.transaction(timeout_seconds=30) as tx:
                now = liveness.locked(tx, sync.sync_id)
                if now is None:  # it has ended in the meantime
                    continue
                message = f"{sync.where}: {reason}"
                remedy = f"No action needed: the next run {goes_on(now.pages_left)}"
                ledger.end_locked(
                    tx,
                    sync.sync_id,
                    SyncStatus.CANCELLED,
                    error_class=EndFromOutside.INTERRUPTED,
                    message=message,
                    remedy=remedy,
                )
            stopped.released.append(sync)
        except StillWriting:
            stopped.held.append(sync)


def _end_strays(settings: Settings) -> int:
    """End processes of runs that Dagster does not know, or could not be queried for."""
    strays = finding.workers_here(instance.home_of(settings))
    processes.kill(processes.end(strays, _OBEY_SECONDS))
    return len(strays)


# What an emergency stop did or would do, one line per account.

_GO_ON = "schedules and sensors keep running and start runs when they are due"


def stopped_lines(stopped: Stopped, accounts: Sequence[str]) -> list[str]:
    """One line per account, one for runs without an account, one for strays; and what happens next."""
    said: dict[str, list[str]] = defaultdict(list)
    for run in stopped.runs:
        said[run.account or run.job].append(f"run {run.run_id} is {_word(run.status)}, {run.fate}")
    for sync in stopped.released:
        said[sync.account].append(f"lease released, {_pages(sync)}")
    for sync in stopped.held:
        said[sync.account].append("LEASE STILL HELD: its row is being written by a process that could not be reached")
    return [*_lines(said, accounts, _nothing("was", stopped.unreached)), *_rest(stopped), _next(stopped)]


def under_way_lines(found: UnderWay, accounts: Sequence[str]) -> list[str]:
    """What would be ended, one line per account, and how many processes are running."""
    said: dict[str, list[str]] = defaultdict(list)
    for run in found.runs:
        said[run.account or run.job].append(f"run {run.run_id}, {_word(run.status)}, would be cancelled")
    for sync in found.syncs:
        said[sync.account].append(f"lease would be released, {_pages(sync)}")
    processes = f"processes of runs on this machine: {found.processes}"
    return [*_lines(said, accounts, _nothing("is", found.unreached)), processes]


def _nothing(was: str, unreached: Sequence[str]) -> str:
    return f"nothing {was} running, as far as could be seen" if unreached else f"nothing {was} running"


def _lines(said: Mapping[str, Sequence[str]], accounts: Sequence[str], nothing: str) -> Iterator[str]:
    for name in dict.fromkeys([*accounts, *said]):
        yield f"{name}: {'; '.join(said.get(name, [nothing]))}"


def _rest(stopped: Stopped) -> Iterable[str]:
    if stopped.strays:
        yield f"processes of runs that Dagster does not know: {stopped.strays}, ended"
    if stopped.backfills:
        yield f"backfills: {stopped.backfills}, cancelled"


def _next(stopped: Stopped) -> str:
    """What may start runs from now on."""
    if stopped.up is not None:
        return f"{_GO_ON}: stop `emag-pipeline up` (process {stopped.up.pid}) to prevent that"
    silence = stopped.daemon_silence_seconds
    if silence is not None and silence <= SILENT_SECONDS:
        return f"{_GO_ON}: Dagster's daemon sent a heartbeat {age(silence)} ago; stop it to prevent that"
    if stopped.is_daemon_unseen:
        unseen = "it is unknown whether Dagster's daemon runs"
        return f"{unseen}: if it does, {_GO_ON}; stop it to prevent that"
    seen = ", as far as could be seen" if stopped.unreached else ""
    return f"neither `emag-pipeline up` nor Dagster's daemon runs{seen}: nothing is started automatically"


def _pages(sync: RunningSync) -> str:
    in_all = max(sync.pages_expected, sync.pages_left) if sync.pages_expected else None
    expected = counted(in_all, "page") if in_all else "? pages"
    return f"{sync.pages_left:,} of {expected} {'is' if in_all == 1 else 'are'} durable"


def _word(status: str) -> str:
    """Dagster's status in readable form."""
    return {"CANCELED": "cancelled", "NOT_STARTED": "not started"}.get(status, status.lower())
