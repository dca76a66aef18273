"""Findings, one line each with its remedy, and the examinations that produce them."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from emag_pipeline.errors import DatabaseUnavailable, PipelineError, TransientError
from emag_pipeline.local.child import busy_words


class Verdict(StrEnum):
    """How bad it is. Something broken keeps the pipeline from working; a warning will or may do so.

    What could not be examined is neither: its state is unknown.
    """

    OK = "ok"
    WARNING = "warning"
    NOT_EXAMINED = "not examined"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line. `subject` names what was examined, `what` describes its state in a sentence; neither holds a secret.

    `remedy` is what to do, one sentence or more without the closing full stop; empty if there is nothing to do.
    """

    subject: str
    verdict: Verdict
    what: str
    remedy: str = ""


def ok(subject: str, what: str) -> Finding:
    """Nothing to do."""
    return Finding(subject, Verdict.OK, what)


def warning(subject: str, what: str, remedy: str) -> Finding:
    """It works, but should not be left like this."""
    return Finding(subject, Verdict.WARNING, what, remedy)


def broken(subject: str, what: str, remedy: str) -> Finding:
    """It keeps the pipeline from working."""
    return Finding(subject, Verdict.BROKEN, what, remedy)


def not_examined(subject: str, what: str, remedy: str) -> Finding:
    """There was no answer within the examination's time limit; `remedy` is what to do if that happens again."""
    busy = busy_words()
    again = f"Run `emag-pipeline doctor` again{' when it is less busy' if busy else ''}"
    why = f"{what}: {busy}" if busy else what
    return Finding(subject, Verdict.NOT_EXAMINED, why, f"{again}; if that does not help: {remedy}")


def of_error(subject: str, error: PipelineError, verdict: Verdict = Verdict.BROKEN) -> Finding:
    """An error of the pipeline as a finding; one that only says that no answer came in time proves nothing."""
    what = ": ".join(part for part in (error.what, error.why) if part)
    is_frozen = isinstance(error, DatabaseUnavailable) and error.is_frozen
    if isinstance(error, TransientError) and error.is_late and not is_frozen:
        return not_examined(subject, what, error.remedy)
    return Finding(subject, verdict, what, error.remedy)


# Concurrent examinations, each with its own time limit: one that fails or hangs becomes a finding.


@dataclass(frozen=True, slots=True)
class Examination:
    """Something to examine. `look` yields its findings; `if_silent` says what to do if it takes too long again."""

    subject: str
    seconds: float
    look: Callable[[], Iterable[Finding]]
    if_silent: str = "check this machine's load and disk"


#: Extra time after the limit: if the whole machine was suspended, the limit passed without any work.
_LAST_CHANCE_SECONDS = 0.5


class Begun:
    """An examination under way, in a daemon thread."""

    def __init__(self, examination: Examination) -> None:
        self._examination = examination
        self._until = time.monotonic() + examination.seconds
        self._found: list[Finding] = []
        #: it did not finish
        self.is_cut_short = False
        self._thread = threading.Thread(target=self._look, name=f"doctor-{examination.subject}", daemon=True)
        self._thread.start()

    def findings(self) -> list[Finding]:
        """Its findings; waits for them, at most until its time is over."""
        self._thread.join(max(_LAST_CHANCE_SECONDS, self._until - time.monotonic()))
        found = list(self._found)
        if self._thread.is_alive():
            self.is_cut_short = True
            silent = f"no answer within {self._examination.seconds:g} seconds"
            found.append(not_examined(self._examination.subject, silent, self._examination.if_silent))
        return found

    def _look(self) -> None:
        subject = self._examination.subject
        try:
            for finding in self._examination.look():
                self._found.append(finding)
        except PipelineError as error:
            self._found.append(of_error(subject, error))
            self.is_cut_short = isinstance(error, DatabaseUnavailable)
        except Exception as error:  # a bug here must not hide the findings of the others
            self._found.append(_failed(subject, error))
            self.is_cut_short = True


def _failed(subject: str, error: Exception) -> Finding:
    """Only the error's class and place: its text may hold anything."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" at {trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""
    what = f"the examination itself failed: {type(error).__name__}{place}"
    return broken(subject, what, "This is a bug in `emag-pipeline doctor`: report it with this line")
