"""How old is what readers see? As old as the oldest page of the last publish; when it was published does not matter.

A sync may be resumed long after its first pages were read. And one that reads for hours is that old when it publishes:
so what counts as stale is at least twice the time that the last scan took.
"""

from typing import Protocol

from emag_pipeline.db.status import AccountStatus
from emag_pipeline.durations import age
from emag_pipeline.settings import Settings

_SCANS = 2.0
#: Older than from this far ahead: the clock was set back since, and nobody knows how old it is.
_AHEAD_SECONDS = 60.0
#: Pages that are this much older than a publish are told of besides.
_NOTABLE_SECONDS = 60.0


class _Scanned(Protocol):
    """What knows how long an account's last scan took, None before the first one."""

    @property
    def scan_seconds(self) -> float | None: ...


def bound_seconds(status: _Scanned, settings: Settings) -> float:
    """The age from which on the account is stale: EMAG_SYNC_STALE_AFTER_HOURS, or twice its last scan's length."""
    return max(settings.stale_after_hours * 3600, _SCANS * (status.scan_seconds or 0.0))


def is_stale(status: AccountStatus, settings: Settings) -> bool:
    """Whether the account was never published, or what it published is too old."""
    return status.age_seconds is None or not -_AHEAD_SECONDS <= status.age_seconds <= bound_seconds(status, settings)


def published_words(status: AccountStatus) -> str:
    """When the account was published, e.g. `published 5 minutes ago`, `… from pages read 3 hours ago`."""
    if status.age_seconds is None or status.published_seconds_ago is None:
        return "was never published"
    published = f"published {age(status.published_seconds_ago)} ago"
    pause = status.age_seconds - status.published_seconds_ago - (status.scan_seconds or 0.0)
    return f"{published} from pages read {age(status.age_seconds)} ago" if pause > _NOTABLE_SECONDS else published


def bound_words(status: AccountStatus, settings: Settings) -> str:
    """What is allowed and why, e.g. `6 hours are allowed (EMAG_SYNC_STALE_AFTER_HOURS)`."""
    seconds = bound_seconds(status, settings)
    why = "EMAG_SYNC_STALE_AFTER_HOURS" if seconds == settings.stale_after_hours * 3600 else "twice its last scan"
    hours = f"{seconds / 3600:.3g}"
    return f"{'1 hour is' if hours == '1' else f'{hours} hours are'} allowed ({why})"
