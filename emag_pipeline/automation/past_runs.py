"""What Dagster knows of an account's or a marketplace's runs: which failed for good, and whether a retry will follow.

The tag `dagster/will_retry` is set right after a run's failure by whoever records it, and turns to "false" when the
retry could not be launched; some launches that fail leave it "true" for ever. So a retry is waited for, but not for
long (Dagster 1.13.27, `auto_run_reexecution.py`).
"""

import time
from datetime import datetime

import dagster as dg
from dagster._core.storage.tags import AUTO_RETRY_RUN_ID_TAG, WILL_RETRY_TAG

from emag_pipeline import runs
from emag_pipeline.automation.run_causes import cause_of
from emag_pipeline.monitoring.standing import PastRuns

#: Dagster's daemon looks for runs to repeat every five seconds.
_RETRY_PATIENCE_SECONDS = 120.0
_TAGGING_SECONDS = 10.0
#: Enough for the wait between two tries to have reached its longest.
_MOST_RUNS = 25


def past_runs(
    instance: dg.DagsterInstance, partition: str, since: datetime | None, job: str = runs.REFRESH_JOB
) -> PastRuns:
    """The runs of a job for a partition (of `refresh_offers`: an account) that were created after `since`."""
    wanted = dg.RunsFilter(job_name=job, tags={runs.PARTITION_TAG: partition}, created_after=since)
    records = instance.get_run_records(wanted, limit=_MOST_RUNS)
    tried_for = max((time.time() - record.create_timestamp.timestamp() for record in records), default=0.0)
    ended = [record for record in records if record.dagster_run.status in runs.ENDED]
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
    """Whether a run failed; one that Dagster has repeated is its repetition's business."""
    run = record.dagster_run
    return run.status == dg.DagsterRunStatus.FAILURE and AUTO_RETRY_RUN_ID_TAG not in run.tags


def awaits_retry(instance: dg.DagsterInstance, record: dg.RunRecord) -> bool:
    """Whether Dagster is about to repeat a run that failed."""
    if not instance.run_retries_enabled or not has_failed(record):
        return False
    said = record.dagster_run.tags.get(WILL_RETRY_TAG)
    patience = {None: _TAGGING_SECONDS, "true": _RETRY_PATIENCE_SECONDS}.get(said, 0.0)
    return ended_seconds_ago(record) < patience


def ended_seconds_ago(record: dg.RunRecord) -> float:
    """Seconds since a run ended."""
    return max(0.0, time.time() - (record.end_time or record.update_timestamp.timestamp()))
