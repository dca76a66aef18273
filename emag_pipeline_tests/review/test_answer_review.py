from emag_pipeline.store.engine import Database
from emag_pipeline.sync.surprises import SAMPLE, review_answers
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.surprises import surprise
from emag_pipeline_tests.sync.syncs import begin, execute, sync


def _fields(database: Database) -> list[str]:
    return [row["field"] for row in review_answers(database, "main").sample]


def test_known_answers_are_said_to_be_so(database: Database) -> None:
    found = review_answers(database, "main")
    assert (found.fields, found.sentence) == (0, "every field of the responses is as expected")


def test_a_surprise_is_told_in_a_sentence_and_as_a_row(database: Database) -> None:
    surprise(database)
    found = review_answers(database, "main")
    assert found.sentence == (
        "1 field of the responses is not as expected: "
        "sale_price of product_offer/read has an unexpected type (12 times)"
    )
    (row,) = found.sample
    assert list(row) == ["resource", "field", "kind", "times", "first_seen_at", "last_seen_at", "sample"]


def test_the_gravest_come_first_and_of_those_the_most_frequent(database: Database) -> None:
    surprise(database, "loyalty", "unknown field", times=900)
    surprise(database, "currency", "unexpected type", times=1)
    surprise(database, "status", "unexpected type", times=5)
    assert _fields(database) == ["status", "currency", "loyalty"]


def test_what_was_last_seen_before_the_newest_completed_sync_began_is_over(database: Database) -> None:
    surprise(database, "old", seen="yesterday")
    assert _fields(database) == ["old"]
    sync(database, [offer(1)])
    surprise(database, "new")
    assert _fields(database) == ["new"]


def test_a_sync_that_has_not_completed_ends_nothing(database: Database) -> None:
    sync(database, [offer(1)])
    surprise(database)
    execute(database, "UPDATE emag_offer_syncs SET started_at = started_at - interval '1 hour'")
    begin(database)
    assert _fields(database) == ["sale_price"]


def test_surprises_of_another_account_are_its_own(database: Database) -> None:
    surprise(database, account="fbe")
    assert _fields(database) == []


def test_many_are_counted_in_full_and_shown_in_part(database: Database) -> None:
    for number in range(SAMPLE + 5):
        surprise(database, f"field_{number}")
    found = review_answers(database, "main")
    assert (found.fields, len(found.sample)) == (SAMPLE + 5, SAMPLE)
