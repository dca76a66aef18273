"""How an account stands, by the ledger and by what Dagster knows of its runs: what sensors and incidents judge by."""

from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf

from emag_pipeline.errors import Interrupted, LeaseError, RefusedError, Rerun, exit_code_of, rerun_after
from emag_pipeline.settings import Settings
from emag_pipeline.sync.status import AccountStatus, SyncProgress
from emag_pipeline.wording import age

# How old is what readers see? As old as the oldest page of the last publish; when it was published does not matter.
#
# A sync may be resumed long after its first pages were read. And one that reads for hours is that old when it
# publishes: so what counts as stale is at least twice the time that the last scan took.

_SCANS = 2.0
#: Older than from this far ahead: the clock was set back since, and nobody knows how old it is.
_AHEAD_SECONDS = 60.0
#: Pages that are this much older than a publish are told of besides.
_NOTABLE_SECONDS = 60.0


def bound_seconds(scan_seconds: float | None, settings: Settings) -> float:
    """The age from which on an account is stale: EMAG_SYNC_STALE_AFTER_HOURS, or twice its last scan's length."""
    return max(settings.stale_after_hours * 3600, _SCANS * (scan_seconds or 0.0))


def is_stale(status: AccountStatus, settings: Settings) -> bool:
    """Whether the account was never published, or what it published is too old."""
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
    """What is allowed and why, e.g. `6 hours are allowed (EMAG_SYNC_STALE_AFTER_HOURS)`."""
    seconds = bound_seconds(status.scan_seconds, settings)
    why = "EMAG_SYNC_STALE_AFTER_HOURS" if seconds == settings.stale_after_hours * 3600 else "twice its last scan"
    hours = f"{seconds / 3600:.3g}"
    return f"{'1 hour is' if hours == '1' else f'{hours} hours are'} allowed ({why})"


@dataclass(frozen=True, slots=True)
class Cause:
    """Why an account was not published: an error's class, its words without the remedy, the Dagster run if known."""

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
        """The audit said no."""
        return self.error_class == RefusedError.error_class

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
class AccountStanding:
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
    if newest is None or not newest.status.has_failed:
        return None
    message, remedy = newest.error_message or "no reason was noted", newest.error_remedy or ""
    return Cause(newest.error_class or "", message.rstrip("."), remedy.rstrip("."), newest.dagster_run_id)


# When an account is tried again by itself: what the sensor `stale_accounts` does next, and what incidents wait for.

#: Runs that fail are repeated at least this often; it is also how long a person's Terminate is respected.
LONGEST_WAIT_SECONDS = 3600.0
#: A try that is due begins with the sensor's next look but one at the latest.
LOOKS = 2


def wait_seconds(failures: int, interval_seconds: float) -> float:
    """How long after the last of so many failures in a row the next run may start: doubling, up to an hour."""
    if failures == 0:
        return 0.0
    return min(interval_seconds * 2.0 ** (failures - 1), max(LONGEST_WAIT_SECONDS, interval_seconds))


def needs_a_person(standing: AccountStanding) -> bool:
    """Whether a retry cannot fix what is wrong; an approved refusal is mended by the next one."""
    cause = standing.cause
    return cause is not None and cause.needs_a_person and not standing.status.awaits_publish


def is_behind(standing: AccountStanding, settings: Settings) -> bool:
    """Whether the account wants a run: it is stale, an approved scan waits, or its newest sync did not publish."""
    return is_stale(standing.status, settings) or standing.status.awaits_publish or _ended_unpublished(standing)


def due_seconds(standing: AccountStanding, settings: Settings) -> float:
    """In how many seconds `stale_accounts` may start a run; below 0 when it could have, and infinite for never."""
    if standing.is_under_way or needs_a_person(standing) or not is_behind(standing, settings):
        return inf
    return _wait_seconds(standing, settings) - _ended_seconds_ago(standing)


def is_about_to_be_tried_again(standing: AccountStanding, settings: Settings) -> bool:
    """Whether the first try failed and the second is due by itself: within the wait and two looks of the sensor.

    Bounded, so that a sensor that is switched off hides nothing for long.
    """
    late = -LOOKS * settings.monitor_interval_seconds
    return standing.past.tries <= 1 and late < due_seconds(standing, settings) < inf


def _wait_seconds(standing: AccountStanding, settings: Settings) -> float:
    if standing.status.awaits_publish:
        return 0.0
    if standing.past.is_cancelled:
        return LONGEST_WAIT_SECONDS
    return wait_seconds(standing.past.failures, settings.monitor_interval_seconds)


def _ended_seconds_ago(standing: AccountStanding) -> float:
    """By Dagster, or by the ledger where the run is another installation's."""
    error = standing.status.last_error
    by_ledger = inf if error is None else max(0.0, (datetime.now(UTC) - error.at).total_seconds())
    return min(standing.past.ended_seconds_ago, by_ledger)


def _ended_unpublished(standing: AccountStanding) -> bool:
    newest = standing.newest
    return newest is not None and newest.status.has_ended_unpublished and not standing.past.is_cancelled
