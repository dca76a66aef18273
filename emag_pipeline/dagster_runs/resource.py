"""The resource `pipeline`: gives assets and checks the settings, the database and the context of a step.

It applies `errors.rerun_after` to the step, and passes it to Dagster's run retry by a tag of the run. A run whose step
failed without that tag is not repeated (dagster.yaml), e.g. after a refused audit.

Step retries are requested here and not by a RetryPolicy on the asset: Dagster 1.13 applies a policy to interrupts too,
so that a terminated run would continue, and ignores signals while it sleeps between tries. So the step itself sleeps,
which an interrupt ends, and the retry is requested without a further wait.
"""

import logging
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

import dagster as dg
from dagster._core.storage.tags import RETRY_ON_ASSET_OR_OP_FAILURE_TAG

from emag_pipeline import dagster_runs
from emag_pipeline.dagster_runs.instance import identity_of
from emag_pipeline.databases import attached
from emag_pipeline.errors import PipelineError, Rerun, rerun_after
from emag_pipeline.logs import about, unprinted
from emag_pipeline.settings import Settings, current
from emag_pipeline.settings.redaction import Redactor
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.accounts import require_same_host
from emag_pipeline.sync.context import Progress, SyncContext

# The partition keys: the seller account of offers, the marketplace of reference data.

accounts = dg.StaticPartitionsDefinition([account.name for account in current().accounts])
marketplaces = dg.StaticPartitionsDefinition(current().marketplaces)


# The main events and errors in the run's own log, which the UI shows.
#
# Not through Dagster's `managed_python_loggers`: with these, logging an event would raise if it cannot be stored,
# because Dagster's database is unreachable.

Context = dg.AssetExecutionContext | dg.AssetCheckExecutionContext | dg.OpExecutionContext


class _IntoRunLog(logging.Handler):
    """Writes events to Dagster's event log, as rows of about 1.3 kB; a normal sync has about six."""

    def __init__(self, context: Context) -> None:
        super().__init__(logging.INFO)
        self._context = context

    def emit(self, record: logging.LogRecord) -> None:
        try:
            with unprinted():
                self._context.log.log(record.levelno, record.getMessage())
        except Exception:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """Ignore the error: the line is in the process's log too."""


@contextmanager
def logged_in_the_run(context: Context) -> Iterator[None]:
    """In this context, events from `info` upwards are also in the log of this Dagster run."""
    ours = logging.getLogger("emag_pipeline")
    handler = _IntoRunLog(context)
    ours.addHandler(handler)
    try:
        yield
    finally:
        ours.removeHandler(handler)


#: For steps that call the marketplace, so that an outage of some seconds does not fail a run.
RETRIES = dg.RetryPolicy(max_retries=3, delay=5, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)

_LONGEST_TRACEBACK = 20_000


class Pipeline:
    """Opens what a step needs, and converts its errors to Dagster's."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def database(self) -> AbstractContextManager[Database]:
        """The pipeline's database, with a check of its schema."""
        return attached(self.settings)

    @contextmanager
    def sync(
        self,
        context: Context,
        report: Callable[[Progress], None] = lambda _: None,
        retries: dg.RetryPolicy | None = None,
    ) -> Iterator[SyncContext]:
        """The context of one step of a sync: this run, this partition's account. Errors are converted as in `step`."""
        account = partition_of(context)
        with about(account=account), self.step(context, retries) as database:
            self.settings.require_marketplace()
            require_same_host(database, self.settings.account(account))
            yield SyncContext(
                settings=self.settings,
                database=database,
                account=self.settings.account(account),
                run_id=context.run.run_id,
                run_has_ended=lambda run_id: dagster_runs.has_ended(context.instance, run_id),
                report=report,
                dagster_instance_id=identity_of(context.instance),
                anew=_reads_anew(context.run),
            )

    @contextmanager
    def step(
        self, context: Context, retries: dg.RetryPolicy | None = None, *, is_worth_a_run: bool = True
    ) -> Iterator[Database]:
        """The context of any step: the pipeline's database, and events in the run's own log.

        Errors of the pipeline are raised as Dagster failures, which give the problem and the remedy in one line. With
        `retries`, transient ones are retried according to the policy. A step that is not `is_worth_a_run` never lets
        Dagster repeat the run, whatever the error.
        """
        if (
            context.run.tags.get(RETRY_ON_ASSET_OR_OP_FAILURE_TAG) == "true"
        ):  # a tag copied from the run that this one repeats
            _tell_run_retry(context, Rerun.NEVER)
        try:
            with about(run_id=context.run.run_id), logged_in_the_run(context), self.database() as database:
                yield database
        except PipelineError as error:
            failure = _failure(error)
            rerun = rerun_after(error.error_class) if is_worth_a_run else Rerun.NEVER
            if retries is None or rerun is not Rerun.AT_ONCE or context.retry_number >= retries.max_retries:
                _tell_run_retry(context, rerun)
                raise failure from error
            seconds = retries.calculate_delay(context.retry_number + 1)
            context.log.warning(f"{error.message} Trying again in {seconds:.0f} seconds.")
            time.sleep(seconds)
            raise dg.RetryRequested(max_retries=retries.max_retries, seconds_to_wait=0) from failure
        except Exception as defect:
            _tell_run_retry(context, rerun_after(type(defect).__name__) if is_worth_a_run else Rerun.NEVER)
            _keep_secrets(defect, self.settings)
            raise


def partition_of(context: Context) -> str:
    """The run's partition. A run without one, which the UI's `Execute all` starts for checks, fails with a message."""
    if not context.has_partition_key:
        what = "This run is of no partition. Materialise the asset for the partition instead: its checks run with it."
        raise dg.Failure(what, allow_retries=False)
    return str(context.partition_key)


def _reads_anew(run: dg.DagsterRun) -> bool:
    """Whether reading from scratch was requested; a run repeated by Dagster resumes what the first one has read."""
    return run.tags.get(dagster_runs.ANEW_TAG) == "true" and run.parent_run_id is None


def _tell_run_retry(context: Context, rerun: Rerun) -> None:
    """Record whether Dagster may repeat this run if its step fails; crashes and timeouts are always repeated."""
    allowed = str(rerun is not Rerun.NEVER).lower()
    with suppress(Exception):  # Dagster's storage is unreachable: the error of the step is more important
        context.instance.add_run_tags(context.run.run_id, {RETRY_ON_ASSET_OR_OP_FAILURE_TAG: allowed})


def _keep_secrets(defect: Exception, settings: Settings) -> None:
    """Raise a failure without secrets if the defect's traceback, which Dagster would store, contains any."""
    redact = Redactor(settings.secrets)
    trace = "".join(traceback.format_exception(defect))
    if redact.finds(trace):
        what = f"{type(defect).__name__}: this is a defect in the pipeline: report it with its traceback"
        raise dg.Failure(what, metadata={"traceback": redact(trace, _LONGEST_TRACEBACK)}, allow_retries=False) from None


def _failure(error: PipelineError) -> dg.Failure:
    metadata = {"error_class": error.error_class, "remedy": error.remedy or "none"}
    return dg.Failure(error.message, metadata=metadata, allow_retries=False)
