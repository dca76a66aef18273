"""The checks on offers, run by Dagster on an account of the sandbox whose catalogue was edited."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from emag_pipeline.assets.pipeline import Pipeline
from emag_pipeline.db.engine import Database
from emag_pipeline.definitions import defs
from emag_pipeline.embedded import EmbeddedServer
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.settings import Settings
from emag_pipeline_tests.dagster.conftest import Run
from emag_pipeline_tests.dagster.stored_instance import stored_instance

_OFFERS = dg.AssetKey("offers")
_REVIEWED = (
    "prices_are_plausible", "currencies_are_the_marketplaces", "ean_check_digits_are_right",
    "part_number_keys_are_unique", "best_prices_are_consistent",
)  # fmt: skip


@pytest.fixture
def instance(cluster: EmbeddedServer, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with stored_instance(cluster, tmp_path) as instance:
        yield instance


@pytest.fixture
def review(settings: Settings, instance: dg.DagsterInstance) -> Run:
    """Executes `refresh_marts`, with which these checks run, for an account."""
    job = defs.resolve_job_def("refresh_marts")
    return lambda account: job.execute_in_process(
        partition_key=account,
        instance=instance,
        resources={"pipeline": Pipeline(settings)},
        raise_on_error=False,
    )


def _stored(instance: dg.DagsterInstance, check: str) -> dict[str | None, bool]:
    """The newest result of each partition."""
    key = dg.AssetCheckKey(_OFFERS, check)
    records = instance.event_log_storage.get_asset_check_execution_history(key, 20)
    evaluations = [(one.partition, one.event.asset_check_evaluation) for one in reversed(records) if one.event]
    return {partition: found.passed for partition, found in evaluations if found}


def test_a_publish_is_compared_with_its_scan_and_found_fresh(run: Run, instance: dg.DagsterInstance) -> None:
    answers = run("main").get_asset_check_evaluations()
    assert {one.check_name: one.passed for one in answers if one.asset_key == _OFFERS} == {
        "published_equals_scan": True,
        "offers_are_fresh": True,
    }
    assert _stored(instance, "published_equals_scan") == {"main": True}


def test_what_the_marketplace_shows_wrongly_is_found_in_that_account_only(
    market: SandboxServer, run: Run, review: Run, instance: dg.DagsterInstance
) -> None:
    wrong, *_ = market.ids("main")
    market.edit("main", wrong, ean=["5941234567890"])
    for account in ("main", "fbe"):
        assert run(account).success
        assert review(account).success
    assert _stored(instance, "ean_check_digits_are_right") == {"main": False, "fbe": True}
    assert _stored(instance, "prices_are_plausible") == {"main": True, "fbe": True}


def test_the_failing_row_is_shown_and_a_warning_fails_no_run(market: SandboxServer, run: Run, review: Run) -> None:
    wrong, *_ = market.ids("main")
    market.edit("main", wrong, ean=["5941234567890"])
    run("main")
    result = review("main")
    (answer,) = [one for one in result.get_asset_check_evaluations() if one.check_name == "ean_check_digits_are_right"]
    assert (result.success, answer.passed, answer.severity) == (True, False, dg.AssetCheckSeverity.WARN)
    assert answer.description == f"1 offer found: {wrong} 5941234567890 should end in 9"
    sample = answer.metadata["sample"]
    assert isinstance(sample, dg.TableMetadataValue)
    assert [record.data["emag_offer_id"] for record in sample.records] == [wrong]
    assert answer.metadata["findings"].value == 1
    assert answer.metadata["what_to_do"].value


def test_the_sandboxs_own_catalogue_passes_every_check(run: Run, review: Run) -> None:
    run("main")
    answers = {one.check_name: one for one in review("main").get_asset_check_evaluations()}
    assert {name: answer.passed for name, answer in answers.items()} == dict.fromkeys(_REVIEWED, True)
    assert answers["ean_check_digits_are_right"].metadata["eans"].value > 300


def test_a_check_that_breaks_does_not_let_the_catalogue_be_read_again(
    market: SandboxServer, database: Database, run: Run, instance: dg.DagsterInstance
) -> None:
    with database.transaction() as tx:
        tx.run("ALTER TABLE {schema}.emag_accepted_deviations RENAME TO hidden")
    result = run("main")
    assert not result.success
    assert result.asset_materializations_for_node("offers")
    stored = instance.get_run_by_id(result.run_id)
    assert stored is not None
    assert stored.tags["dagster/retry_on_asset_or_op_failure"] == "false"
