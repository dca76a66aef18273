"""Why a Dagster run failed, in one line: what its step said, else what Dagster noted of its end."""

from collections.abc import Iterator

import dagster as dg
from dagster._core.errors import DagsterExecutionInterruptedError
from dagster._core.execution.plan.objects import ErrorSource, StepFailureData
from dagster._core.storage.tags import RUN_FAILURE_REASON_TAG

from emag_pipeline import runs
from emag_pipeline.errors import Interrupted
from emag_pipeline.gist import gist
from emag_pipeline.going_on import goes_on
from emag_pipeline.monitoring.standing import Cause
from emag_pipeline.redaction import Redactor
from emag_pipeline.runs import error_words
from emag_pipeline.settings import current

#: The class of the cause where Dagster noted no reason either.
RUN_DIED = "RUN_DIED"
#: The class of an error that has none.
UNKNOWN_ERROR = "UnknownError"
_LONGEST_WORDS = 300
_redact = Redactor(current().secrets)
_LOOK = "Look at the run in Dagster's UI; once its cause is removed, the next run goes on by itself"
_NOTHING = f"Nothing is to be done: the next run {goes_on(None)}"
_REPORT = "This is a defect in the pipeline: report it with this line and the run's log"


def cause_of(instance: dg.DagsterInstance, run: dg.DagsterRun) -> Cause:
    """The cause of a failed run; the class is Dagster's reason where none of our code could say one.

    Such a reason is for example START_TIMEOUT, or RUN_DIED for a process that was killed.
    """
    failures = list(runs.step_failures(instance, run.run_id))
    causes = (*_by_pipeline(failures, run.run_id), *_by_defect(failures, run.run_id))
    if causes:
        return causes[0]
    reason = run.tags.get(RUN_FAILURE_REASON_TAG, RUN_DIED)
    words = f"the run ended before it could say why: {_last_words(instance, run.run_id)}"
    return Cause(reason, words, _LOOK, run.run_id)


def _by_pipeline(failures: list[StepFailureData], run_id: str) -> Iterator[Cause]:
    for failure in failures:
        said = failure.user_failure_data
        if said is not None and "error_class" in said.metadata:
            remedy = str(said.metadata["remedy"].value) if "remedy" in said.metadata else ""
            words = (said.description or "").removesuffix(f" {remedy}.")
            yield Cause(str(said.metadata["error_class"].value), one_line(words), remedy, run_id)


def _by_defect(failures: list[StepFailureData], run_id: str) -> Iterator[Cause]:
    """What nobody foresaw. A signal is none: where the process had no time to say that it was told to stop."""
    for failure in failures:
        if failure.error is None:
            continue
        error = error_words.innermost(failure.error)
        if failure.error_source == ErrorSource.INTERRUPT or error.cls_name == DagsterExecutionInterruptedError.__name__:
            yield Cause(Interrupted.__name__, "the run was told to stop", _NOTHING, run_id)
        else:
            yield Cause(error.cls_name or UNKNOWN_ERROR, one_line(error_words.said(error)), _REPORT, run_id)


def _last_words(instance: dg.DagsterInstance, run_id: str) -> str:
    for entry in instance.all_logs(run_id, of_type={dg.DagsterEventType.RUN_FAILURE}):
        event = entry.get_dagster_event()
        error = getattr(event.event_specific_data, "error", None)
        return one_line(event.message or "" if error is None else error_words.said(error))
    return "Dagster noted no reason"


def one_line(text: str) -> str:
    """A text's gist, without secrets and what no database or terminal takes (NUL, half characters, colours)."""
    said = "".join(letter for letter in gist(text) if letter.isprintable())
    return _redact(said, _LONGEST_WORDS) or "Dagster noted no reason"
