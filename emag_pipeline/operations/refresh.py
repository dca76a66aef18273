"""Refresh accounts now: a Dagster run for each, in a process of its own, watched through the ledger.

A process of its own, because a run wants the main thread (signals) and prints much; several accounts are
refreshed at once, since each has a rate budget of its own.
"""

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from emag_pipeline.db.engine import Database
from emag_pipeline.db.status import SyncProgress, sync_progress
from emag_pipeline.errors import DatabaseUnavailable
from emag_pipeline.home import directory
from emag_pipeline.operations.surroundings import Surroundings
from emag_pipeline.operations.words import failure_words
from emag_pipeline.settings import Settings

#: A run that was told to stop has this long to write down that it stopped.
_STOP_SECONDS = 10.0
_LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Refreshed:
    """How a refresh ended. `sync` is None when the run never held the account's lease; `said` is empty on success.

    `warning` says which marts do not show the publish, and why; empty when they do.
    """

    account: str
    run_id: str
    exit_code: int
    said: str
    warning: str
    sync: SyncProgress | None


class _Run:
    """One account's run under way."""

    def __init__(self, account: str, environment: Mapping[str, str], log: Path) -> None:
        self.account = account
        self.run_id = str(uuid4())
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "emag_pipeline.runs", account, self.run_id],
                env=environment,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=output,
                text=True,
                start_new_session=True,  # Ctrl-C reaches this process, which passes it on once
            )

    def stop(self) -> None:
        """Tell it to stop, if it has not ended."""
        self.process.terminate()

    def wait(self) -> str:
        """What the run said at its end."""
        try:
            said, _ = self.process.communicate(timeout=_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            said, _ = self.process.communicate()
        return said.strip()


def refresh(
    settings: Settings,
    around: Surroundings,
    accounts: Sequence[str],
    watch: Callable[[Sequence[SyncProgress]], None],
    wait: Callable[[float], None],
) -> list[Refreshed]:
    """Run `refresh_offers` for each account, all at once; returns when all have ended.

    `watch` is called twice a second with the syncs under way; `wait` sleeps so many seconds and raises Interrupted
    when a signal came: the runs are stopped then, write that into the ledger, and it is passed on.
    """
    logs = directory(settings.home, "logs")
    database = Database(around.databases.pipeline.get_secret_value(), settings.db_schema)
    runs = [_Run(account, around.environment, logs / f"sync-{account}.log") for account in accounts]
    try:
        while any(run.process.poll() is None for run in runs):
            with suppress(DatabaseUnavailable):  # the runs notice it, and tell
                watch([sync for run in runs if (sync := sync_progress(database, run.account, run.run_id))])
            wait(_LOOK_SECONDS)
        return [_ended(database, run) for run in runs]
    finally:
        for run in runs:
            run.stop()
        for run in runs:
            run.wait()
        database.close()


def _ended(database: Database, run: _Run) -> Refreshed:
    said = run.wait()
    sync = sync_progress(database, run.account, run.run_id)
    code = run.process.returncode
    if code == 0:
        warning = f"{run.account}: published, but its marts are older: {said}" if said else ""
        return Refreshed(run.account, run.run_id, code, "", warning, sync)
    if sync is not None and sync.error_message:
        said = failure_words(sync.error_message, sync.error_remedy or "")
    if not said:
        said = f"{run.account}: the run ended with code {code}, see logs/sync-{run.account}.log in EMAG_HOME"
    return Refreshed(run.account, run.run_id, max(code, 1), said, "", sync)
