"""What a sync did not read: row by row, and by reason."""

import pytest

from emag_pipeline.model import Reject
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import quarantine
from emag_pipeline.sync.quarantine import RejectReason
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import begin, execute, stage, sync


def _reject(offer_id: int | None, reason: str) -> Reject:
    return Reject(offer_id, reason, "{}")


def _words(database: Database, *reasons: str) -> list[str]:
    stage(database, begin(database), [offer(1)], rejects=[_reject(None, reason) for reason in reasons])
    return [reason.words for reason in quarantine.reasons(database, ["main"])]


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        ("id is 'abc', not a whole number", 'id is "it\'s", not a whole number', "id is …, not a whole number"),
        ("id is 1.5, not a whole number", "id is -2e9, not a whole number", "id is …, not a whole number"),
        ("id is 'a, b', not", "id is true, not", "id is …, not"),
        ('the row is ["a", 1], not an object', 'the row is {"a": [2…, not an object', "the row is …, not an object"),
        (
            "id 7 appears on this page already",
            "id 1234567 appears on this page already",
            "id … appears on this page already",
        ),
        ("id is 0, outside 1 to 9", "id is 10, outside 1 to 9", "id is …, outside … to …"),
    ],
)
def test_values_do_not_split_reasons(database: Database, one: str, other: str, words: str) -> None:
    assert _words(database, one, other) == [words]


def test_different_reasons_stay_apart(database: Database) -> None:
    assert _words(database, "id is 'a', not a whole number", "name holds NUL") == [
        "id is …, not a whole number",
        "name holds NUL",
    ]


def test_the_commonest_reason_comes_first_with_its_first_offer(database: Database) -> None:
    lease = begin(database)
    rejects = [_reject(5, "rare"), _reject(7, "id 7 is odd"), _reject(8, "id 8 is odd"), _reject(9, "seldom")]
    stage(database, lease, [offer(1)], rejects=rejects)
    assert quarantine.commonest(database, lease, 2) == [
        RejectReason("main", "id … is odd", 2, "quarantined", 7, 1),
        RejectReason("main", "rare", 1, "quarantined", 5, 1),
    ]


def test_offers_with_unreadable_fields_and_unreadable_positions_are_listed_beside_rejected_rows(
    database: Database,
) -> None:
    stage(database, begin(database), [offer(1), offer(2)], rejects=[_reject(3, "no id")])
    execute(database, "UPDATE emag_scan_offers SET unreadable = '{sale_price,currency}' WHERE emag_offer_id = 2")
    execute(database, "UPDATE emag_scan_pages SET is_unreadable = true")
    assert [(row.kind, row.emag_offer_id, row.reason) for row in quarantine.newest(database, ["main"], 10)] == [
        ("quarantined", 3, "no id"),
        ("unreadable field", 2, "sale_price, currency cannot be read"),
        (
            "unreadable position",
            None,
            "the marketplace fails on every page that holds this position of the listing",
        ),
    ]


def test_only_the_newest_sync_of_each_account_counts(database: Database) -> None:
    sync(database, [offer(1)], rejects=[_reject(2, "an older reason")])
    sync(database, [offer(1)], rejects=[_reject(2, "the newest reason")])
    sync(database, [offer(1)], rejects=[_reject(4, "of the other account")], account="fbe")
    assert [(row.account, row.words) for row in quarantine.reasons(database, ["main", "fbe"])] == [
        ("fbe", "of the other account"),
        ("main", "the newest reason"),
    ]


def test_an_example_says_where_to_look() -> None:
    assert RejectReason("main", "", 1, "quarantined", 123, 4).example == "offer 123 on page 4"
    assert RejectReason("main", "", 1, "quarantined", None, 4).example == "a row without an id on page 4"
    assert RejectReason("main", "", 1, "quarantined", 123, 0).example == "offer 123, read by its id"
    assert RejectReason("main", "", 1, "unreadable position", None, 351).example == "position 351 of the listing"
