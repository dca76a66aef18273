from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
from dagster._core.definitions.sensor_definition import SensorExecutionData
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

from emag_pipeline.assets.pipeline import Pipeline
from emag_pipeline.automation.stale_accounts import stale_accounts
from emag_pipeline.db import deviations
from emag_pipeline.db.engine import Database
from emag_pipeline.definitions import defs
from emag_pipeline.embedded import EmbeddedServer
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.settings import Settings
from emag_pipeline_tests.dagster.conftest import Run
from emag_pipeline_tests.dagster.stored_instance import stored_instance
from emag_pipeline_tests.db.ageing import let_pass
from emag_pipeline_tests.db.offers import offer
from emag_pipeline_tests.db.syncs import sync


def _tick(instance: dg.DagsterInstance, settings: Settings, cursor: str | None = None) -> SensorExecutionData:
    context = dg.build_sensor_context(
        instance=instance, cursor=cursor, definitions=defs, resources={"pipeline": Pipeline(settings)}
    )
    return stale_accounts.evaluate_tick(context)


def _requested(instance: dg.DagsterInstance, settings: Settings) -> list[str]:
    return [str(request.partition_key) for request in _tick(instance, settings).run_requests or ()]


def _answers(tick: SensorExecutionData) -> dict[str | None, bool]:
    """What the tick says of the check offers_are_fresh, by partition."""
    events = [event for event in tick.asset_events if isinstance(event, dg.AssetCheckEvaluation)]
    assert all(event.check_name == "offers_are_fresh" for event in events)
    return {event.partition: event.passed for event in events}


def test_an_account_that_was_never_published_is_refreshed(instance: dg.DagsterInstance, settings: Settings) -> None:
    assert _requested(instance, settings) == ["main", "fbe"]


def test_a_fresh_account_is_left_alone_until_it_is_stale(
    database: Database, instance: dg.DagsterInstance, settings: Settings, run: Run
) -> None:
    run("main")
    assert _requested(instance, settings) == ["fbe"]
    with database.transaction() as tx:
        tx.run("UPDATE {schema}.emag_offer_syncs SET completed_at = now() - interval '6 hours 1 minute'")
    assert _requested(instance, settings) == ["main", "fbe"]


def test_an_account_with_a_run_under_way_gets_no_second_one(instance: dg.DagsterInstance, settings: Settings) -> None:
    instance.create_run_for_job(
        defs.resolve_job_def("refresh_offers"),
        status=dg.DagsterRunStatus.NOT_STARTED,
        tags={"dagster/partition": "main"},
    )
    assert _requested(instance, settings) == ["fbe"]


def test_an_account_that_waits_for_a_person_is_not_tried_again(
    market: SandboxServer, instance: dg.DagsterInstance, settings: Settings, run: Run
) -> None:
    market.add_fault("wrong_credentials", account="main")
    run("main")
    assert _requested(instance, settings) == ["fbe"]


def test_an_account_that_was_never_published_or_too_long_ago_fails_the_check_that_offers_are_fresh(
    database: Database, instance: dg.DagsterInstance, settings: Settings
) -> None:
    sync(database, [offer(1)])
    assert _answers(_tick(instance, settings)) == {"main": True, "fbe": False}
    let_pass(database, timedelta(hours=6, minutes=1))
    assert _answers(_tick(instance, settings)) == {"main": False, "fbe": False}


def test_an_answer_is_told_again_only_when_it_changes(
    database: Database, instance: dg.DagsterInstance, settings: Settings
) -> None:
    sync(database, [offer(1)])
    first = _tick(instance, settings)
    second = _tick(instance, settings, first.cursor)
    assert _answers(second) == {}
    let_pass(database, timedelta(hours=6, minutes=1))
    assert _answers(_tick(instance, settings, second.cursor)) == {"main": False}


def test_an_account_that_may_be_stale_is_still_refreshed_and_passes_the_check(
    database: Database, instance: dg.DagsterInstance, settings: Settings
) -> None:
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    deviations.accept(database, "main", "offers_are_fresh", [], reason="closed", until=tomorrow, by="ana")
    tick = _tick(instance, settings)
    assert _answers(tick) == {"main": True, "fbe": False}
    assert [request.partition_key for request in tick.run_requests or ()] == ["main", "fbe"]


def test_what_the_sensor_tells_is_stored_for_its_account_without_a_run(
    database: Database, settings: Settings, cluster: EmbeddedServer, tmp_path: Path
) -> None:
    sync(database, [offer(1)])
    with stored_instance(cluster, tmp_path) as instance:
        for event in _tick(instance, settings).asset_events:
            instance.report_runless_asset_event(event)
        key = dg.AssetCheckKey(dg.AssetKey("offers"), "offers_are_fresh")
        records = instance.event_log_storage.get_asset_check_execution_history(key, 10)
    assert {record.partition: record.status for record in records} == {
        "main": AssetCheckExecutionRecordStatus.SUCCEEDED,
        "fbe": AssetCheckExecutionRecordStatus.FAILED,
    }
