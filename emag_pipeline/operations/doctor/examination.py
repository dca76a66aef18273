"""Examinations beside each other, each with a time of its own: one that fails or hangs is a finding, never the end."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from emag_pipeline.errors import DatabaseUnavailable, PipelineError
from emag_pipeline.operations.doctor.finding import Finding, broken, not_examined, of_error


@dataclass(frozen=True, slots=True)
class Examination:
    """Something to look at. `look` yields its findings; `if_silent` says what to do when it takes too long again."""

    subject: str
    seconds: float
    look: Callable[[], Iterable[Finding]]
    if_silent: str = "look at this machine's load and its disk"


#: What an examination gets although its time is over: where the whole machine stood still, it had none of it.
_LAST_CHANCE_SECONDS = 0.5


class Begun:
    """An examination under way, in a thread that keeps no process alive."""

    def __init__(self, examination: Examination) -> None:
        self._examination = examination
        self._until = time.monotonic() + examination.seconds
        self._found: list[Finding] = []
        #: it did not come to its end
        self.is_cut_short = False
        self._thread = threading.Thread(target=self._look, name=f"doctor-{examination.subject}", daemon=True)
        self._thread.start()

    def findings(self) -> list[Finding]:
        """What it has found; waits for it, at most until its time is over."""
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
        except Exception as error:  # a defect here must not hide what the others find
            self._found.append(_failed(subject, error))
            self.is_cut_short = True


def _failed(subject: str, error: Exception) -> Finding:
    """Only the error's kind and place: its text may hold anything."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" at {trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""
    what = f"the examination itself failed: {type(error).__name__}{place}"
    return broken(subject, what, "This is a defect in the doctor: report it with this line")
