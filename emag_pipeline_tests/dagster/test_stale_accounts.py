import dagster as dg

from emag_pipeline.assets.pipeline import Pipeline
from emag_pipeline.automation.stale_accounts import stale_accounts
from emag_pipeline.db.engine import Database
from emag_pipeline.definitions import defs
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.settings import Settings
from emag_pipeline_tests.dagster.conftest import Run


def _requested(instance: dg.DagsterInstance, settings: Settings) -> list[str]:
    context = dg.build_sensor_context(instance=instance, definitions=defs, resources={"pipeline": Pipeline(settings)})
    return [str(request.partition_key) for request in stale_accounts.evaluate_tick(context).run_requests or ()]


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
