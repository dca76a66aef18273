"""Every error of the project, sorted by one question: can a retry help?

Retries, exit codes and alerts follow from the type. Messages are built from four short parts; neither payloads nor
secrets belong in any of them.
"""

import errno
from collections.abc import Iterator, Sequence
from enum import Enum, StrEnum
from typing import ClassVar


class Rerun(Enum):
    """Whether a retry can help. Every retry decides by `rerun_after` alone.

    The step itself retries AT_ONCE errors. Dagster's run retry and the sensor `stale_accounts` start another run after
    every error except NEVER.
    """

    AT_ONCE = "the same step may succeed in seconds"
    AS_A_NEW_RUN = "a new run can resume or start from scratch; this one cannot continue"
    NEVER = "a person must change or decide something first"


class PipelineError(Exception):
    """What happened, where (account, page), why, and what to do about it.

    Every part is one sentence or less, without a closing full stop.
    """

    #: the name used in the ledger, the metrics and the request log
    error_class: ClassVar[str] = "PipelineError"
    rerun: ClassVar[Rerun] = Rerun.NEVER
    exit_code: ClassVar[int] = 5
    #: the staged pages cannot be used after this error: the next run starts from scratch
    spoils_staging: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        cls.error_class = cls.__name__

    def __init__(self, what: str, *, where: str = "", why: str = "", remedy: str = "") -> None:
        self.what = what
        self.where = where
        self.why = why
        self.remedy = remedy
        super().__init__(self.message)

    @property
    def cause(self) -> str:
        """The error without its remedy: `where: what: why`."""
        return ": ".join(part for part in (self.where, self.what, self.why) if part)

    @property
    def message(self) -> str:
        """The error in one line: `where: what: why. Remedy.`"""
        return f"{self.cause}. {self.remedy}." if self.remedy else f"{self.cause}."


class TransientError(PipelineError):
    """A retry can help, soon: network, 5xx, 429, deadlock, database unreachable."""

    rerun = Rerun.AT_ONCE
    exit_code = 1

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        why: str = "",
        remedy: str = "",
        wait_seconds: float | None = None,
        is_late: bool = False,
    ) -> None:
        super().__init__(what, where=where, why=why, remedy=remedy)
        #: how long the other side asked us to wait, if it did
        self.wait_seconds = wait_seconds
        #: the call timed out and nothing else is known: the other side may only be busy
        self.is_late = is_late


#: Attempts per page size if the response was too slow or incomplete.
SLOW_TRIES = 2
#: Attempts per page size after any other failure.
PAGE_TRIES = 5


class ApiUnavailable(TransientError):
    """No usable response: refused, reset, timed out, 5xx, HTML, truncated JSON, isError without a cause."""

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        why: str = "",
        remedy: str = "",
        wait_seconds: float | None = None,
        is_late: bool = False,
        page_tries: int = PAGE_TRIES,
        rows_too_many: int = 0,
    ) -> None:
        super().__init__(what, where=where, why=why, remedy=remedy, wait_seconds=wait_seconds, is_late=is_late)
        #: number of rows on the page beyond the requested size
        self.rows_too_many = rows_too_many
        #: number of attempts at one page size before a smaller size is tried
        self.page_tries = page_tries

    @property
    def is_slow(self) -> bool:
        """The response took too long or was cut off, possibly because the page is too large."""
        return self.page_tries == SLOW_TRIES

    @property
    def is_too_long(self) -> bool:
        """The page holds more rows than requested."""
        return self.page_tries == 1


class RateLimited(TransientError):
    """HTTP 429: the marketplace counted more calls than the rate budget did."""


class CallAborted(TransientError):
    """`Marketplace.abort` ended the call or prevented it: this process is stopping."""


class DatabaseUnavailable(TransientError):
    """The connection was lost or refused, or the transaction was a deadlock's victim."""

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        why: str = "",
        remedy: str = "",
        is_late: bool = False,
        is_away: bool = False,
        is_frozen: bool = False,
    ) -> None:
        super().__init__(what, where=where, why=why, remedy=remedy, is_late=is_late)
        #: it does not respond because its processes are stopped (SIGSTOP), not because it is busy
        self.is_frozen = is_frozen
        #: the whole server is unreachable, so every other read from it fails as well
        self.is_away = is_away


class SyncTimedOut(TransientError):
    """The sync ran longer than EMAG_SYNC_TIMEOUT_HOURS; the next run begins a new sync."""

    rerun = Rerun.AS_A_NEW_RUN
    spoils_staging = True


class StagingLost(TransientError):
    """The staged pages are lost or outdated; the next run starts from scratch.

    A crash of the database empties unlogged tables; or the published rows they were compared with have changed.
    """

    rerun = Rerun.AS_A_NEW_RUN
    spoils_staging = True


class ScanNotProven(TransientError):
    """The pages read do not prove that the scan is complete: the marketplace's responses contradict each other."""

    rerun = Rerun.AS_A_NEW_RUN
    spoils_staging = True


class PermanentError(PipelineError):
    """A retry cannot help until a person changes something."""


class SettingsError(PermanentError):
    """Wrong settings or wrong usage: names the variable, the masked value and the allowed values."""

    exit_code = 2
    #: the single errors, if there is more than one
    problems: "Sequence[SettingsError]" = ()

    @classmethod
    def of_all(cls, problems: "Sequence[SettingsError]") -> "SettingsError":
        """Combine several errors into one with a line for each; a single error is returned unchanged."""
        if len(problems) == 1:
            return problems[0]
        together = cls("\n".join(problem.message for problem in problems).removesuffix("."))
        together.problems = tuple(problems)
        return together


class AccessRefused(PermanentError):
    """The marketplace refuses the credentials or this machine's address."""


class RequestRefused(PermanentError):
    """The marketplace understood the call and rejected it."""


class ParametersIgnored(PermanentError):
    """The marketplace ignores pagination or filters, so no scan can be complete."""

    spoils_staging = True


class PageBoundExceeded(PermanentError):
    """The catalogue is larger than EMAG_SYNC_MAX_PAGES allows; nothing was read."""


class SchemaMismatch(PermanentError):
    """The database's schema is newer than the code, or was never migrated."""


class RefusedError(PipelineError):
    """The audit refuses to publish; a person decides."""

    exit_code = 3


class LeaseError(PipelineError):
    """Another process holds the account's lease: stop without an alert."""

    exit_code = 4


class AnotherSyncRunning(LeaseError):
    """A living sync holds the account's lease."""


class LeaseLost(LeaseError):
    """Another run took over this run's lease; this run has written nothing since."""


class Interrupted(BaseException):
    """SIGTERM, SIGINT or Terminate in the UI. Resumable.

    Derives from BaseException so that no broad `except Exception` swallows a signal.
    """

    error_class: ClassVar[str] = "Interrupted"
    exit_code: ClassVar[int] = 130
    #: whether the user has already seen a message about it
    is_told = False


def rerun_after(error_class: str) -> Rerun:
    """Whether a retry can help after an error of this class: the single rule for all retries.

    By name, because the ledger and the run log store names. After any class unknown to this project (an interrupt, a
    dead owner, a crash, a defect) another run is started.
    """
    known = named(error_class)
    return Rerun.AS_A_NEW_RUN if known is None else known.rerun


class EndFromOutside(StrEnum):
    """Error classes of syncs that were ended from outside; only the first is also raised."""

    #: a signal, or a person
    INTERRUPTED = Interrupted.error_class
    #: its process is gone or sends no heartbeat, or its Dagster run has ended
    OWNER_DIED = "OwnerDied"
    #: alive without progress
    STUCK_SYNC = "StuckSync"


def is_passing(error_class: str) -> bool:
    """Whether the same work may succeed later without a change: after a temporary fault or an interruption.

    By name, like `rerun_after`. Anything else (a refusal, a defect) would meet the same data and fail the same way.
    """
    return error_class in set(EndFromOutside) or rerun_after(error_class) is Rerun.AT_ONCE


def is_defect(error_class: str) -> bool:
    """Whether the class is neither an error of this project nor an `EndFromOutside`: a bug in this code."""
    return named(error_class) is None and error_class not in set(EndFromOutside)


def spoils_staging(error_class: str) -> bool:
    """Whether the staged pages cannot be used after an error of this class (by name, like `rerun_after`)."""
    known = named(error_class)
    return known is not None and known.spoils_staging


def exit_code_of(error_class: str) -> int:
    """The exit code for an error class name; 1 for a name unknown to this project."""
    if error_class == Interrupted.error_class:
        return Interrupted.exit_code
    known = named(error_class)
    return 1 if known is None else known.exit_code


def named(error_class: str) -> type[PipelineError] | None:
    """The project's error class with this name, or None."""
    return next((kind for kind in _with_subclasses(PipelineError) if kind.error_class == error_class), None)


def _with_subclasses(kind: type[PipelineError]) -> Iterator[type[PipelineError]]:
    yield kind
    for narrower in kind.__subclasses__():
        yield from _with_subclasses(narrower)


# What a failed system call on a file means: a temporary shortage, or something that a person must change?

#: Temporary shortages: disk space, memory, open files.
_PASSING = {errno.ENOSPC, errno.EDQUOT, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.EAGAIN}


def passes(error: OSError) -> bool:
    """Whether the same call may succeed later without a change of settings or permissions."""
    return error.errno in _PASSING


def of_os_error(error: OSError, what: str, *, where: str = "", remedy: str, wrong: bool = False) -> PipelineError:
    """The error to raise: TransientError if a resource ran out, else PermanentError (SettingsError if `wrong`).

    `remedy` applies to the latter two; `wrong` means that a person chose the path.
    """
    why = error.strerror or str(error)
    if passes(error):
        return TransientError(what, where=where, why=why, remedy="Free disk space or memory, then try again")
    kind = SettingsError if wrong else PermanentError
    return kind(what, where=where, why=why, remedy=remedy)
