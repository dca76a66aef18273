"""The marts beside real syncs of a sandbox's catalogue."""

from collections.abc import Callable
from datetime import UTC, datetime

import dagster as dg
import pytest

from emag_pipeline.definitions import defs
from emag_pipeline.marts.registry import MARTS
from emag_pipeline.monitoring import dagster_incidents
from emag_pipeline.monitoring.incidents import open_incidents
from emag_pipeline.report.dagster import stale_marts
from emag_pipeline.settings import Settings
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.dagster.definitions_snapshot import recorded
from emag_pipeline_tests.dagster.runs import Run, RunJob, sensor_context
from emag_pipeline_tests.sync.syncs import rows

Tick = Callable[[], list[tuple[str, str]]]


@pytest.fixture
def tick(settings: Settings, instance: dg.DagsterInstance) -> Tick:
    """Evaluates the sensor; the jobs that it requests, and for what."""

    def evaluate() -> list[tuple[str, str]]:
        requests = stale_marts.evaluate_tick(sensor_context(settings, instance)).run_requests or []
        return [(str(one.job_name), str(one.partition_key)) for one in requests]

    return evaluate


def test_after_a_sync_the_marts_are_computed_and_agree_with_the_offers(run: Run, run_job: RunJob, tick: Tick) -> None:
    assert run("main").success
    today = f"main|{datetime.now(UTC).date()}"
    requested = tick()
    assert sorted(requested) == [("refresh_daily_assortment", today), ("refresh_marts", "main")]
    results = [run_job(job, partition) for job, partition in requested]
    assert all(one.success for one in results)
    evaluations = [one for result in results for one in result.get_asset_check_evaluations()]
    jobs = recorded()["jobs"]
    assert {(one.check_name, one.partition) for one in evaluations} == {
        *((check, "main") for check in jobs["refresh_marts"]["checks"]),
        *((check, today) for check in jobs["refresh_daily_assortment"]["checks"]),
    }
    passed = {one.check_name: one.passed for one in evaluations}
    assert MARTS
    assert [mart.check for mart in MARTS if not passed[mart.check]] == []
    assert tick() == []


def test_a_mart_that_fails_is_an_incident_of_its_account_and_leaves_the_sync_alone(
    run: Run, run_job: RunJob, database: Database, instance: dg.DagsterInstance
) -> None:
    with database.transaction() as tx:
        tx.run("ALTER TABLE emag_low_stock RENAME TO hidden")
    assert run("main").success
    assert run("fbe").success
    assert not run_job("refresh_marts", "main").success
    assert not run_job("refresh_marts", "fbe").success
    with database.transaction() as tx:
        tx.run("ALTER TABLE hidden RENAME TO emag_low_stock")
    assert run_job("refresh_marts", "fbe").success
    dagster_incidents.note_failed_jobs(
        database, instance, dagster_incidents.job_subjects(defs.get_repository_def()), 600
    )
    (incident,) = open_incidents(database)
    assert (incident.subject, incident.kind) == ("refresh_marts of main", "failing")
    assert rows(database, "SELECT count(*) FROM emag_offer_issues WHERE account_type = 'main'")[0][0] > 0
