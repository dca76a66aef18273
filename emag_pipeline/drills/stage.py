"""The stage of one scenario: its marketplace, its database, its runs."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from emag_pipeline.drills.market import Market
from emag_pipeline.drills.runs import ACCOUNT, Ending, RunProcess
from emag_pipeline.drills.scratch import HEARTBEAT_TIMEOUT_SECONDS, Scratch
from emag_pipeline.errors import TransientError
from emag_pipeline.local.words import failure_words
from emag_pipeline.settings import Settings, load_settings
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.approval import approve
from emag_pipeline.sync.ledger import SyncStatus
from emag_pipeline.sync.published import PublishedOffer, published_offers
from emag_pipeline.sync.status import SyncProgress, sync_progress

_LOOK_SECONDS = 0.05
_LONGEST_RUN_SECONDS = 300.0


class Stage:
    """Starts runs and reads their results. Every wait ends when the drill is stopped."""

    def __init__(
        self, scratch: Scratch, market: Market, database: Database, url: str, given: Mapping[str, str]
    ) -> None:
        self.scratch = scratch
        self.market = market
        self.database = database
        self._url = url
        self._given = given
        self.runs: list[RunProcess] = []

    def settings(self) -> Settings:
        """The settings of its runs."""
        return load_settings(self._variables(), env_file=None)

    def start(self, given: Mapping[str, str] | None = None) -> RunProcess:
        """Start a run of the account, with additional settings."""
        self.scratch.check()
        self.runs.append(RunProcess(self._variables(given), self.scratch.logs))
        return self.runs[-1]

    def run(self, given: Mapping[str, str] | None = None) -> Ending:
        """Start a run and wait for its end."""
        return self.end_of(self.start(given))

    def end_of(self, run: RunProcess) -> Ending:
        """Wait for a run's end."""
        self.wait_until(lambda: run.is_over, "the run to end", _LONGEST_RUN_SECONDS)
        sync = self.progress(run)
        said = run.said()
        if sync is not None and sync.error_message:
            said = failure_words(sync.error_message, sync.error_remedy or "")
        return Ending(run.process.returncode, said, sync)

    def progress(self, run: RunProcess | None = None) -> SyncProgress | None:
        """The sync of this run, or the account's newest one."""
        return sync_progress(self.database, ACCOUNT, run.run_id if run else None)

    def published(self) -> dict[int, PublishedOffer]:
        """What readers see."""
        return published_offers(self.database, ACCOUNT)

    def approve(self) -> None:
        """Approve the account's newest sync, which the audit refused, as a person would."""
        sync = self.progress()
        if sync is not None:
            approve(self.database, self.settings(), sync.sync_id, "drill")

    def wait_for_pages(self, run: RunProcess, pages: int) -> None:
        """Wait until this many pages of a run are durable."""

        def staged() -> bool:
            if run.is_over:
                raise TransientError(f"the run ended before {pages} pages were durable", why=run.said())
            sync = self.progress(run)
            return sync is not None and sync.pages_done >= pages

        self.wait_until(staged, f"{pages} durable pages", 60)

    def wait_for_lease(self) -> None:
        """Wait until a run can start: the account's last one has ended, or its heartbeat has timed out."""

        def is_free() -> bool:
            sync = self.progress()
            return (
                sync is None or sync.status is not SyncStatus.RUNNING or sync.silent_seconds > HEARTBEAT_TIMEOUT_SECONDS
            )

        self.wait_until(is_free, "the dead run's lease to be free", HEARTBEAT_TIMEOUT_SECONDS + 30)

    def wait_until(self, condition: Callable[[], bool], what: str, seconds: float) -> None:
        """Wait for a condition. Raises TransientError after `seconds`, Interrupted when the drill is stopped."""
        until = time.monotonic() + seconds
        while not condition():
            self.scratch.check()
            if time.monotonic() > until:
                raise TransientError(f"waited {seconds:g} seconds for {what}")
            self.scratch.halted.wait(_LOOK_SECONDS)

    def _variables(self, given: Mapping[str, str] | None = None) -> dict[str, str]:
        return self.scratch.variables(self.market.url, self._url, {**self._given, **(given or {})})

    def clear(self) -> None:
        """Kill runs that have not ended."""
        for run in self.runs:
            run.kill()


@contextmanager
def stage(scratch: Scratch, offers: int, given: Mapping[str, str], *, first: bool) -> Iterator[Stage]:
    """Set up a stage: a marketplace with this many offers, all published already unless `first`."""
    log = scratch.logs / "sandbox.log"
    with scratch.database(offers, first=first) as url, Market(offers, log) as market:
        database = Database(url)
        place = Stage(scratch, market, database, url, given)
        try:
            yield place
        finally:
            place.clear()
            database.close()
