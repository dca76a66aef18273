"""The checks on offers, run by Dagster on two accounts of the sandbox; the catalogue of `main` was edited."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import dagster as dg
import pytest

from emag_pipeline.dagster_runs.resource import Pipeline
from emag_pipeline.definitions import defs
from emag_pipeline.embedded import EmbeddedServer
from emag_pipeline.review.checks import OF_OFFERS
from emag_pipeline.review.deviations import ACCEPTABLE
from emag_pipeline.settings import load_settings
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.dagster.runs import Run
from emag_pipeline_tests.dagster.stored_instance import stored_instance
from emag_pipeline_tests.databases import copied
from emag_pipeline_tests.sandbox.sandboxes import unlimited_sandbox

_OFFERS = dg.AssetKey("offers")


@dataclass
class _Reviewed:
    """Both accounts were refreshed and reviewed once, on an instance as in production."""

    instance: dg.DagsterInstance
    execute: Callable[..., dg.ExecuteInProcessResult]
    refresh: dg.ExecuteInProcessResult
    review: dg.ExecuteInProcessResult
    wrong: int

    def answers(self, run: dg.ExecuteInProcessResult) -> dict[str, dg.AssetCheckEvaluation]:
        """What the run's checks said of the offers."""
        return {one.check_name: one for one in run.get_asset_check_evaluations() if one.asset_key == _OFFERS}

    def stored(self, check: str) -> dict[str | None, bool]:
        """By partition, whether the check passed."""
        key = dg.AssetCheckKey(_OFFERS, check)
        records = self.instance.event_log_storage.get_asset_check_execution_history(key, 20)
        found = [(one.partition, one.event.asset_check_evaluation) for one in records if one.event]
        return {partition: evaluation.passed for partition, evaluation in found if evaluation}


@pytest.fixture(scope="module")
def reviewed(cluster: EmbeddedServer, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Reviewed]:
    home = tmp_path_factory.mktemp("dagster")
    with (
        copied(cluster, template, "offers_checks") as database_url,
        unlimited_sandbox(accounts={"main": 130, "fbe": 40}) as market,
        stored_instance(cluster, home) as instance,
    ):
        settings = load_settings(
            {
                "DATABASE_SYNC_URL": database_url,
                "EMAG_SANDBOX": "1",
                "EMAG_SANDBOX_PORT": str(market.port),
                "EMAG_API_REQUESTS_PER_SECOND": "1000",
                "EMAG_API_REQUESTS_PER_MINUTE": "60000",
            },
            env_file=None,
        )

        def execute(
            job: str, account: str | None, checks: Sequence[dg.AssetCheckKey] = ()
        ) -> dg.ExecuteInProcessResult:
            selected = defs.resolve_job_def(job)
            if checks:
                selected = selected.get_subset(asset_selection=set(), asset_check_selection=set(checks))
            return selected.execute_in_process(
                partition_key=account,
                instance=instance,
                resources={"pipeline": Pipeline(settings)},
                raise_on_error=False,
            )

        wrong = market.ids("main")[0]
        market.edit("main", wrong, ean=["5941234567890"])
        for account in ("fbe", "main"):
            refresh, review = execute("refresh_offers", account), execute("refresh_marts", account)
        yield _Reviewed(instance, execute, refresh, review, wrong)


def test_a_refresh_compares_what_it_published_and_says_that_it_is_fresh(reviewed: _Reviewed) -> None:
    answers = reviewed.answers(reviewed.refresh)
    assert {name: answer.passed for name, answer in answers.items()} == {
        "published_equals_scan": True,
        "offers_are_fresh": True,
    }
    assert answers["published_equals_scan"].metadata["offers_published"].value == 130


def test_everything_else_is_reviewed_with_the_marts(reviewed: _Reviewed) -> None:
    assert {name: answer.passed for name, answer in reviewed.answers(reviewed.review).items()} == {
        check.name: check.name != "ean_check_digits_are_right" for check in OF_OFFERS
    }


def test_what_is_wrong_in_one_account_fails_the_check_for_that_account_only(reviewed: _Reviewed) -> None:
    assert reviewed.stored("ean_check_digits_are_right") == {"main": False, "fbe": True}
    assert reviewed.stored("published_equals_scan") == {"main": True, "fbe": True}


def test_the_failing_row_is_shown_with_what_to_do(reviewed: _Reviewed) -> None:
    answer = reviewed.answers(reviewed.review)["ean_check_digits_are_right"]
    assert answer.description == f"1 offer found: {reviewed.wrong} 5941234567890 should end in 9"
    sample = answer.metadata["sample"]
    assert isinstance(sample, dg.TableMetadataValue)
    assert [record.data["emag_offer_id"] for record in sample.records] == [reviewed.wrong]
    assert (answer.metadata["findings"].value, answer.metadata["accepted"].value) == (1, 0)
    assert "Correct the EAN" in str(answer.metadata["what_to_do"].value)


def test_a_warning_fails_no_run(reviewed: _Reviewed) -> None:
    assert reviewed.answers(reviewed.review)["ean_check_digits_are_right"].severity == dg.AssetCheckSeverity.WARN
    assert reviewed.review.success


def test_execute_all_in_the_ui_which_names_no_account_reviews_every_account(reviewed: _Reviewed) -> None:
    key = dg.AssetCheckKey(_OFFERS, "ean_check_digits_are_right")
    result = reviewed.execute("__ASSET_JOB", None, [key])
    found = {one.partition: one.passed for one in result.get_asset_check_evaluations()}
    assert (result.success, found) == (True, {"main": False, "fbe": True})


def test_all_checks_on_offers_can_be_accepted_but_the_one_that_judges_the_pipeline() -> None:
    keys = defs.resolve_asset_graph().asset_check_keys
    names = {key.name for key in keys if key.asset_key == _OFFERS}
    assert names - {"published_equals_scan"} == set(ACCEPTABLE)


def test_an_error_of_a_check_that_might_pass_does_not_let_the_catalogue_be_read_again(
    database: Database, run: Run, instance: dg.DagsterInstance
) -> None:
    with database.transaction() as tx:
        for statement in _DEADLOCK:
            tx.run(statement)
    result = run("main")
    assert result.asset_materializations_for_node("offers")
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert (failure.step_key, "deadlock" in str(failure.step_failure_data.user_failure_data)) == (
        "publish_review",
        True,
    )
    stored = instance.get_run_by_id(result.run_id)
    assert stored is not None
    assert stored.tags["dagster/retry_on_asset_or_op_failure"] == "false"


#: Whoever plans to read the accepted deviations is a deadlock's victim; only the checks read them.
_DEADLOCK = (
    "ALTER TABLE emag_accepted_deviations RENAME TO hidden",
    """CREATE FUNCTION deadlock() RETURNS boolean LANGUAGE plpgsql IMMUTABLE
       AS $$ BEGIN RAISE 'deadlock' USING ERRCODE = 'deadlock_detected'; END $$""",
    "CREATE VIEW emag_accepted_deviations AS SELECT * FROM hidden WHERE deadlock()",
)
