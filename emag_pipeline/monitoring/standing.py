"""How an account stands, by the ledger and by what Dagster knows of its runs: what sensors and incidents judge by."""

from dataclasses import dataclass

from emag_pipeline.db.status import AccountStatus, SyncProgress
from emag_pipeline.errors import Interrupted, LeaseError, RefusedError, Rerun, exit_code_of, rerun_after


@dataclass(frozen=True, slots=True)
class Cause:
    """Why an account was not published: an error's class, its words without the remedy, the Dagster run if known."""

    error_class: str
    message: str
    remedy: str
    run_id: str | None

    @property
    def needs_a_person(self) -> bool:
        """No rerun mends it."""
        return rerun_after(self.error_class) is Rerun.NEVER

    @property
    def is_refusal(self) -> bool:
        """The audit said no."""
        return self.error_class == RefusedError.__name__

    @property
    def is_quiet(self) -> bool:
        """Somebody else holds the account's lease, or it was told to stop: nothing is wrong."""
        return exit_code_of(self.error_class) in (LeaseError.exit_code, Interrupted.exit_code)


@dataclass(frozen=True, slots=True)
class PastRuns:
    """An account's Dagster runs since its last publish, as far as they ended without one."""

    #: how many failed for good: with no retry of Dagster's to come
    failures: int = 0
    #: how many failed in all, those included that Dagster has repeated
    tries: int = 0
    #: why the newest of them failed, in Dagster's words; None also when it failed quietly
    cause: Cause | None = None
    #: seconds since the newest run of all ended; infinite when none did
    ended_seconds_ago: float = float("inf")
    #: Dagster is about to repeat the newest one
    awaits_retry: bool = False
    #: a person ended the newest one
    is_cancelled: bool = False
    #: seconds since the oldest of them was created; 0 without any
    tried_for_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Standing:
    """One account: what is published, its newest sync, its runs since."""

    status: AccountStatus
    newest: SyncProgress | None
    past: PastRuns
    #: a run is queued or running, or Dagster will repeat one
    is_under_way: bool

    @property
    def account(self) -> str:
        """Its name."""
        return self.status.account

    @property
    def cause(self) -> Cause | None:
        """Why the newest run did not publish; None while one is under way, when it did, or when a person stopped it or
        threw its scan away.

        The ledger's words, where the failed run came to write any; else Dagster's.
        """
        is_discarded = self.newest is not None and self.newest.is_discarded
        if self.is_under_way or self.past.is_cancelled or is_discarded:
            return None
        told = _by_ledger(self.newest)
        if self.past.cause is None or (told is not None and told.run_id == self.past.cause.run_id):
            return told
        return self.past.cause


def _by_ledger(newest: SyncProgress | None) -> Cause | None:
    if newest is None or newest.status not in ("failed", "timeout"):
        return None
    message, remedy = newest.error_message or "no reason was noted", newest.error_remedy or ""
    return Cause(newest.error_class or "", message.rstrip("."), remedy.rstrip("."), newest.dagster_run_id)
