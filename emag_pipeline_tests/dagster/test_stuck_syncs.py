import time
from typing import Any

import dagster as dg
from dagster._core.events import DagsterEventType

from emag_pipeline.dagster_runs.instance import identity_of
from emag_pipeline.definitions import defs
from emag_pipeline.monitoring.dagster import stuck_syncs
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.settings import Settings
from emag_pipeline.store import monitoring_tables
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import ledger
from emag_pipeline_tests.dagster.runs import Run, sensor_context
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import begin, execute, rows, stage
from emag_pipeline_tests.sync.truth import assert_published_exactly


def _evaluate(instance: dg.DagsterInstance, settings: Settings) -> str:
    """What the sensor said that it did."""
    tick = stuck_syncs.evaluate_tick(sensor_context(settings, instance))
    assert not tick.run_requests, "Dagster retries the run; a request would start it twice"
    return tick.skip_message or ""


def _started(instance: dg.DagsterInstance, status: dg.DagsterRunStatus = dg.DagsterRunStatus.STARTED) -> str:
    """A run of main in another process."""
    job = defs.resolve_job_def("refresh_offers")
    return instance.create_run_for_job(job, status=status, tags={"dagster/partition": "main"}).run_id


def _age(database: Database, column: str, hours: float) -> None:
    with database.transaction() as tx:
        tx.run(f"UPDATE emag_offer_syncs SET {column} = now() - :hours * interval '1 hour'", hours=hours)


def _row(database: Database) -> Any:
    (row,) = rows(database, "SELECT * FROM emag_offer_syncs")
    return row


def _counts(database: Database) -> dict[str, float]:
    found = rows(database, "SELECT name, value FROM emag_counters WHERE labels ->> 'account_type' = 'main'")
    return {row.name.removeprefix("emag_sync_").removesuffix("_syncs_total"): row.value for row in found}


def test_a_stuck_sync_is_failed_with_reason_and_remedy_and_its_run_with_it(
    database: Database, instance: dg.DagsterInstance, settings: Settings
) -> None:
    run_id = _started(instance)
    stage(database, begin(database, run_id=run_id), [offer(1)])
    _age(database, "progressed_at", 2)
    said = _evaluate(instance, settings)
    row = _row(database)
    assert (row.status, row.error_class) == ("failed", "StuckSync")
    assert "no progress for 7200 s, the limit is 3600 s" in row.error_message
    assert row.error_remedy.startswith("No action needed")
    run = instance.get_run_by_id(run_id)
    assert run is not None
    assert (run.status, run.tags["dagster/failure_reason"]) == (dg.DagsterRunStatus.FAILURE, "UNEXPECTED_TERMINATION")
    assert said.startswith("main: stuck: its heartbeat continues")
    assert _counts(database) == {"stuck": 1, "recovered": 1}


def test_a_sync_that_does_not_beat_is_failed(
    database: Database, instance: dg.DagsterInstance, settings: Settings
) -> None:
    begin(database, run_id=_started(instance))
    _age(database, "heartbeat_at", 0.1)
    _evaluate(instance, settings)
    assert (_row(database).status, _row(database).error_class) == ("failed", "OwnerDied")


def test_a_sync_whose_process_is_gone_is_failed_at_once_and_the_next_run_goes_on(
    database: Database, market: SandboxServer, instance: dg.DagsterInstance, settings: Settings, run: Run
) -> None:
    begin(database, run_id="1f1fcd41-0000-0000-0000-000000000000")
    execute(database, "UPDATE emag_offer_syncs SET process_start_ticks = process_start_ticks - 1")
    said = _evaluate(instance, settings)
    assert "is gone; marked as failed; the account's next run continues" in said
    assert run("main").success
    assert_published_exactly(database, market, "main")


def test_of_a_process_that_is_gone_nothing_says_that_it_could_not_be_reached(
    database: Database, instance: dg.DagsterInstance, settings: Settings
) -> None:
    """As of `emag-pipeline sync`, killed: no code server has launched its run."""
    begin(database, run_id=_started(instance))
    execute(database, "UPDATE emag_offer_syncs SET process_start_ticks = process_start_ticks - 1")
    said = _evaluate(instance, settings)
    assert "is gone; marked as failed; no process of it was found" in said
    assert "could not be reached" not in said


def test_a_living_sync_whose_run_is_unknown_here_is_left_alone(
    database: Database, instance: dg.DagsterInstance, settings: Settings
) -> None:
    begin(database, run_id="1f1fcd41-0000-0000-0000-000000000000")
    begin(database, "fbe", run_id="1f1fcd41-0000-0000-0000-000000000001", dagster_instance_id=identity_of(instance))
    assert _evaluate(instance, settings) == "no running sync is stuck"


def test_an_account_of_another_installation_is_not_judged(
    database: Database, instance: dg.DagsterInstance, settings: Settings
) -> None:
    begin(database, "outlet")
    _age(database, "heartbeat_at", 2)
    assert _evaluate(instance, settings) == "no running sync is stuck"
    assert _row(database).status == "running"


def test_a_sync_whose_run_was_cancelled_is_cancelled_and_counts_as_no_failure(
    database: Database, instance: dg.DagsterInstance, settings: Settings
) -> None:
    run_id = _started(instance, dg.DagsterRunStatus.CANCELED)
    begin(database, run_id=run_id, dagster_instance_id=identity_of(instance))
    assert "marked as cancelled" in _evaluate(instance, settings)
    run = instance.get_run_by_id(run_id)
    assert run is not None
    assert run.status == dg.DagsterRunStatus.CANCELED
    assert (_row(database).status, _counts(database)) == ("cancelled", {})


def test_a_run_without_a_sync_that_says_nothing_any_more_is_failed(
    database: Database, instance: dg.DagsterInstance, settings: Settings
) -> None:
    run_id = _started(instance)
    started = dg.DagsterEvent(DagsterEventType.RUN_START.value, "refresh_offers")
    instance.report_dagster_event(started, run_id, timestamp=time.time() - 170)
    assert "is in progress without a sync" in _evaluate(instance, settings)
    assert _counts(database) == {"stuck": 1, "recovered": 1}


def test_a_run_that_has_just_started_is_left_alone(
    database: Database, instance: dg.DagsterInstance, settings: Settings
) -> None:
    run_id = _started(instance)
    assert _evaluate(instance, settings) == "no running sync is stuck"
    run = instance.get_run_by_id(run_id)
    assert run is not None
    assert run.status == dg.DagsterRunStatus.STARTED


def test_a_publish_under_way_is_left_alone_however_long_it_takes(
    database: Database, instance: dg.DagsterInstance, settings: Settings
) -> None:
    lease = begin(database, run_id=_started(instance))
    _age(database, "progressed_at", 2)
    with database.transaction() as publishing:
        ledger.hold(publishing, lease)
        _evaluate(instance, settings)
    assert _row(database).status == "running"


def test_each_evaluation_is_a_tick_although_nothing_was_found(
    database: Database, instance: dg.DagsterInstance, settings: Settings
) -> None:
    _evaluate(instance, settings)
    assert 0 <= monitoring_tables.tick_ages(database)["stuck_syncs"] < 60
