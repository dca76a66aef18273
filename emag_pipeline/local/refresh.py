"""Refresh accounts now: one Dagster run per account, each in its own process, watched through the ledger.

Each run has its own process because it needs the main thread (signals) and prints a lot. Accounts are refreshed
concurrently, since each has its own rate budget.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from emag_pipeline.errors import DatabaseUnavailable, Interrupted
from emag_pipeline.local.child import Child, Program, keep_small
from emag_pipeline.local.progress import Outages
from emag_pipeline.local.surroundings import Surroundings
from emag_pipeline.local.words import failure_words, killed_words
from emag_pipeline.settings import Settings
from emag_pipeline.settings.home import directory
from emag_pipeline.store.calls import once
from emag_pipeline.store.engine import PIPELINES, Database
from emag_pipeline.sync.ledger import SyncStatus
from emag_pipeline.sync.status import SyncProgress, sync_progress
from emag_pipeline.wording import goes_on

#: How long a run that was asked to stop has to record that it stopped.
_STOP_SECONDS = 10.0
_LOOK_SECONDS = 0.5
_ASK_SECONDS = 5.0
_SEE_LOG = "; its log is {log}"


@dataclass(frozen=True, slots=True)
class RefreshOutcome:
    """How a refresh ended. `sync` is None if the run never held the account's lease; `said` is empty on success.

    `warnings` name the marts, checks or reference data that were not updated after the publish, and why. `exit_code`
    covers both.
    """

    account: str
    run_id: str
    exit_code: int
    said: str
    warnings: tuple[str, ...]
    sync: SyncProgress | None

    @property
    def is_published(self) -> bool:
        """Whether readers see what it read."""
        return self.sync is not None and self.sync.status is SyncStatus.COMPLETED


#: Exit codes by priority if accounts end differently: those that need a person come first.
_WORST_FIRST = (5, 3, 2, 1, 4)


def exit_code(done: Sequence[RefreshOutcome]) -> int:
    """The exit code for all accounts together: the worst one."""
    codes = {one.exit_code for one in done}
    return next((code for code in _WORST_FIRST if code in codes), max(codes, default=0))


class RefreshInterrupted(Interrupted):
    """A signal stopped the runs. `done`: how each ended, if the database could still be queried."""

    def __init__(self, done: Sequence[RefreshOutcome]) -> None:
        super().__init__()
        self.done = done


class _Run(Child):
    """One account's run in progress."""

    def __init__(self, account: str, environment: Mapping[str, str], logs: Path, *, anew: bool) -> None:
        self.account = account
        self.run_id = str(uuid4())
        command = (sys.executable, "-m", "emag_pipeline.local.run", account, self.run_id, "--with-parent")
        program = Program(f"sync-{account}", (*command, "--anew") if anew else command)
        keep_small(logs / f"{program.name}.log")
        # closed when this process ends, even if it is killed: so the run notices
        read_end, self._held_open = os.pipe()
        try:
            super().__init__(program, environment, logs, cwd="/", stdin=read_end, stdout=subprocess.PIPE)
        finally:
            os.close(read_end)

    def said(self) -> str:
        """The run's output; waits for its end, and kills it if it does not end in time."""
        try:
            said, _ = self.process.communicate(timeout=_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            said, _ = self.process.communicate()
        return said.strip()

    def close(self) -> None:
        """Close the pipe by which the run notices the end of this process."""
        os.close(self._held_open)


def refresh(
    settings: Settings,
    around: Surroundings,
    accounts: Sequence[str],
    watch: Callable[[Sequence[SyncProgress]], None],
    wait: Callable[[float], None],
    say: Callable[[str], None],
    *,
    anew: bool = False,
) -> list[RefreshOutcome]:
    """Run `refresh_offers` for each account, concurrently; returns when all have ended.

    `anew`: read every page instead of resuming an interrupted sync.
    `watch` is called twice a second with the syncs in progress; `wait` sleeps and raises Interrupted after a signal:
    the runs are then stopped, record that in the ledger, and RefreshInterrupted is raised. `say` is called when the
    database becomes unreachable, for which the runs wait, and when it responds again.
    """
    logs = directory(settings.home, "logs")
    database = Database(around.databases.pipeline.get_secret_value(), settings.db_schema, whose=PIPELINES)
    outages = Outages(settings, say)
    runs = [_Run(account, around.environment, logs, anew=anew) for account in accounts]
    try:
        while any(run.process.poll() is None for run in runs):
            with outages.reported():
                watch(_syncs(database, [run for run in runs if run.process.poll() is None]))
            wait(_LOOK_SECONDS)
        with suppress(DatabaseUnavailable):  # an attempt may have been shorter than _LOOK_SECONDS
            watch(_syncs(database, runs))
        return [_ended(database, run) for run in runs]
    except Interrupted as end:
        for run in runs:
            run.stop()
        raise RefreshInterrupted(_ended_all_the_same(database, runs)) from end
    finally:
        for run in runs:
            run.stop()
        for run in runs:
            run.said()
            run.close()
        database.close()


def _syncs(database: Database, runs: Sequence[_Run]) -> list[SyncProgress]:
    return [sync for run in runs if (sync := sync_progress(database, run.account, run.run_id))]


def _ended_all_the_same(database: Database, runs: Sequence[_Run]) -> list[RefreshOutcome]:
    """How stopped runs ended, since one may have published before; empty if that is unknown.

    Queried in another thread: after a signal, long database calls in the main thread are aborted.
    """
    with suppress(DatabaseUnavailable, TimeoutError):
        return once(lambda: [_ended(database, run) for run in runs]).result(_STOP_SECONDS + _ASK_SECONDS)
    return []


def _ended(database: Database, run: _Run) -> RefreshOutcome:
    said = run.said()
    sync = sync_progress(database, run.account, run.run_id)
    code = run.process.returncode
    if sync is not None and sync.error_message:
        said = failure_words(sync.error_message, sync.error_remedy or "")
    how = killed_words(-code) if code < 0 else f"ended with code {code}"
    if sync is not None and sync.status is SyncStatus.COMPLETED:
        missing = said.splitlines() or [f"not every later step was done: the run {how}{run.see_log(_SEE_LOG)}."]
        warnings = tuple(f"{run.account}: published, but {one}" for one in missing) if code else ()
        return RefreshOutcome(run.account, run.run_id, code if code >= 0 else 1, "", warnings, sync)
    if not said:
        when = " before it began to read" if sync is None else ""
        begins = goes_on(sync.pages_left if sync is not None else None)
        again = f"Run `emag-pipeline sync --account {run.account}` again: it {begins}"
        said = f"{run.account}: the run {how}{when}. {again}{run.see_log(_SEE_LOG)}."
    if code == Interrupted.exit_code:  # without a signal to this process: another one stopped the run
        code = 1
    return RefreshOutcome(run.account, run.run_id, max(code, 1), said, (), sync)
