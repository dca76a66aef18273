"""What an examination found: one line each, with what to do about it."""

from dataclasses import dataclass
from enum import StrEnum

from emag_pipeline.errors import DatabaseUnavailable, PipelineError, TransientError
from emag_pipeline.operations.load import busy_words


class Verdict(StrEnum):
    """How bad it is. Something broken keeps the pipeline from working; a warning will, or may.

    What could not be looked at is neither: nobody knows how it is.
    """

    OK = "ok"
    WARNING = "warning"
    NOT_EXAMINED = "not examined"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line. `subject` names what was looked at, `what` says in a sentence how it is; no secret in either.

    `remedy` is what to do, one sentence or more without the closing full stop; empty where nothing is to be done.
    """

    subject: str
    verdict: Verdict
    what: str
    remedy: str = ""


def ok(subject: str, what: str) -> Finding:
    """Nothing to do."""
    return Finding(subject, Verdict.OK, what)


def warning(subject: str, what: str, remedy: str) -> Finding:
    """It works, and should not be left so."""
    return Finding(subject, Verdict.WARNING, what, remedy)


def broken(subject: str, what: str, remedy: str) -> Finding:
    """It keeps the pipeline from working."""
    return Finding(subject, Verdict.BROKEN, what, remedy)


def not_examined(subject: str, what: str, remedy: str) -> Finding:
    """There was no answer in the time that the look has; `remedy` is what to do if that stays so."""
    busy = busy_words()
    again = f"Run `emag-pipeline doctor` again{' when it is less so' if busy else ''}"
    why = f"{what}: {busy}" if busy else what
    return Finding(subject, Verdict.NOT_EXAMINED, why, f"{again}; if it stays so: {remedy}")


def of_error(subject: str, error: PipelineError, verdict: Verdict = Verdict.BROKEN) -> Finding:
    """An error of the pipeline as a finding; one that says only that no answer came in time leaves all open."""
    what = ": ".join(part for part in (error.what, error.why) if part)
    is_frozen = isinstance(error, DatabaseUnavailable) and error.is_frozen
    if isinstance(error, TransientError) and error.is_late and not is_frozen:
        return not_examined(subject, what, error.remedy)
    return Finding(subject, verdict, what, error.remedy)
