import re

import dagster as dg
import pytest

from emag_pipeline import dagster_runs
from emag_pipeline.dagster_runs.instance import identity_of
from emag_pipeline.report import words
from emag_pipeline.report.facts import last_syncs
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.dagster.runs import Run
from emag_pipeline_tests.sync.syncs import begin, rows
from emag_pipeline_tests.sync.truth import assert_published_exactly

_CHECKS = ("scan_is_complete", "offer_ids_are_unique", "rejects_within_tolerance", "volume_has_not_collapsed")
_STAGED = dg.AssetKey("staged_offers")


def _metadata(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, object]:
    (event,) = result.asset_materializations_for_node(asset)
    return {name: value.value for name, value in event.metadata.items()}


def test_a_run_publishes_the_account_and_tells_its_numbers(market: SandboxServer, database: Database, run: Run) -> None:
    result = run("main")
    assert result.success
    assert_published_exactly(database, market, "main")
    staged, published = _metadata(result, "staged_offers"), _metadata(result, "offers")
    assert (staged["pages"], staged["offers"], staged["requests"]) == (4, 320, 8)
    counted = (
        "created",
        "updated",
        "unchanged",
        "deleted",
        "flagged",
        "quarantined_rows",
        "pages",
        "dagster/row_count",
        "requests",
    )
    assert [published[name] for name in counted] == [320, 0, 0, 0, 0, 0, 4, 320, 8]
    assert {"seconds", "offers_per_second", "rate_budget_share", "proof", "dagster/column_schema"} <= published.keys()
    assert "| different offers among them | 320 |" in str(published["proof"])


def _numbers(text: str) -> list[int]:
    return [int(one.replace(",", "")) for one in re.findall(r"\d[\d,]*", text)]


def test_what_is_shown_of_a_proof_adds_up_with_hidden_quarantined_and_flagged_offers(
    market: SandboxServer, database: Database, run: Run
) -> None:
    run("main")
    ids = market.ids("main")
    market.remove("main", ids[5:7])
    market.hide("main", ids[10:13])
    market.hide("main", ids[13:15], counted=True)
    market.add_fault("poison", row="no_id", offer_ids=ids[20:21])
    result = run("main")
    assert result.success
    staged, published = _metadata(result, "staged_offers"), _metadata(result, "offers")
    seen = "SELECT count(*) FILTER (WHERE deleted_at IS NULL), count(*) FILTER (WHERE rejected_at IS NOT NULL)"
    ((offers, flagged),) = rows(database, seen + " FROM emag_product_offers")
    assert (offers, flagged, published["offers"], published["flagged"]) == (318, 1, 318, 1)
    assert sum(int(str(published[one])) for one in ("created", "updated", "unchanged", "flagged")) == offers
    assert staged["dagster/row_count"] == offers - flagged

    answers = {one.check_name: one for one in result.get_asset_check_evaluations()}
    sentence, besides = str(answers["scan_is_complete"].description).split("; ")
    assert sentence.startswith("all 315 counted offers are accounted for: ")
    count, *parts = _numbers(sentence)
    assert (count, parts) == (315, [312, 1, 2])
    assert _numbers(besides) == [4], "3 uncounted ones, and that of the row without an id"
    for proof in (staged["proof"], published["proof"]):
        told = [line.split("|") for line in str(proof).splitlines() if re.match(r"\| [*=+]", line)]
        assert [_numbers(value)[0] for _, _, value, _ in told] == [315, 312, 1, 0, 0, 2]
    rejects = {name: one.value for name, one in answers["rejects_within_tolerance"].metadata.items()}
    not_read = rejects["quarantined"] + rejects["unreadable_rows"] + rejects["unreadable_positions"]
    assert not_read - rejects["met_twice"] == rejects["not_read"] == round(rejects["share"] * rejects["rows"])
    assert rejects["quarantined"] == published["quarantined_rows"] == staged["quarantined_rows"]

    (newest,) = last_syncs(database, "main", limit=1)
    told_of = words.proof(newest).split(";")[0]
    before, after, *of_report = _numbers(told_of)
    assert (before, after, sum(of_report)) == (315, 315, 315)
    assert words.proof_in_short(newest).startswith("315 of 315 counted offers")


def test_the_column_schema_is_the_tables_own_with_comments(run: Run) -> None:
    schema = _metadata(run("main"), "offers")["dagster/column_schema"]
    assert isinstance(schema, dg.TableSchema)
    columns = {column.name: column for column in schema.columns}
    assert columns["sale_price"].type == "numeric(18,4)"
    assert "Tombstone" in (columns["deleted_at"].description or "")


def test_check_results_are_stored_for_each_account(run: Run, instance: dg.DagsterInstance) -> None:
    run("main")
    run("fbe")
    for check in _CHECKS:
        records = instance.event_log_storage.get_asset_check_execution_history(dg.AssetCheckKey(_STAGED, check), 10)
        stored = [(record.partition, record.event.asset_check_evaluation.passed) for record in records if record.event]
        assert sorted(stored) == [("fbe", True), ("main", True)]


def test_live_progress_is_observed_for_the_account(run: Run, instance: dg.DagsterInstance) -> None:
    run("main")
    observed = instance.fetch_observations(_STAGED, limit=10).records
    pages = [record.asset_observation.metadata["pages_done"].value for record in observed if record.asset_observation]
    assert pages == sorted(pages, reverse=True), "the newest first: what is covered never becomes less"
    assert pages[0] == 4
    assert {record.partition_key for record in observed} == {"main"}


def test_a_count_that_is_wrong_for_good_is_published_and_warned_of(market: SandboxServer, run: Run) -> None:
    market.add_fault("count_lies", difference=7)
    result = run("main")
    assert result.success
    (answer,) = [one for one in result.get_asset_check_evaluations() if one.check_name == "count_agrees"]
    assert (answer.passed, answer.severity, answer.blocking) == (False, dg.AssetCheckSeverity.WARN, False)
    assert answer.description == (
        "the marketplace counts 327 offers before the scan and 327 after it, 320 are accounted for"
    )


def test_a_refused_scan_keeps_the_offers_as_they_are(
    market: SandboxServer, database: Database, run: Run, instance: dg.DagsterInstance
) -> None:
    run("main")
    market.remove("main", market.ids("main")[:100])
    result = run("main")
    assert not result.success
    assert not result.asset_materializations_for_node("offers")
    failed = [one.check_name for one in result.get_asset_check_evaluations() if not one.passed]
    assert failed == ["volume_has_not_collapsed"]
    assert dagster_runs.exit_code(instance, result.run_id) == 3
    assert rows(database, "SELECT count(*) FROM emag_product_offers WHERE deleted_at IS NULL")[0][0] == 320


def test_an_error_that_no_rerun_mends_is_not_retried_and_says_what_to_do(
    market: SandboxServer, run: Run, instance: dg.DagsterInstance
) -> None:
    market.add_fault("wrong_credentials")
    result = run("main")
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    assert not [event for event in result.all_events if event.is_step_up_for_retry]
    described = failure.step_failure_data.user_failure_data
    assert described is not None
    assert described.metadata["error_class"].value == "AccessRefused"
    assert str(described.metadata["remedy"].value)
    assert dagster_runs.exit_code(instance, result.run_id) == 5


@pytest.mark.slow
def test_an_error_that_may_pass_is_retried_within_the_run(market: SandboxServer, run: Run) -> None:
    market.add_fault("server_error", resource="product_offer/count", count=5)
    result = run("fbe")
    assert result.success
    assert len([event for event in result.all_events if event.is_step_up_for_retry]) == 1


def test_a_run_beside_a_living_one_stops_quietly(database: Database, run: Run, instance: dg.DagsterInstance) -> None:
    other = instance.create_run_for_job(_empty_job, status=dg.DagsterRunStatus.STARTED)
    begin(database, run_id=other.run_id)
    result = run("main")
    assert dagster_runs.exit_code(instance, result.run_id) == 4
    assert not [event for event in result.all_events if event.is_step_up_for_retry]


def test_a_lease_whose_run_has_ended_is_taken_over_at_once(
    database: Database, run: Run, instance: dg.DagsterInstance
) -> None:
    other = instance.create_run_for_job(_empty_job, status=dg.DagsterRunStatus.FAILURE)
    begin(database, run_id=other.run_id, dagster_instance_id=identity_of(instance))
    assert run("main").success


@dg.job
def _empty_job() -> None:
    """Another job, whose runs stand for runs in other processes."""
