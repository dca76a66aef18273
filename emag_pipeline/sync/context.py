"""What one attempt of a sync works with: who for, by which settings, where to, and whom to tell."""

from collections.abc import Callable
from dataclasses import dataclass

from emag_pipeline.accounts import Account
from emag_pipeline.api import Timeouts
from emag_pipeline.db.budget import DatabaseBudget
from emag_pipeline.db.engine import Database
from emag_pipeline.settings import Settings
from emag_pipeline.sync.progress import Progress


@dataclass(frozen=True, slots=True)
class SyncContext:
    """One Dagster run's work on one account.

    `run_has_ended` says of a run of the Dagster instance `dagster_instance_id` whether it is known to be over; `report`
    is told the progress, at most every EMAG_SYNC_PROGRESS_INTERVAL seconds.
    """

    settings: Settings
    database: Database
    account: Account
    run_id: str
    run_has_ended: Callable[[str], bool]
    report: Callable[[Progress], None]
    dagster_instance_id: str | None = None
    #: read all pages, whatever an interrupted sync has left
    anew: bool = False

    def budget(self) -> DatabaseBudget:
        """The account's rate budget, shared by all processes."""
        return shared_budget(self.settings, self.database)


def timeouts_of(settings: Settings) -> Timeouts:
    """How long a call may be silent, and take in all."""
    return Timeouts(read_seconds=settings.silence_seconds, total_seconds=settings.call_seconds)


def shared_budget(settings: Settings, database: Database) -> DatabaseBudget:
    """The rate budget that all processes share, for any account."""
    return DatabaseBudget(database, settings.requests_per_second, settings.requests_per_minute, settings.rate_share)
