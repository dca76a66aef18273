"""The check answers_are_as_known, as its step and the button `Execute all` store it."""

from datetime import UTC, datetime

import dagster as dg

from emag_pipeline.dagster_runs.metadata import record
from emag_pipeline.review import deviations
from emag_pipeline.review.dagster import known_answers
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.sync.surprises import surprise
from emag_pipeline_tests.sync.syncs import rows


def test_it_passes_while_every_field_is_known(database: Database) -> None:
    result = known_answers(database, "main").result()
    assert (result.check_name, result.passed) == ("answers_are_as_known", True)
    assert "what_to_do" not in result.metadata


def test_it_warns_with_the_table_as_sample_and_what_to_do(database: Database) -> None:
    surprise(database)
    result = known_answers(database, "main").result()
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert result.description is not None
    assert "sale_price of product_offer/read has an unexpected type" in result.description
    sample = result.metadata["sample"]
    assert isinstance(sample, dg.TableMetadataValue)
    assert [record.data["field"] for record in sample.records] == ["sale_price"]
    assert "emag-pipeline probe" in str(result.metadata["what_to_do"].value)


def test_it_is_of_one_account(database: Database) -> None:
    surprise(database, account="fbe")
    assert [known_answers(database, account).passed for account in ("main", "fbe")] == [True, False]


def test_it_can_be_accepted_for_the_account_and_still_shows_what_there_is(database: Database) -> None:
    surprise(database)
    today = datetime.now(UTC).date()
    deviations.accept(database, "main", "answers_are_as_known", [], reason="reported", until=today, by="ana")
    answer = known_answers(database, "main")
    assert answer.passed
    assert answer.sentence.endswith("(12 times); accepted")
    assert (answer.metadata["findings"], answer.metadata["accepted"]) == (0, 1)
    assert "accepted_sample" in answer.metadata
    assert "sample" not in answer.metadata


def test_it_names_three_fields_and_says_how_many_more_there_are(database: Database) -> None:
    for number in range(5):
        surprise(database, field=f"field_{number}", times=1)
    assert known_answers(database, "main").sentence == (
        "5 fields of the responses are not as expected: field_0 of product_offer/read has an unexpected type (once), "
        "field_1 of product_offer/read has an unexpected type (once), "
        "field_2 of product_offer/read has an unexpected type (once) and 2 more"
    )


def test_what_is_kept_for_everybody_names_the_fields_without_their_values(database: Database) -> None:
    surprise(database)
    key = dg.AssetCheckKey(dg.AssetKey("offers"), "answers_are_as_known")
    record(database, key, known_answers(database, "main").result(), "main")
    ((findings, sample),) = rows(database, "SELECT findings, sample FROM emag_check_results")
    assert findings == 1
    assert [(row["field"], row["times"], "sample" in row) for row in sample] == [("sale_price", 12, False)]
