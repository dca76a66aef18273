"""The marts as Dagster runs them: the real jobs with their checks, and the sensor that requests them."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from emag_pipeline.dagster_runs.resource import Pipeline
from emag_pipeline.definitions import defs
from emag_pipeline.marts.registry import OF_NEWEST_PUBLISH, Mart
from emag_pipeline.report.dagster import _nothing_due, stale_marts
from emag_pipeline.settings import Settings, load_settings
from emag_pipeline.store import monitoring_tables
from emag_pipeline.store.engine import Database
from emag_pipeline.wording import counted
from emag_pipeline_tests.dagster.runs import RunJob, sensor_context
from emag_pipeline_tests.store.ageing import let_pass
from emag_pipeline_tests.sync.pasts import Past, good
from emag_pipeline_tests.sync.syncs import rows

Tick = Callable[[], dict[str, str]]

#: The marts that list an offer of `past`. Others by offer are tested with them as soon as they list one, too.
_LISTING = {"offer_issues", "buy_button", "low_stock"}


def _today() -> date:
    return datetime.now(UTC).date()


@pytest.fixture
def settings(database_url: str) -> Settings:
    """No marketplace is asked."""
    return load_settings({"DATABASE_SYNC_URL": database_url}, env_file=None)


@pytest.fixture
def tick(settings: Settings, instance: dg.DagsterInstance) -> Tick:
    """Evaluates the sensor; what it requests, by run key."""

    def evaluate() -> dict[str, str]:
        requests = stale_marts.evaluate_tick(sensor_context(settings, instance)).run_requests or []
        return {str(one.run_key): f"{one.job_name} {one.partition_key}" for one in requests}

    return evaluate


@pytest.fixture
def past(database: Database) -> Past:
    """An account with an issue, a lost button and a stock that falls."""
    past = Past(database)
    past.publish(good(1, status=0), good(2, buy_button_rank=1, general_stock=9), good(3))
    past.wait(days=2)
    past.publish(good(1, status=0), good(2, buy_button_rank=2, general_stock=4), good(3))
    return past


def _metadata(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, Any]:
    (event,) = result.asset_materializations_for_node(asset)
    return {name: value.value for name, value in event.metadata.items()}


def _evaluations(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    return {one.check_name: one for one in result.get_asset_check_evaluations()}


def test_a_materialization_tells_rows_and_key_numbers(past: Past, run_job: RunJob) -> None:
    result = run_job("refresh_marts", "main")
    issues, buttons, stocks = (_metadata(result, name) for name in ("offer_issues", "buy_button", "low_stock"))
    written = ("dagster/row_count", "rows_inserted", "rows_updated", "rows_deleted")
    assert [issues[name] for name in written] == [1, 1, 0, 0]
    assert (issues["issues"], issues["stock_held_back"], issues["value_held_back"]) == (1, 5, 52.5)
    assert (buttons["offers_with_rank"], buttons["lost"], buttons["with_buy_button"]) == (1, 1, 0)
    assert (stocks["running_out"], stocks["within_a_week"]) == (1, 1)
    assert [record.data["emag_offer_id"] for record in stocks["sample"].records] == [2]
    columns = {column.name: column for column in issues["dagster/column_schema"].columns}
    assert columns["since"].description


def test_a_row_that_somebody_removed_fails_its_check_and_is_named(
    past: Past, run_job: RunJob, database: Database, settings: Settings, instance: dg.DagsterInstance
) -> None:
    past.publish(good(1, status=0), good(2, buy_button_rank=2, general_stock=0), good(3))
    assert run_job("refresh_marts", "main").success
    listing = _listing(database)
    assert {mart.name for mart in listing} >= _LISTING
    for mart in listing:
        with database.transaction() as tx:
            last = f"(SELECT max(emag_offer_id) FROM {mart.table})"
            removed = tx.run(f"DELETE FROM {mart.table} WHERE emag_offer_id = {last} RETURNING emag_offer_id").all()
        found = _check_alone(mart.check, settings, instance)
        assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.ERROR)
        named = [record.data["emag_offer_id"] for record in found.metadata["sample"].value.records]
        assert named == [row.emag_offer_id for row in removed]
        assert str(found.description).startswith(f"{counted(len(removed), 'difference')} between")


def test_a_row_that_somebody_added_fails_its_check_and_is_named(
    past: Past, run_job: RunJob, database: Database, settings: Settings, instance: dg.DagsterInstance
) -> None:
    assert run_job("refresh_marts", "main").success
    listing = _listing(database)
    assert {mart.name for mart in listing} >= _LISTING
    for mart in listing:
        with database.transaction() as tx:
            last = f"(SELECT max(emag_offer_id) FROM {mart.table})"
            tx.run(f"UPDATE {mart.table} SET emag_offer_id = 77 WHERE emag_offer_id = {last}")
        found = _check_alone(mart.check, settings, instance)
        assert 77 in [record.data["emag_offer_id"] for record in found.metadata["sample"].value.records]


def test_a_mart_that_shows_an_older_publish_is_a_warning_in_words(
    past: Past, run_job: RunJob, settings: Settings, instance: dg.DagsterInstance
) -> None:
    run_job("refresh_marts", "main")
    past.publish(good(3))
    found = _check_alone("issues_reconcile_with_offers", settings, instance)
    assert (found.passed, found.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "offer_issues shows the publish of" in str(found.description)


def _listing(database: Database) -> list[Mart]:
    """The marts by offer that have a row."""
    by_offer = [mart for mart in OF_NEWEST_PUBLISH if "emag_offer_id" in mart.key]
    return [mart for mart in by_offer if rows(database, f"SELECT FROM {mart.table} LIMIT 1")]


def _check_alone(check: str, settings: Settings, instance: dg.DagsterInstance) -> dg.AssetCheckEvaluation:
    """The check without its asset, as in the UI."""
    (key,) = [one for one in defs.resolve_asset_graph().asset_check_keys if one.name == check]
    job = defs.resolve_job_def("refresh_marts").get_subset(asset_selection=set(), asset_check_selection={key})
    result = job.execute_in_process(instance=instance, partition_key="main", resources={"pipeline": Pipeline(settings)})
    (found,) = result.get_asset_check_evaluations()
    return found


def test_figures_of_a_day_that_somebody_changed_fail_its_check(past: Past, run_job: RunJob, database: Database) -> None:
    yesterday = _today() - timedelta(days=1)
    run_job("refresh_daily_assortment", f"main|{yesterday}")
    with database.transaction() as tx:
        tx.run("UPDATE emag_daily_assortment SET offers = offers + 1")
    found = _evaluations(run_job("refresh_daily_assortment", f"main|{_today()}"))["assortment_reconciles_with_offers"]
    assert not found.passed
    (record,) = found.metadata["sample"].value.records
    assert record.data["figure"] == "offers of the day before + arrivals - departures"


def test_the_figures_of_a_day_are_told_as_numbers(past: Past, run_job: RunJob) -> None:
    told = _metadata(run_job("refresh_daily_assortment", f"main|{_today()}"), "daily_assortment")
    assert (told["offers"], told["saleable_offers"], told["stock"], told["currency"]) == (3, 2, 14.0, "RON")
    assert told["issues"] == {"inactive": 1}


def test_a_day_before_the_first_publish_is_told_as_such(past: Past, run_job: RunJob) -> None:
    told = _metadata(run_job("refresh_daily_assortment", "main|2026-10-01"), "daily_assortment")
    assert (told["dagster/row_count"], "had not been published yet" in told["note"]) == (0, True)


def test_before_any_publish_the_sensor_does_not_say_that_marts_show_one(
    settings: Settings, instance: dg.DagsterInstance, database: Database
) -> None:
    tick = stale_marts.evaluate_tick(sensor_context(settings, instance))
    assert tick.skip_message == "nothing has been published yet"
    lone = settings.model_copy(update={"accounts": settings.accounts[:1]})
    assert _nothing_due([one.name for one in settings.accounts], {"main"}) == (
        "the marts show what is published; fbe: nothing has been published yet"
    )
    assert _nothing_due([one.name for one in lone.accounts], {"main"}) == "the marts show what is published"


def test_each_publish_is_requested_once(past: Past, tick: Tick, database: Database) -> None:
    first = tick()
    assert tick().keys() == first.keys(), "Dagster starts no second run for a key"
    past.publish(good(1))
    assert not [key for key in tick() if key.startswith("marts") and key in first]
    assert "stale_marts" in monitoring_tables.tick_ages(database)


def test_days_before_the_first_one_that_dagster_knows_are_not_asked_for(
    past: Past, tick: Tick, database: Database
) -> None:
    """One such day would fail the whole tick: after a restore, or where EMAG_FIRST_DAY is later than the history."""
    let_pass(database, timedelta(days=(_today() - date(2026, 9, 1)).days))
    asked = [
        partition.split("|")[1] for job, partition in (one.split(" ") for one in tick().values()) if "daily" in job
    ]
    assert asked
    assert min(asked) >= "2026-10-01"


def test_a_day_to_come_is_not_asked_for(past: Past, tick: Tick, database: Database) -> None:
    """The database's clock was ahead at the publish and was set back since."""
    let_pass(database, timedelta(days=-2))
    asked = [one.split(" ")[1].split("|")[1] for one in tick().values() if "daily" in one]
    assert all(day <= str(_today()) for day in asked)


def test_days_that_are_over_are_computed_to_their_end_a_few_at_a_time(
    past: Past, tick: Tick, run_job: RunJob, database: Database
) -> None:
    let_pass(database, timedelta(days=6))
    asked: list[str] = []
    for _ in range(3):
        wanted = [partition for job, partition in (one.split(" ") for one in tick().values()) if "daily" in job]
        asked += wanted
        for partition in wanted:
            assert run_job("refresh_daily_assortment", partition).success
    days = [str(_today() - timedelta(days=one)) for one in range(1, 9)]
    assert [partition.split("|")[1] for partition in asked] == days
    found = rows(database, "SELECT day FROM emag_daily_assortment ORDER BY day DESC")
    assert [str(row.day) for row in found] == days
