"""Incidents of Dagster's objects other than accounts: failed jobs, failing sensors and schedules, failing checks.

Each is an incident under its own name until it succeeds. A problem that another incident reports already has none
here: a refused audit is `refused`, an account that is not fresh is `stale`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg

from emag_pipeline import dagster_runs
from emag_pipeline.dagster_runs import daemon, metadata
from emag_pipeline.dagster_runs.daemon import LastTick
from emag_pipeline.dagster_runs.past_runs import (
    UNKNOWN_ERROR,
    awaits_retry,
    cause_of,
    ended_seconds_ago,
    has_failed,
    is_never_retried,
    one_line,
)
from emag_pipeline.errors import Rerun, named
from emag_pipeline.monitoring import incidents
from emag_pipeline.monitoring.incidents import IncidentFinding
from emag_pipeline.refresh.dagster import offers
from emag_pipeline.review.checks import OFFERS_ARE_FRESH
from emag_pipeline.review.dagster import freshness
from emag_pipeline.settings import Settings
from emag_pipeline.store import monitoring_tables
from emag_pipeline.store.engine import Database
from emag_pipeline.store.monitoring_tables import CheckResult
from emag_pipeline.sync.account_health import Cause
from emag_pipeline.sync.status import account_statuses
from emag_pipeline.wording import minute

# Jobs other than `refresh_offers` (clean-up, marts, reference data). If a job has one run per account or marketplace,
# each of them is a separate subject, because a success for one does not resolve the failure of another.


@dataclass(frozen=True, slots=True)
class JobSubject:
    """A job, or a job's runs for one partition."""

    job: str
    partition: str | None = None
    #: the tag of a run that names the partition
    tag: str = dagster_runs.PARTITION_TAG

    @property
    def name(self) -> str:
        """Its name in incidents and alerts."""
        return self.job if self.partition is None else f"{self.job} of {self.partition}"


def job_subjects(repository: dg.RepositoryDefinition) -> list[JobSubject]:
    """The jobs, or their partitions, that can fail separately, without the jobs that Dagster creates internally."""
    names = [name for name in repository.job_names if name != dagster_runs.REFRESH_JOB and not name.startswith("__")]
    return [subject for name in names for subject in _partitions_of(repository.get_job(name))]


def note_failed_jobs(
    database: Database, instance: dg.DagsterInstance, found: Sequence[JobSubject], patience_seconds: float
) -> None:
    """Open, renew and close the subjects' incidents by the results of their newest runs. Raises DatabaseUnavailable.

    `patience_seconds`: how long a sensor may take to request a repetition.
    """
    for subject in found:
        tags = {} if subject.partition is None else {subject.tag: subject.partition}
        ended = dg.RunsFilter(job_name=subject.job, tags=tags, statuses=list(dagster_runs.ENDED))
        for record in instance.get_run_records(ended, limit=1):
            if record.dagster_run.status == dg.DagsterRunStatus.SUCCESS:
                incidents.close(database, subject.name, well_at=datetime.fromtimestamp(record.end_time or 0.0, UTC))
            elif has_failed(record) and not awaits_retry(instance, record):
                cause = cause_of(instance, record.dagster_run)
                if not _another_follows(instance, ended, record, cause, patience_seconds):
                    incidents.note(database, _job_finding(subject, cause, record.dagster_run.run_id))


def _job_finding(subject: JobSubject, cause: Cause, run_id: str) -> IncidentFinding:
    return IncidentFinding(subject.name, "failing", cause.message, cause.remedy, cause.error_class, run_id)


def _another_follows(
    instance: dg.DagsterInstance, ended: dg.RunsFilter, failed: dg.RunRecord, cause: Cause, patience_seconds: float
) -> bool:
    """Whether another run is in progress, or is about to be requested by a sensor.

    Sensors repeat unfinished runs of `emag-pipeline sync`; Dagster does not, because of their tag.
    """
    if instance.get_run_records(
        dg.RunsFilter(job_name=ended.job_name, tags=ended.tags, statuses=dagster_runs.UNDER_WAY), 1
    ):
        return True
    is_of_a_sync = is_never_retried(failed.dagster_run)
    return is_of_a_sync and not cause.needs_a_person and ended_seconds_ago(failed) < patience_seconds


def _partitions_of(job: dg.JobDefinition) -> Iterator[JobSubject]:
    """One per account or marketplace; if partitions are an account's days, the newest run counts."""
    if isinstance(job.partitions_def, dg.StaticPartitionsDefinition):
        yield from (JobSubject(job.name, key) for key in job.partitions_def.get_partition_keys())
    elif isinstance(job.partitions_def, dg.MultiPartitionsDefinition):
        keys = job.partitions_def.get_partitions_def_for_dimension("account").get_partition_keys()
        yield from (JobSubject(job.name, key, f"{dagster_runs.PARTITION_TAG}/account") for key in keys)
    else:
        yield JobSubject(job.name)


# Sensors and schedules whose ticks fail.

#: Dagster's errors while the code server restarts, and the error of a tick during which the daemon ended.
PASSING = {*daemon.UNREACHABLE, "DagsterCodeLocationLoadError", daemon.NOT_STORED}
_REMEDY = (
    "Until it succeeds, nothing that it watches over is done automatically: see its ticks in Dagster's UI, under "
    "Automation; an error that names no remedy is a defect in the pipeline: report it with this line"
)


def tick_finding(tick: LastTick) -> IncidentFinding | None:
    """The finding for a sensor or schedule; None if its newest tick succeeded.

    A transient error, such as a restarting database or code server, counts only if the previous tick failed as well.
    """
    if tick.error is None:
        return None
    error = daemon.innermost(tick.error)
    error_class = error.cls_name or UNKNOWN_ERROR
    known = named(error_class)
    may_pass = error_class in PASSING or (known is not None and known.rerun is Rerun.AT_ONCE)
    if may_pass and tick.failures < 2:
        return None
    said = one_line(daemon.said(error))
    return IncidentFinding(
        tick.subject, "failing", f"its tick at {minute(tick.at)} failed: {said}", _REMEDY, error_class
    )


def note_failing_ticks(
    database: Database, instance: dg.DagsterInstance, repository: dg.RepositoryDefinition
) -> list[str]:
    """Open, renew and close the incidents of the sensors and schedules of a repository. Returns their subjects.

    Raises DatabaseUnavailable.
    """
    found = daemon.ticks_of_instance(instance, _names(repository))
    for tick in found:
        wrong = tick_finding(tick)
        if wrong is not None:
            incidents.note(database, wrong)
        elif tick.error is None:
            incidents.close(database, tick.subject, well_at=tick.at)
    return [tick.subject for tick in found]


def _names(repository: dg.RepositoryDefinition) -> Sequence[str]:
    return [sensor.name for sensor in repository.sensor_defs] + [one.name for one in repository.schedule_defs]


# Checks of severity ERROR that do not pass.

_FRESH = dg.AssetCheckKey(offers.key, OFFERS_ARE_FRESH.name)


def note_freshness(database: Database, settings: Settings) -> None:
    """Record the results of offers_are_fresh, which change even if nothing runs. Raises DatabaseUnavailable.

    In Dagster only a run may record them: of a sensor's results, which have no run, Dagster can store only the first.
    """
    for status in account_statuses(database, [account.name for account in settings.accounts]):
        result = freshness(database, status, settings).result()
        metadata.record(database, _FRESH, result, status.account)


def note_red_checks(database: Database, settings: Settings) -> list[str]:
    """Open, renew and close the incidents of checks. Returns the names of all that have a result.

    Raises DatabaseUnavailable.
    """
    answered = monitoring_tables.check_results(database, settings.subjects)
    results = [one for one in answered if not one.is_reported_by_its_account]
    for result in results:
        if result.passed:
            incidents.close(database, result.name, well_at=result.checked_at)
        elif result.severity == "ERROR":
            incidents.note(database, _check_finding(result))
    return [result.name for result in results]


def _check_finding(result: CheckResult) -> IncidentFinding:
    return IncidentFinding(result.name, "red", result.sentence, result.remedy.rstrip("."), run_id=result.run_id)
