"""Dagster's runs that have ended: which failed finally, whether a retry will follow, and their removal."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster._core.definitions.reconstruct import ReconstructableRepository
from dagster._core.event_api import PartitionKeyFilter
from dagster._core.execution.plan.objects import ErrorSource, StepFailureData
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._core.storage.tags import (
    AUTO_RETRY_RUN_ID_TAG,
    MAX_RETRIES_TAG,
    RUN_FAILURE_REASON_TAG,
    WILL_RETRY_TAG,
)

from emag_pipeline import dagster_runs
from emag_pipeline.dagster_runs import daemon
from emag_pipeline.errors import Interrupted
from emag_pipeline.settings import current
from emag_pipeline.settings.redaction import Redactor
from emag_pipeline.sync.account_health import Cause, PastRuns
from emag_pipeline.wording import gist, goes_on

# Why a Dagster run failed, in one line: its step's error, else what Dagster recorded about its end.

#: The class of the cause if Dagster recorded no reason either.
RUN_DIED = "RUN_DIED"
#: The class of an error that has none.
UNKNOWN_ERROR = "UnknownError"
_LONGEST_WORDS = 300
_redact = Redactor(current().secrets)
_LOOK = "Look at the run in Dagster's UI; once its cause is removed, the next run resumes automatically"
_NOTHING = f"No action needed: the next run {goes_on(None)}"
_REPORT = "This is a bug in the pipeline: report it with this line and the run's log"


def cause_of(instance: dg.DagsterInstance, run: dg.DagsterRun) -> Cause:
    """The cause of a failed run; the class is Dagster's reason if our code could not record one.

    Such a reason is for example START_TIMEOUT, or RUN_DIED for a killed process.
    """
    failures = list(dagster_runs.step_failures(instance, run.run_id))
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
    """Unexpected errors, but not those that a signal caused before the process could record that it was stopped."""
    for failure in failures:
        if failure.error is None:
            continue
        error = daemon.innermost(failure.error)
        if (
            failure.error_source == ErrorSource.INTERRUPT
            or error.cls_name == dg.DagsterExecutionInterruptedError.__name__
        ):
            yield Cause(Interrupted.__name__, "the run was told to stop", _NOTHING, run_id)
        else:
            yield Cause(error.cls_name or UNKNOWN_ERROR, one_line(daemon.said(error)), _REPORT, run_id)


def _last_words(instance: dg.DagsterInstance, run_id: str) -> str:
    for entry in instance.all_logs(run_id, of_type={dg.DagsterEventType.RUN_FAILURE}):
        event = entry.get_dagster_event()
        error = getattr(event.event_specific_data, "error", None)
        return one_line(event.message or "" if error is None else daemon.said(error))
    return "Dagster noted no reason"


def one_line(text: str) -> str:
    """A text in one line, without secrets, and without NUL, surrogates and terminal colours."""
    said = "".join(letter for letter in gist(text) if letter.isprintable())
    return _redact(said, _LONGEST_WORDS) or "Dagster noted no reason"


# The tag `dagster/will_retry` is set by the process that records a run's failure, and becomes "false" if the retry
# could not be launched; some failed launches leave it "true" forever. So a retry is awaited only for a limited time
# (Dagster 1.13.27, `auto_run_reexecution.py`).

#: Dagster's daemon checks for runs to repeat every five seconds.
_RETRY_PATIENCE_SECONDS = 120.0
_TAGGING_SECONDS = 10.0
#: Enough for the delay between tries to reach its maximum.
_MOST_RUNS = 25


def past_runs(
    instance: dg.DagsterInstance, partition: str, since: datetime | None, job: str = dagster_runs.REFRESH_JOB
) -> PastRuns:
    """The runs of a job for a partition (an account for `refresh_offers`) that were created after `since`."""
    wanted = dg.RunsFilter(job_name=job, tags={dagster_runs.PARTITION_TAG: partition}, created_after=since)
    records = instance.get_run_records(wanted, limit=_MOST_RUNS)
    tried_for = max((time.time() - record.create_timestamp.timestamp() for record in records), default=0.0)
    ended = [record for record in records if record.dagster_run.status in dagster_runs.ENDED]
    if not ended:
        return PastRuns(tried_for_seconds=tried_for)
    failed = [record for record in ended if has_failed(record)]
    causes = (cause_of(instance, record.dagster_run) for record in failed)
    return PastRuns(
        failures=len(failed),
        tries=sum(record.dagster_run.status == dg.DagsterRunStatus.FAILURE for record in ended),
        cause=next((cause for cause in causes if not cause.is_quiet), None),
        ended_seconds_ago=ended_seconds_ago(ended[0]),
        awaits_retry=awaits_retry(instance, ended[0]),
        is_cancelled=ended[0].dagster_run.status == dg.DagsterRunStatus.CANCELED,
        tried_for_seconds=tried_for,
    )


def has_failed(record: dg.RunRecord) -> bool:
    """Whether a run failed and was not repeated by Dagster."""
    run = record.dagster_run
    return run.status == dg.DagsterRunStatus.FAILURE and AUTO_RETRY_RUN_ID_TAG not in run.tags


def awaits_retry(instance: dg.DagsterInstance, record: dg.RunRecord) -> bool:
    """Whether Dagster is about to repeat a failed run."""
    if not instance.run_retries_enabled or not has_failed(record):
        return False
    said = record.dagster_run.tags.get(WILL_RETRY_TAG)
    patience = {None: _TAGGING_SECONDS, "true": _RETRY_PATIENCE_SECONDS}.get(said, 0.0)
    return ended_seconds_ago(record) < patience


def ended_seconds_ago(record: dg.RunRecord) -> float:
    """Seconds since a run ended."""
    return max(0.0, time.time() - (record.end_time or record.update_timestamp.timestamp()))


def is_never_retried(run: dg.DagsterRun) -> bool:
    """Whether its tags forbid Dagster's run retry, as for a run that `emag-pipeline sync` executed."""
    return run.tags.get(MAX_RETRIES_TAG) == "0"


# Old runs of Dagster: removed with their events, check results and output. Dagster itself keeps them forever.
#
# Runs in progress are always kept, and those with a partition's newest materialization or a check's newest result:
# without the run, the UI would show the partition as missing (seen with Dagster 1.13).

_EVALUATED = {AssetCheckExecutionRecordStatus.SUCCEEDED, AssetCheckExecutionRecordStatus.FAILED}
_AT_ONCE = 1000


def prune(instance: dg.DagsterInstance, days: float, *, dry_run: bool = False) -> int:
    """Remove the ended runs that were created more than this many days ago; returns how many.

    With `dry_run` they are only counted. Removes one run at a time, its output first; can be repeated after a failure.
    """
    before = datetime.now(UTC) - timedelta(days=days)
    ended = dg.RunsFilter(created_before=before, statuses=dagster_runs.ENDED)
    # in this order: a materialization in between only adds runs to keep
    old = instance.run_storage.get_run_ids(ended)
    needed = set(_runs_needed(instance))
    unneeded = [run_id for run_id in old if run_id not in needed]
    if not dry_run:
        for run_id in unneeded:
            _remove(instance, run_id)
    return len(unneeded)


def _remove(instance: dg.DagsterInstance, run_id: str) -> None:
    instance.compute_log_manager.delete_logs(prefix=[run_id])
    storage = instance.event_log_storage
    if isinstance(storage, SqlEventLogStorage):  # `delete_run` does not remove the results of checks
        results = AssetCheckExecutionsTable
        with storage.index_connection() as connection:
            connection.execute(results.delete().where(results.c.run_id == run_id))
    instance.delete_run(run_id)


def _runs_needed(instance: dg.DagsterInstance) -> Iterator[str]:
    for asset in instance.all_asset_keys():
        yield from _newest_materializations(instance, asset)
    # by name: this module is below the definitions in the layers; an instance does not list checks
    repository = ReconstructableRepository.for_module("emag_pipeline.definitions", "defs").get_definition()
    for check in repository.asset_graph.asset_check_keys:
        yield from _newest_results(instance, check)


def _newest_materializations(instance: dg.DagsterInstance, asset: dg.AssetKey) -> Iterator[str]:
    whole = instance.get_latest_materialization_event(asset)
    if whole is not None:
        yield whole.run_id
    newest = instance.event_log_storage.get_latest_storage_id_by_partition(
        asset, dg.DagsterEventType.ASSET_MATERIALIZATION
    )
    ids = list(newest.values())
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        found = instance.fetch_materializations(dg.AssetRecordsFilter(asset, storage_ids=some), limit=len(some))
        yield from (record.run_id for record in found.records)


def _newest_results(instance: dg.DagsterInstance, check: dg.AssetCheckKey) -> Iterator[str]:
    storage = instance.event_log_storage
    for partition in storage.get_asset_check_partition_info([check]):
        where = PartitionKeyFilter(key=partition.partition_key)
        results = storage.get_asset_check_execution_history(check, 1, status=_EVALUATED, partition_filter=where)
        yield from (result.run_id for result in results)
