"""Reference data in Dagster: the job, its checks, its schedule and the sensor beneath it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from emag_pipeline.dagster_runs.resource import Pipeline
from emag_pipeline.dagster_runs.start_time import NOT_BEFORE_TAG, second_of
from emag_pipeline.definitions import defs
from emag_pipeline.monitoring.dagster import run_failures
from emag_pipeline.monitoring.incidents import open_incidents
from emag_pipeline.reference.dagster import reference_schedule, stale_reference
from emag_pipeline.reference.read import allowed_age
from emag_pipeline.reference.tables import unknown_vat_rates
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.settings import Settings, load_settings
from emag_pipeline.store import monitoring_tables
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.dagster.runs import Run, executed, sensor_context
from emag_pipeline_tests.store.ageing import let_pass
from emag_pipeline_tests.sync.syncs import execute, rows

_REPOSITORY = defs.get_repository_def()
_JOB = defs.resolve_job_def("refresh_reference")
_ASSETS = ("categories", "vat_rates", "handling_times")

Read = Callable[..., dg.ExecuteInProcessResult]
Asked = Callable[[], str]


@pytest.fixture
def read(settings: Settings, instance: dg.DagsterInstance) -> Read:
    """Executes `refresh_reference` for the sandbox."""
    return lambda **tags: executed("refresh_reference", "sandbox", settings, instance, tags=tags)


@pytest.fixture
def asked(settings: Settings, instance: dg.DagsterInstance) -> Asked:
    """What `stale_reference` says; `requested sandbox` when it requests a run."""

    def evaluate() -> str:
        tick = stale_reference.evaluate_tick(sensor_context(settings, instance))
        requested = [str(request.partition_key) for request in tick.run_requests or ()]
        return f"requested {', '.join(requested)}" if requested else tick.skip_message or ""

    return evaluate


def _metadata(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, dg.MetadataValue]:
    (event,) = result.asset_materializations_for_node(asset)
    assert event.partition == "sandbox"
    return dict(event.metadata)


def _check(result: dg.ExecuteInProcessResult, name: str) -> dg.AssetCheckEvaluation:
    (found,) = [one for one in result.get_asset_check_evaluations() if one.check_name == name]
    return found


def test_a_run_reads_the_marketplace_and_tells_its_numbers(database: Database, read: Read) -> None:
    assert read().success
    again = read()
    told = {asset: _metadata(again, asset) for asset in _ASSETS}
    counts = {row.resource: row.rows for row in rows(database, "SELECT * FROM emag_reference_reads")}
    assert {asset: metadata["dagster/row_count"].value for asset, metadata in told.items()} == counts
    for metadata in told.values():
        assert [metadata[name].value for name in ("created", "updated", "deleted", "unreadable")] == [0, 0, 0, 0]
    schema = told["vat_rates"]["dagster/column_schema"].value
    assert isinstance(schema, dg.TableSchema)
    assert {column.name: column.type for column in schema.columns}["rate"] == "numeric(9,4)"


def test_the_metadata_shows_some_of_the_rows(read: Read) -> None:
    sample = _metadata(read(), "vat_rates")["sample"]
    assert isinstance(sample, dg.TableMetadataValue)
    assert [(record.data["vat_id"], record.data["rate"]) for record in sample.records] == [(1, 0.21), (2, 0.11), (3, 0)]


def test_rows_that_cannot_be_represented_are_shown_with_the_reason(market: SandboxServer, read: Read) -> None:
    market.add_fault("poison", resource="category/read", row="no_id", pages=[1])
    metadata = _metadata(read(), "categories")
    assert metadata["unreadable"].value == 2
    shown = metadata["unreadable_rows"]
    assert isinstance(shown, dg.TableMetadataValue)
    assert str(shown.records[0].data["reason"]).startswith("ro: id is missing: {")


def test_offers_with_known_ids_pass_the_checks(run: Run, read: Read) -> None:
    run("main")
    result = read()
    for name in ("vat_rates_exist_for_all_offers", "categories_exist_for_all_offers"):
        found = _check(result, name)
        assert (found.passed, found.partition, found.metadata["findings"].value) == (True, "sandbox", 0)


def test_an_offer_with_an_unknown_vat_id_or_category_is_reported_and_kept(
    market: SandboxServer, database: Database, run: Run, read: Read
) -> None:
    odd = market.ids("main")[:25]
    for offer_id in odd:
        market.edit("main", offer_id, vat_id=99, category_id=8_888_888)
    run("main")
    result = read()
    assert result.success, "nothing stops because of it"
    wanted = [
        (
            "vat_rates_exist_for_all_offers", "vat_id", 99, dg.AssetCheckSeverity.ERROR,
            "1 VAT id of 25 existing offers is not in the marketplace's list of VAT rates: prices with VAT are empty "
            "in 25 offers; for example VAT id 99 of main, offer {first}",
        ),
        (
            "categories_exist_for_all_offers", "category_id", 8_888_888, dg.AssetCheckSeverity.WARN,
            "1 category id of 25 existing offers is not in the marketplace's list of categories: category_name is "
            "empty in 25 offers; for example category id 8888888 of main, offer {first}",
        ),
    ]  # fmt: skip
    for name, column, unknown, severity, said in wanted:
        found = _check(result, name)
        assert (found.passed, found.severity, found.metadata["findings"].value) == (False, severity, 25)
        sample = found.metadata["sample"]
        assert isinstance(sample, dg.TableMetadataValue)
        first = {"account": "main", "emag_offer_id": min(odd), column: unknown}
        assert len(sample.records) == 20
        assert first.items() <= sample.records[0].data.items()
        assert sample.records[0].data["name"]
        assert found.description == said.format(first=min(odd))
    assert rows(database, "SELECT count(*) FROM emag_current_offers WHERE account_type = 'main'")[0][0] == 320
    empty = "SELECT count(*) FROM emag_current_offers WHERE vat_id = 99 AND sale_price_with_vat IS NULL"
    assert rows(database, empty)[0][0] == 25, "the sentence is true"
    execute(
        database,
        """INSERT INTO emag_vat_rates (marketplace, vat_id, rate, raw, changed_at, deleted_at)
           VALUES ('sandbox', 99, 0.21, '{}', now(), now())""",
    )
    once = unknown_vat_rates(database, "sandbox")
    assert (once.offers, once.no_longer_listed, rows(database, empty)[0][0]) == (25, 25, 0)


def test_the_checks_are_asked_again_after_each_publish_without_a_reading(
    market: SandboxServer, database: Database, settings: Settings, run: Run, read: Read, tmp_path: Path
) -> None:
    """They would pass while they are false, and stay red when the offers are corrected, until the next reading."""
    review = defs.resolve_job_def("refresh_marts")
    odd = market.ids("main")[0]
    run("main")
    read()
    with dg.DagsterInstance.local_temp(str(tmp_path)) as kept:
        for vat_id, category_id, passes in ((99, 8_888_888, False), (1, None, True)):
            known = list(market.truth("main"))[1]["category_id"] if category_id is None else category_id
            market.edit("main", odd, vat_id=vat_id, category_id=known)
            run("main")
            done = review.execute_in_process(
                partition_key="main", instance=kept, resources={"pipeline": Pipeline(settings)}
            )
            for name, asset in (
                ("vat_rates_exist_for_all_offers", "vat_rates"),
                ("categories_exist_for_all_offers", "categories"),
            ):
                (told,) = rows(
                    database,
                    "SELECT * FROM emag_check_results WHERE check_name = :name",
                    name=name,
                )
                assert (told.subject, told.asset, told.passed) == ("sandbox", asset, passes), told.said
                assert told.dagster_run_id == done.run_id, "in Dagster a run tells it, no sensor"
                key = dg.AssetCheckKey(dg.AssetKey(asset), name)
                newest = next(iter(kept.event_log_storage.get_asset_check_execution_history(key, 1)))
                assert (newest.partition, newest.status.value) == ("sandbox", "SUCCEEDED" if passes else "FAILED")


def test_a_failure_is_told_in_the_pipelines_words_and_leaves_the_others_alone(
    market: SandboxServer, read: Read
) -> None:
    market.add_fault("wrong_credentials", resource="vat/read")
    result = read()
    assert not result.success
    (failure,) = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    assert failure.user_failure_data is not None
    assert failure.user_failure_data.metadata["error_class"].value == "AccessRefused"
    assert _metadata(result, "categories")["dagster/row_count"].value


def test_a_scheduled_run_comes_at_a_second_of_its_own_and_never_beside_another(tmp_path: Path) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as kept:
        context = dg.build_schedule_context(
            instance=kept,
            repository_def=_REPOSITORY,
            scheduled_execution_time=datetime(2026, 11, 24, 2, 17, tzinfo=UTC),
        )
        schedule = _REPOSITORY.get_schedule_def("refresh_reference_sandbox")
        (request,) = schedule.evaluate_tick(context).run_requests or ()
        assert request.partition_key == "sandbox"
        assert request.tags[NOT_BEFORE_TAG] == f"2026-11-24T02:17:{second_of('sandbox')}+00:00"
        kept.create_run_for_job(_JOB, status=dg.DagsterRunStatus.STARTED, tags={"dagster/partition": "sandbox"})
        assert schedule.evaluate_tick(context).skip_message == "a run of sandbox is queued or under way"


def test_when_it_is_scheduled_can_be_set_and_any_host_makes_a_name() -> None:
    given = {"EMAG_REFERENCE_CRON": "H 5 * * 1", "EMAG_CRON_TIMEZONE": "Europe/Bucharest"}
    schedule = reference_schedule("api-test.example.com", load_settings(given, env_file=None))
    minute, rest = schedule.cron_schedule.split(" ", 1) if isinstance(schedule.cron_schedule, str) else ("", "")
    assert (schedule.name, rest) == ("refresh_reference_api_test_example_com", "5 * * 1")
    assert int(minute) % 5
    assert schedule.execution_timezone == "Europe/Bucharest"


def test_what_was_never_read_is_read_by_itself_and_again_after_a_day_and_a_half(
    database: Database, read: Read, asked: Asked
) -> None:
    assert asked() == "requested sandbox"
    assert "stale_reference" in monitoring_tables.tick_ages(database)
    read()
    assert asked() == "sandbox: fresh"
    let_pass(database, timedelta(hours=37))
    assert asked() == "requested sandbox"


def test_one_resource_that_was_never_read_is_enough(market: SandboxServer, read: Read, asked: Asked) -> None:
    market.add_fault("wrong_credentials", resource="handling_time/read")
    read()
    market.clear_faults()
    assert asked() == "sandbox: waits for a person"
    read()
    assert asked() == "sandbox: fresh"


def test_what_waited_for_a_person_is_tried_again_once_an_account_is_published(
    market: SandboxServer, run: Run, read: Read, asked: Asked
) -> None:
    fault = market.add_fault("wrong_credentials")
    read()
    assert asked() == "sandbox: waits for a person"
    market.clear_faults(fault)
    run("fbe")
    assert asked().startswith("sandbox: next try in")


def test_runs_do_not_pile_up(instance: dg.DagsterInstance, asked: Asked) -> None:
    instance.create_run_for_job(_JOB, status=dg.DagsterRunStatus.NOT_STARTED, tags={"dagster/partition": "sandbox"})
    assert asked() == "sandbox: a run is under way"


def test_after_failures_the_next_try_comes_ever_later(instance: dg.DagsterInstance, asked: Asked) -> None:
    for _ in range(3):
        run = instance.create_run_for_job(
            _JOB, status=dg.DagsterRunStatus.STARTED, tags={"dagster/partition": "sandbox"}
        )
        instance.report_run_failed(run, "terminated by signal 9")
    seconds = float(asked().removeprefix("sandbox: next try in ").removesuffix(" s"))
    assert 1100 < seconds <= 1200, "four monitor intervals"


def test_a_marketplace_that_fails_is_an_incident_until_it_is_read(
    market: SandboxServer, database: Database, settings: Settings, instance: dg.DagsterInstance, read: Read
) -> None:
    def look() -> list[tuple[str, str | None]]:
        run_failures.evaluate_tick(sensor_context(settings, instance))
        return [(one.subject, one.error_class) for one in open_incidents(database)]

    fault = market.add_fault("wrong_credentials", resource="vat/read")
    read()
    assert look() == [("refresh_reference of sandbox", "AccessRefused")]
    market.clear_faults(fault)
    read()
    assert look() == []


@pytest.mark.parametrize(
    ("cron", "hours"), [("H 2 * * *", 36), ("0 */6 * * *", 9), ("H 2 * * 1-5", 108), ("H 5 * * 1", 252)]
)
def test_how_old_it_may_become_follows_its_schedule(cron: str, hours: float) -> None:
    assert allowed_age(load_settings({"EMAG_REFERENCE_CRON": cron}, env_file=None)) == timedelta(hours=hours)
