"""What one attempt of a sync works with: who for, by which settings, where to, and whom to tell."""

from collections.abc import Callable
from dataclasses import dataclass

from emag_pipeline.accounts import Account
from emag_pipeline.db.budget import DatabaseBudget
from emag_pipeline.db.engine import Database
from emag_pipeline.settings import Settings
from emag_pipeline.sync.progress import Progress


@dataclass(frozen=True, slots=True)
class SyncContext:
    """One Dagster run's work on one account.

    `run_has_ended` says of any Dagster run id whether that run is over or gone; `report` is told the progress, at
    most every EMAG_SYNC_PROGRESS_INTERVAL seconds.
    """

    settings: Settings
    database: Database
    account: Account
    run_id: str
    run_has_ended: Callable[[str], bool]
    report: Callable[[Progress], None]

    def budget(self) -> DatabaseBudget:
        """The account's rate budget, shared by all processes."""
        allowed = self.settings
        return DatabaseBudget(
            self.database, allowed.requests_per_second, allowed.requests_per_minute, allowed.rate_share
        )
