"""Every error of the project, sorted by one question: can a retry help?

Retries, exit codes and alerts follow from the type. Messages are built from four short parts; neither payloads nor
secrets belong in any of them.
"""

import errno
from collections.abc import Iterator, Sequence
from enum import Enum, StrEnum
from typing import ClassVar


class Rerun(Enum):
    """Whether doing it again can help. Every retry, wherever it is, asks `rerun_after` for this and for nothing else.

    The step tries again by itself after what may pass AT_ONCE; Dagster's run retry and the sensor `stale_accounts`
    start another run after everything but NEVER.
    """

    AT_ONCE = "the same step may succeed in seconds"
    AS_A_NEW_RUN = "another run begins anew, or goes on, where this one cannot"
    NEVER = "a person must change or decide something first"


class PipelineError(Exception):
    """What happened, where (account, page), why, and what to do about it.

    Every part is one sentence or less, without a closing full stop.
    """

    #: the name under which ledger, metrics and request log count this kind of error
    error_class: ClassVar[str] = "PipelineError"
    rerun: ClassVar[Rerun] = Rerun.NEVER
    exit_code: ClassVar[int] = 5
    #: what the scan has staged is worth nothing after it, so that the next run reads anew
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
        """What is wrong, without what to do: `where: what: why`."""
        return ": ".join(part for part in (self.where, self.what, self.why) if part)

    @property
    def message(self) -> str:
        """The error in one line: `where: what: why. Remedy.`"""
        return f"{self.cause}. {self.remedy}." if self.remedy else f"{self.cause}."


class TransientError(PipelineError):
    """A retry can help, soon: network, 5xx, 429, deadlock, database away."""

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
        #: how long the other side asked to be left alone, if it said so
        self.wait_seconds = wait_seconds
        #: no answer came in the time that was allowed, and nothing else is known: the other side may only be busy
        self.is_late = is_late


#: Tries of a page at one size when its answer was too slow or incomplete.
SLOW_TRIES = 2
#: Tries of a page at one size after any other failure.
PAGE_TRIES = 5


class ApiUnavailable(TransientError):
    """No trustworthy answer: refused, reset, timed out, 5xx, HTML, cut-off JSON, isError without a cause."""

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
        #: by which the page holds more than were asked for
        self.rows_too_many = rows_too_many
        #: how often a page may be asked for at the same size before a smaller one is tried
        self.page_tries = page_tries

    @property
    def is_slow(self) -> bool:
        """The answer took too long or was cut off, so the size of the page may be why."""
        return self.page_tries == SLOW_TRIES

    @property
    def is_too_long(self) -> bool:
        """The page holds more rows than were asked for."""
        return self.page_tries == 1


class RateLimited(TransientError):
    """HTTP 429: the marketplace counts more calls than the rate budget did."""


class CallAborted(TransientError):
    """`Marketplace.abort` ended the call, or came before it: this process is stopping."""


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
        #: it is late because its processes are stopped (SIGSTOP): that is known, and no matter of how busy it is
        self.is_frozen = is_frozen
        #: the whole server was not reached: what is read of it in that very database is over
        self.is_away = is_away


class SyncTimedOut(TransientError):
    """The sync's time is over (EMAG_SYNC_TIMEOUT_HOURS); the next run begins a new one."""

    rerun = Rerun.AS_A_NEW_RUN
    spoils_staging = True


class StagingLost(TransientError):
    """The staged pages are gone: a crash of the database empties unlogged tables. The next run reads anew.

    Or what they were compared with has been changed by somebody else.
    """

    rerun = Rerun.AS_A_NEW_RUN
    spoils_staging = True


class ScanNotProven(TransientError):
    """What was read does not prove that nothing is left out: the marketplace contradicts itself."""

    rerun = Rerun.AS_A_NEW_RUN
    spoils_staging = True


class PermanentError(PipelineError):
    """No retry can help before a person changes something."""


class SettingsError(PermanentError):
    """Wrong settings or wrong usage: names the variable, the masked value, what is allowed."""

    exit_code = 2
    #: what is wrong, one by one, where it is more than one thing
    problems: "Sequence[SettingsError]" = ()

    @classmethod
    def of_all(cls, problems: "Sequence[SettingsError]") -> "SettingsError":
        """One error that has a line for each of several; a single one stays as it is."""
        if len(problems) == 1:
            return problems[0]
        together = cls("\n".join(problem.message for problem in problems).removesuffix("."))
        together.problems = tuple(problems)
        return together


class AccessRefused(PermanentError):
    """The marketplace refuses the credentials or this machine's address."""


class RequestRefused(PermanentError):
    """The marketplace understood the call and says that it is wrong."""


class ParametersIgnored(PermanentError):
    """The marketplace answers, but pays no attention to pagination or filters: no scan of it can be complete."""

    spoils_staging = True


class PageBoundExceeded(PermanentError):
    """The catalogue is larger than EMAG_SYNC_MAX_PAGES allows; nothing was read."""


class SchemaMismatch(PermanentError):
    """The database's schema is newer than the code, or was never migrated."""


class RefusedError(PipelineError):
    """The audit refuses to publish; a person decides."""

    exit_code = 3


class LeaseError(PipelineError):
    """Somebody else has the right to write for the account: stop quietly."""

    exit_code = 4


class AnotherSyncRunning(LeaseError):
    """A living sync holds the account's lease."""


class LeaseLost(LeaseError):
    """This run's lease was taken over; it wrote nothing since."""


class Interrupted(BaseException):
    """SIGTERM, SIGINT or Terminate in the UI. Resumable.

    Derives from BaseException so that no broad `except Exception` eats a signal.
    """

    error_class: ClassVar[str] = "Interrupted"
    exit_code: ClassVar[int] = 130
    #: whether a person was told of it already, with what follows from it
    is_told = False


def rerun_after(error_class: str) -> Rerun:
    """Whether a retry can help after an error of this class: the one rule of every retry.

    By name, because that is what ledger and run log keep. A name that is not of this project (an interrupt, a dead
    owner, a crash, a defect) is worth another run.
    """
    known = named(error_class)
    return Rerun.AS_A_NEW_RUN if known is None else known.rerun


class EndFromOutside(StrEnum):
    """The error classes of syncs that nothing in the work itself ended; only the first is also raised."""

    #: a signal, or a person
    INTERRUPTED = Interrupted.error_class
    #: its process is gone or silent, or its Dagster run is over
    OWNER_DIED = "OwnerDied"
    #: alive without progress
    STUCK_SYNC = "StuckSync"


def is_passing(error_class: str) -> bool:
    """Whether the very same work may succeed later: after a fault that passes by itself, and after an interruption.

    By name, as `rerun_after`. Anything else - a refusal, a defect - would meet the same data and end the same way.
    """
    return error_class in set(EndFromOutside) or rerun_after(error_class) is Rerun.AT_ONCE


def is_defect(error_class: str) -> bool:
    """Whether the name is of no error of this project and of no end from outside: something here is wrong."""
    return named(error_class) is None and error_class not in set(EndFromOutside)


def spoils_staging(error_class: str) -> bool:
    """Whether nothing that the scan has staged may be gone on with after an error of this class. By name, see above."""
    known = named(error_class)
    return known is not None and known.spoils_staging


def exit_code_of(error_class: str) -> int:
    """The exit code of an error that is known by its class name only; 1 for a name that is not of this project."""
    if error_class == Interrupted.error_class:
        return Interrupted.exit_code
    known = named(error_class)
    return 1 if known is None else known.exit_code


def named(error_class: str) -> type[PipelineError] | None:
    """The error of this project that has this name; None for any other name."""
    return next((kind for kind in _with_subclasses(PipelineError) if kind.error_class == error_class), None)


def _with_subclasses(kind: type[PipelineError]) -> Iterator[type[PipelineError]]:
    yield kind
    for narrower in kind.__subclasses__():
        yield from _with_subclasses(narrower)


# What a failed system call on a file means: may it pass by itself, or must a person do something?

#: The machine lacks something at the moment: room on the disk, memory, open files.
_PASSING = {errno.ENOSPC, errno.EDQUOT, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.EAGAIN}


def passes(error: OSError) -> bool:
    """Whether the same call may succeed later although nobody changed any setting or right."""
    return error.errno in _PASSING


def of_os_error(error: OSError, what: str, *, where: str = "", remedy: str, wrong: bool = False) -> PipelineError:
    """The error to raise: TransientError where room or memory ran out, else PermanentError (SettingsError if `wrong`).

    `remedy` is for the latter; `wrong` says that the path was a person's choice.
    """
    why = error.strerror or str(error)
    if passes(error):
        return TransientError(what, where=where, why=why, remedy="Make room; what was under way goes on then")
    kind = SettingsError if wrong else PermanentError
    return kind(what, where=where, why=why, remedy=remedy)
