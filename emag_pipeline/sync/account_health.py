"""The health of an account, from the ledger and its Dagster runs; sensors and incidents decide by it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf

from emag_pipeline.errors import Interrupted, LeaseError, RefusedError, Rerun, exit_code_of, rerun_after
from emag_pipeline.settings import Settings
from emag_pipeline.sync.status import AccountStatus, SyncProgress
from emag_pipeline.wording import age

# The age of published data is the age of the oldest page of the last publish, not of the publish itself.
#
# A sync may be resumed long after its first pages were read. And after a scan of several hours, the data is that old
# when it is published; so the threshold for stale is at least twice the duration of the last scan.

_SCANS = 2.0
#: A publish further than this in the future counts as stale: the clock was set back, so its real age is unknown.
_AHEAD_SECONDS = 60.0
#: If pages are older than the publish by more than this, their age is reported too.
_NOTABLE_SECONDS = 60.0


def bound_seconds(scan_seconds: float | None, settings: Settings) -> float:
    """The age above which an account is stale: EMAG_SYNC_STALE_AFTER_HOURS, or twice its last scan's duration."""
    return max(settings.stale_after_hours * 3600, _SCANS * (scan_seconds or 0.0))


def is_stale(status: AccountStatus, settings: Settings) -> bool:
    """Whether the account was never published, or its published data is too old."""
    return status.age_seconds is None or not -_AHEAD_SECONDS <= status.age_seconds <= bound_seconds(
        status.scan_seconds, settings
    )


def published_words(status: AccountStatus) -> str:
    """When the account was published, e.g. `published 5 minutes ago`, `… from pages read 3 hours ago`."""
    if status.age_seconds is None or status.published_seconds_ago is None:
        return "was never published"
    published = f"published {age(status.published_seconds_ago)} ago"
    pause = status.age_seconds - status.published_seconds_ago - (status.scan_seconds or 0.0)
    return f"{published} from pages read {age(status.age_seconds)} ago" if pause > _NOTABLE_SECONDS else published


def bound_words(status: AccountStatus, settings: Settings) -> str:
    """The allowed age and its source, e.g. `6 hours are allowed (EMAG_SYNC_STALE_AFTER_HOURS)`."""
    seconds = bound_seconds(status.scan_seconds, settings)
    why = "EMAG_SYNC_STALE_AFTER_HOURS" if seconds == settings.stale_after_hours * 3600 else "twice its last scan"
    hours = f"{seconds / 3600:.3g}"
    return f"{'1 hour is' if hours == '1' else f'{hours} hours are'} allowed ({why})"


@dataclass(frozen=True, slots=True)
class Cause:
    """Why an account was not published: error class, message without remedy, remedy, and the Dagster run if known."""

    error_class: str
    message: str
    remedy: str
    run_id: str | None

    @property
    def needs_a_person(self) -> bool:
        """A retry cannot fix it."""
        return rerun_after(self.error_class) is Rerun.NEVER

    @property
    def is_refusal(self) -> bool:
        """The audit refused the scan."""
        return self.error_class == RefusedError.error_class

    @property
    def is_quiet(self) -> bool:
        """Not a problem: another process holds the account's lease, or the run was told to stop."""
        return exit_code_of(self.error_class) in (LeaseError.exit_code, Interrupted.exit_code)


@dataclass(frozen=True, slots=True)
class PastRuns:
    """An account's Dagster runs since its last publish that ended without one."""

    #: how many failed for good, without a retry by Dagster
    failures: int = 0
    #: how many failed in total, including those retried by Dagster
    tries: int = 0
    #: why the newest of them failed, by Dagster's event log; None also if it failed quietly (`Cause.is_quiet`)
    cause: Cause | None = None
    #: seconds since the newest run ended; infinite if none did
    ended_seconds_ago: float = float("inf")
    #: Dagster is about to retry the newest one
    awaits_retry: bool = False
    #: a person ended the newest one
    is_cancelled: bool = False
    #: seconds since the oldest of them was created; 0 if there are none
    tried_for_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class AccountState:
    """One account: its published state, its newest sync, its Dagster runs since the last publish."""

    status: AccountStatus
    newest: SyncProgress | None
    past: PastRuns
    #: a run is queued or running, or Dagster will retry one
    is_under_way: bool

    @property
    def account(self) -> str:
        """Its name."""
        return self.status.account

    @property
    def cause(self) -> Cause | None:
        """Why the newest run did not publish; None if it did, while one is under way, and if a person cancelled the
        run or discarded its scan.

        From the ledger if the failed run recorded its error there, else from Dagster.
        """
        is_discarded = self.newest is not None and self.newest.is_discarded
        if self.is_under_way or self.past.is_cancelled or is_discarded:
            return None
        by_ledger = _by_ledger(self.newest)
        if self.past.cause is None or (by_ledger is not None and by_ledger.run_id == self.past.cause.run_id):
            return by_ledger
        return self.past.cause


def _by_ledger(newest: SyncProgress | None) -> Cause | None:
    if newest is None or not newest.status.has_failed:
        return None
    message, remedy = newest.error_message or "no reason was recorded", newest.error_remedy or ""
    return Cause(newest.error_class or "", message.rstrip("."), remedy.rstrip("."), newest.dagster_run_id)


# When an account is retried automatically by the sensor `stale_accounts`; incidents wait for that retry.

#: The longest wait between retries of failed runs, and the pause after a person terminated a run.
LONGEST_WAIT_SECONDS = 3600.0
#: A retry that is due starts within this many evaluations of the sensor.
LOOKS = 2


def wait_seconds(failures: int, interval_seconds: float) -> float:
    """The wait after the last of `failures` consecutive failures: it doubles each time, up to an hour."""
    if failures == 0:
        return 0.0
    return min(interval_seconds * 2.0 ** (failures - 1), max(LONGEST_WAIT_SECONDS, interval_seconds))


def needs_a_person(state: AccountState) -> bool:
    """Whether a retry cannot help. After the approval of a refused scan it can."""
    cause = state.cause
    return cause is not None and cause.needs_a_person and not state.status.awaits_publish


def is_behind(state: AccountState, settings: Settings) -> bool:
    """Whether the account needs a run: it is stale, an approved scan waits, or its newest sync did not publish."""
    return is_stale(state.status, settings) or state.status.awaits_publish or _ended_unpublished(state)


def due_seconds(state: AccountState, settings: Settings) -> float:
    """Seconds until `stale_accounts` may start a run; negative if it is overdue, infinite for never."""
    if state.is_under_way or needs_a_person(state) or not is_behind(state, settings):
        return inf
    return _wait_seconds(state, settings) - _ended_seconds_ago(state)


def is_about_to_be_tried_again(state: AccountState, settings: Settings) -> bool:
    """Whether the first attempt failed and an automatic second one is due, at most two evaluations after its wait.

    The limit ensures that a sensor that is switched off does not hide a problem for long.
    """
    late = -LOOKS * settings.monitor_interval_seconds
    return state.past.tries <= 1 and late < due_seconds(state, settings) < inf


def _wait_seconds(state: AccountState, settings: Settings) -> float:
    if state.status.awaits_publish:
        return 0.0
    if state.past.is_cancelled:
        return LONGEST_WAIT_SECONDS
    return wait_seconds(state.past.failures, settings.monitor_interval_seconds)


def _ended_seconds_ago(state: AccountState) -> float:
    """From Dagster, or from the ledger if the run belongs to another installation."""
    error = state.status.last_error
    by_ledger = inf if error is None else max(0.0, (datetime.now(UTC) - error.at).total_seconds())
    return min(state.past.ended_seconds_ago, by_ledger)


def _ended_unpublished(state: AccountState) -> bool:
    newest = state.newest
    return newest is not None and newest.status.has_ended_unpublished and not state.past.is_cancelled
