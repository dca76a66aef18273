"""Jobs beside `refresh_offers` (clean-up, marts, reference data): a failed one is an incident until a run succeeds.

Where a job has a run for each account or marketplace, each of them is a subject of its own: what succeeds for one says
nothing of the other.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg

from emag_pipeline import dagster_runs
from emag_pipeline.dagster_runs.past_runs import awaits_retry, cause_of, ended_seconds_ago, has_failed, is_never_retried
from emag_pipeline.monitoring import incidents
from emag_pipeline.monitoring.incidents import IncidentFinding
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.account_health import Cause


@dataclass(frozen=True, slots=True)
class Subject:
    """A job, or a job's runs for one partition."""

    job: str
    partition: str | None = None
    #: the tag of a run that names the partition
    tag: str = dagster_runs.PARTITION_TAG

    @property
    def name(self) -> str:
        """As incidents and alerts call it."""
        return self.job if self.partition is None else f"{self.job} of {self.partition}"


def subjects(repository: dg.RepositoryDefinition) -> list[Subject]:
    """Everything of these jobs that can fail by itself; jobs that Dagster makes for itself are none."""
    names = [name for name in repository.job_names if name != dagster_runs.REFRESH_JOB and not name.startswith("__")]
    return [subject for name in names for subject in _subjects(repository.get_job(name))]


def note_findings(
    database: Database, instance: dg.DagsterInstance, found: Sequence[Subject], patience_seconds: float
) -> None:
    """Open, renew and close the subjects' incidents by how their newest runs ended. Raises DatabaseUnavailable.

    `patience_seconds`: how long a sensor may take to request what it repeats.
    """
    for subject in found:
        tags = {} if subject.partition is None else {subject.tag: subject.partition}
        wanted = dg.RunsFilter(job_name=subject.job, tags=tags, statuses=list(dagster_runs.ENDED))
        for record in instance.get_run_records(wanted, limit=1):
            run = record.dagster_run
            if run.status == dg.DagsterRunStatus.SUCCESS:
                incidents.close(database, subject.name, well_at=datetime.fromtimestamp(record.end_time or 0.0, UTC))
            elif has_failed(record) and not awaits_retry(instance, record):
                cause = cause_of(instance, run)
                if not _another_follows(instance, wanted, record, cause, patience_seconds):
                    incidents.note(
                        database,
                        IncidentFinding(
                            subject.name, "failing", cause.message, cause.remedy, cause.error_class, run.run_id
                        ),
                    )


def _another_follows(
    instance: dg.DagsterInstance, wanted: dg.RunsFilter, failed: dg.RunRecord, cause: Cause, patience_seconds: float
) -> bool:
    """Whether another run is under way, or is about to be requested by a sensor.

    Sensors repeat what `emag-pipeline sync` executed and did not bring to its end: Dagster does not, by a tag.
    """
    if instance.get_run_records(
        dg.RunsFilter(job_name=wanted.job_name, tags=wanted.tags, statuses=dagster_runs.UNDER_WAY), 1
    ):
        return True
    is_of_a_sync = is_never_retried(failed.dagster_run)
    return is_of_a_sync and not cause.needs_a_person and ended_seconds_ago(failed) < patience_seconds


def _subjects(job: dg.JobDefinition) -> Iterator[Subject]:
    """One a partition, where partitions are accounts or marketplaces; of an account's days, the newest run counts."""
    if isinstance(job.partitions_def, dg.StaticPartitionsDefinition):
        yield from (Subject(job.name, key) for key in job.partitions_def.get_partition_keys())
    elif isinstance(job.partitions_def, dg.MultiPartitionsDefinition):
        keys = job.partitions_def.get_partitions_def_for_dimension("account").get_partition_keys()
        yield from (Subject(job.name, key, f"{dagster_runs.PARTITION_TAG}/account") for key in keys)
    else:
        yield Subject(job.name)
