"""Two installations, each with a Dagster of its own, on one database: neither judges the other's living syncs."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import make_url

from emag_pipeline import dagster_runs
from emag_pipeline.dagster_runs.instance import identity_of
from emag_pipeline.definitions import defs
from emag_pipeline.embedded import EmbeddedServer
from emag_pipeline.monitoring.dagster import stuck_syncs
from emag_pipeline.settings import Settings
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.dagster.runs import executed, sensor_context
from emag_pipeline_tests.dagster.stored_instance import instance_in, stored_instance
from emag_pipeline_tests.databases import administer, end_sessions
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import begin, rows, stage


@pytest.fixture
def one(cluster: EmbeddedServer, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with stored_instance(cluster, tmp_path / "one") as instance:
        yield instance


@pytest.fixture
def other(cluster: EmbeddedServer, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with stored_instance(cluster, tmp_path / "other") as instance:
        yield instance


def _run_of(instance: dg.DagsterInstance, status: dg.DagsterRunStatus = dg.DagsterRunStatus.STARTED) -> str:
    job = defs.resolve_job_def("refresh_offers")
    return instance.create_run_for_job(job, status=status, tags={"dagster/partition": "main"}).run_id


def _evaluate(instance: dg.DagsterInstance, settings: Settings) -> None:
    stuck_syncs.evaluate_tick(sensor_context(settings, instance))


def _refresh(instance: dg.DagsterInstance, settings: Settings) -> int:
    result = executed("refresh_offers", "main", settings, instance)
    return dagster_runs.exit_code(instance, result.run_id)


def _living(database: Database, instance: dg.DagsterInstance) -> None:
    """A sync of main that reads its pages in a run of the instance."""
    lease = begin(database, run_id=_run_of(instance), dagster_instance_id=identity_of(instance))
    stage(database, lease, [offer(1)])


def _assert_left_alone(database: Database) -> None:
    (row,) = rows(database, "SELECT status, attempt, error_message FROM emag_offer_syncs")
    assert tuple(row) == ("running", 1, None)


def test_a_living_sync_of_one_installation_is_left_alone_by_the_other(
    database: Database, one: dg.DagsterInstance, other: dg.DagsterInstance, settings: Settings
) -> None:
    _living(database, one)
    _evaluate(other, settings)
    _assert_left_alone(database)
    assert _refresh(other, settings) == 4
    _assert_left_alone(database)


def test_a_living_sync_is_left_alone_after_dagsters_database_was_emptied(
    database: Database, cluster: EmbeddedServer, one: dg.DagsterInstance, settings: Settings
) -> None:
    before = identity_of(one)
    _living(database, one)
    url = Database(str(one.run_storage.postgres_url), "public")  # type: ignore[attr-defined]
    with url.transaction() as tx:
        tx.run("TRUNCATE runs, event_logs, instance_info, kvs, run_tags CASCADE")
    url.close()
    assert identity_of(one) not in (before, None)
    _evaluate(one, settings)
    _assert_left_alone(database)
    assert _refresh(one, settings) == 4


def test_what_a_copy_of_dagsters_database_says_of_a_run_proves_nothing(
    database: Database, cluster: EmbeddedServer, one: dg.DagsterInstance, settings: Settings, tmp_path: Path
) -> None:
    """A copy's own monitoring fails the runs that it finds under way: their processes are not there."""
    _living(database, one)
    (run_id,) = rows(database, "SELECT dagster_run_id FROM emag_offer_syncs")[0]
    original = make_url(one.run_storage.postgres_url).database  # type: ignore[attr-defined]
    own = identity_of(one)
    one.dispose()
    end_sessions(cluster, original)
    administer(cluster, f"CREATE DATABASE copy_of_dagster TEMPLATE {original}")
    with instance_in(cluster, "copy_of_dagster", tmp_path / "copy") as copy:
        assert copy.run_storage.get_run_storage_id()
        assert identity_of(copy) not in (own, None)
        run = copy.get_run_by_id(run_id)
        assert run is not None
        copy.report_run_failed(run)
        _evaluate(copy, settings)
        _assert_left_alone(database)
        assert _refresh(copy, settings) == 4
        _assert_left_alone(database)


def test_the_id_of_an_instance_stays_the_same(one: dg.DagsterInstance, other: dg.DagsterInstance) -> None:
    assert identity_of(one) == identity_of(one)
    assert identity_of(one) != identity_of(other)
