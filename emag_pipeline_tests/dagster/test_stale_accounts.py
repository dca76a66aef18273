from datetime import UTC, datetime, timedelta

import dagster as dg
from dagster._core.definitions.sensor_definition import SensorExecutionData

from emag_pipeline.definitions import defs
from emag_pipeline.monitoring.dagster import stale_accounts
from emag_pipeline.review import deviations
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.settings import Settings
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.dagster.runs import Run, sensor_context
from emag_pipeline_tests.store.ageing import let_pass, published_ago
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import sync


def _tick(instance: dg.DagsterInstance, settings: Settings, cursor: str | None = None) -> SensorExecutionData:
    return stale_accounts.evaluate_tick(sensor_context(settings, instance, cursor))


def _requested(instance: dg.DagsterInstance, settings: Settings) -> list[str]:
    return [str(request.partition_key) for request in _tick(instance, settings).run_requests or ()]


def test_an_account_that_was_never_published_is_refreshed(instance: dg.DagsterInstance, settings: Settings) -> None:
    assert _requested(instance, settings) == ["main", "fbe"]


def test_a_fresh_account_is_left_alone_until_it_is_stale(
    database: Database, instance: dg.DagsterInstance, settings: Settings, run: Run
) -> None:
    run("main")
    assert _requested(instance, settings) == ["fbe"]
    published_ago(database, timedelta(hours=6, minutes=1))
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


def test_a_tick_holds_nothing_that_dagster_may_fail_to_store_beside_its_requests(
    database: Database, instance: dg.DagsterInstance, settings: Settings
) -> None:
    sync(database, [offer(1)])
    let_pass(database, timedelta(hours=6, minutes=1))
    tick = _tick(instance, settings)
    assert [request.partition_key for request in tick.run_requests or ()] == ["main", "fbe"]
    assert (list(tick.asset_events), tick.cursor) == ([], None)


def test_an_account_that_may_be_stale_is_still_refreshed(
    database: Database, instance: dg.DagsterInstance, settings: Settings
) -> None:
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    deviations.accept(database, "main", "offers_are_fresh", [], reason="closed", until=tomorrow, by="ana")
    assert _requested(instance, settings) == ["main", "fbe"]
