"""Jobs that belong to no account (clean-up, reference data): a failed one is an incident until a run of it succeeds."""

from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg

from emag_pipeline import runs
from emag_pipeline.automation.past_runs import awaits_retry, has_failed
from emag_pipeline.automation.run_causes import cause_of
from emag_pipeline.db.engine import Database
from emag_pipeline.monitoring import incidents
from emag_pipeline.monitoring.incidents import Finding


def names(repository: dg.RepositoryDefinition) -> list[str]:
    """The jobs beside `refresh_offers`; those that Dagster makes for itself are none."""
    return [name for name in repository.job_names if name != runs.REFRESH_JOB and not name.startswith("__")]


def note_findings(database: Database, instance: dg.DagsterInstance, jobs: Sequence[str]) -> None:
    """Open, renew and close the jobs' incidents by how their newest runs ended. Raises DatabaseUnavailable."""
    for job in jobs:
        for record in instance.get_run_records(dg.RunsFilter(job_name=job, statuses=list(runs.ENDED)), limit=1):
            run = record.dagster_run
            if run.status == dg.DagsterRunStatus.SUCCESS:
                incidents.close(database, job, well_at=datetime.fromtimestamp(record.end_time or 0.0, UTC))
            elif has_failed(record) and not awaits_retry(instance, record):
                cause = cause_of(instance, run)
                incidents.note(
                    database,
                    Finding(job, "failing", cause.message, cause.remedy, cause.error_class, run.run_id),
                )
