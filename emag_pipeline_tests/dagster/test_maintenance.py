"""The job `maintenance`, on real runs of the real job that look old."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.schedule_definition import ScheduleExecutionData
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable
from dagster._core.storage.event_log.sql_event_log import SqlEventLogStorage
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._core.storage.runs.schema import RunsTable
from dagster._core.storage.runs.sql_run_storage import SqlRunStorage

from emag_pipeline import dagster_runs
from emag_pipeline.dagster_runs import past_runs
from emag_pipeline.definitions import defs
from emag_pipeline.embedded import EmbeddedServer
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.settings import Settings, load_settings
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.dagster.runs import Run, executed
from emag_pipeline_tests.dagster.stored_instance import stored_instance
from emag_pipeline_tests.sync.syncs import rows

_REPOSITORY = defs.get_repository_def()
_OFFERS = dg.AssetKey("offers")
_CHECK = dg.AssetCheckKey(dg.AssetKey("staged_offers"), "scan_is_complete")


@pytest.fixture
def instance(cluster: EmbeddedServer, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with stored_instance(cluster, tmp_path) as instance:
        yield instance


def _age(instance: dg.DagsterInstance, *run_ids: str, days: float = 31) -> None:
    storage = instance.run_storage
    assert isinstance(storage, SqlRunStorage)
    created = datetime.now(UTC).replace(tzinfo=None) - timedelta(days=days)
    with storage.connect() as connection:
        connection.execute(RunsTable.update().where(RunsTable.c.run_id.in_(run_ids)).values(create_timestamp=created))


def _check_results(instance: dg.DagsterInstance, run_id: str) -> int:
    storage = instance.event_log_storage
    assert isinstance(storage, SqlEventLogStorage)
    with storage.index_connection() as connection:
        query = AssetCheckExecutionsTable.select().where(AssetCheckExecutionsTable.c.run_id == run_id)
        return len(connection.execute(query).all())


def _output_of(instance: dg.DagsterInstance, run_id: str) -> Path:
    """A file as a run's step leaves it."""
    manager = instance.compute_log_manager
    assert isinstance(manager, LocalComputeLogManager)
    path = Path(manager.get_captured_local_path([run_id, "compute_logs", "step"], "out"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("printed")
    return path


def test_an_old_run_goes_with_events_results_and_output(run: Run, instance: dg.DagsterInstance) -> None:
    first, second = run("main").run_id, run("main").run_id
    output = _output_of(instance, first)
    _age(instance, first, second)
    assert past_runs.prune(instance, 30) == 1
    assert not output.parent.parent.exists()
    assert (instance.get_run_by_id(first), instance.all_logs(first), _check_results(instance, first)) == (None, [], 0)
    assert instance.get_run_by_id(second) is not None


def test_each_partitions_newest_materialization_stays_however_old(run: Run, instance: dg.DagsterInstance) -> None:
    _age(instance, *(run(account).run_id for account in ("main", "fbe", "main")))
    assert past_runs.prune(instance, 30) == 1
    assert instance.get_materialized_partitions(_OFFERS) == {"main", "fbe"}


def test_the_newest_result_of_a_check_stays_when_a_later_run_did_not_come_so_far(
    run: Run, instance: dg.DagsterInstance, market: SandboxServer
) -> None:
    published = run("main").run_id
    market.remove("main", market.ids("main")[:100])
    refused = run("main").run_id
    market.add_fault("wrong_credentials")
    failed = run("main").run_id
    _age(instance, published, refused, failed)
    assert past_runs.prune(instance, 30) == 1
    assert instance.get_run_by_id(failed) is None
    assert instance.get_run_by_id(refused) is not None, "it holds the newest results of the checks"
    assert instance.get_run_by_id(published) is not None, "it holds the newest materialization of `offers`"


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.NOT_STARTED])
def test_a_run_under_way_stays_however_old(instance: dg.DagsterInstance, status: dg.DagsterRunStatus) -> None:
    _age(instance, instance.create_run_for_job(_empty_job, status=status).run_id, days=400)
    assert past_runs.prune(instance, 30) == 0


def test_young_runs_stay(instance: dg.DagsterInstance) -> None:
    _age(instance, instance.create_run_for_job(_empty_job, status=dg.DagsterRunStatus.FAILURE).run_id, days=29)
    assert past_runs.prune(instance, 30) == 0


def test_counting_removes_nothing_and_a_second_time_finds_nothing(instance: dg.DagsterInstance) -> None:
    for _ in range(3):
        _age(instance, instance.create_run_for_job(_empty_job, status=dg.DagsterRunStatus.FAILURE).run_id)
    found = [past_runs.prune(instance, 30, dry_run=dry_run) for dry_run in (True, True, False, False)]
    assert found == [3, 3, 3, 0]


def test_the_job_prunes_both_databases_and_tells_what_it_removed(
    run: Run, instance: dg.DagsterInstance, settings: Settings, database: Database
) -> None:
    _age(instance, run("main").run_id, run("main").run_id)
    with database.transaction() as tx:
        tx.run("UPDATE emag_requests SET sent_at = sent_at - interval '31 days'")
    calls = rows(database, "SELECT count(*) FROM emag_requests")[0][0]
    result = executed("maintenance", None, settings, instance)
    assert result.success
    told = result.get_step_success_events()[0]
    (output,) = [event for event in result.all_events if event.event_type_value == "STEP_OUTPUT"]
    assert told.step_key == "prune"
    removed = {name: value.value for name, value in output.step_output_data.metadata.items()}
    assert (removed["requests"], removed["dagster_runs"]) == (calls, 1)
    kinds = {"syncs", "rejects", "payloads", "surprises", "requests", "check_results", "incidents", "staged_rows"}
    assert removed.keys() == {*kinds, "dagster_runs"}


def test_without_its_database_the_job_fails_with_one_sentence(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    away = load_settings({"DATABASE_SYNC_URL": f"postgresql://nobody@/none?host={tmp_path}"}, env_file=None)
    result = executed("maintenance", None, away, instance)
    assert dagster_runs.failure(instance, result.run_id).startswith("database: the database cannot be reached")


def _tick(instance: dg.DagsterInstance) -> ScheduleExecutionData:
    context = dg.build_schedule_context(
        instance=instance, repository_def=_REPOSITORY, scheduled_execution_time=datetime.now(UTC)
    )
    return _REPOSITORY.get_schedule_def("maintenance_daily").evaluate_tick(context)


def test_a_second_clean_up_does_not_begin_beside_the_first(instance: dg.DagsterInstance) -> None:
    assert len(_tick(instance).run_requests or ()) == 1
    instance.create_run_for_job(defs.resolve_job_def("maintenance"), status=dg.DagsterRunStatus.STARTED)
    tick = _tick(instance)
    assert not tick.run_requests
    assert "under way" in str(tick.skip_message)


@dg.job
def _empty_job() -> None:
    """Another job, whose runs stand for any."""
