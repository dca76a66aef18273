from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from emag_pipeline.errors import StagingLost
from emag_pipeline.model import Reject
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import confirm, publish, quarantine, staging
from emag_pipeline.sync import figures as audit
from emag_pipeline.sync.audit import doubts
from emag_pipeline.sync.staging import Reached
from emag_pipeline_tests.sync.offers import offer, page_of, window_of
from emag_pipeline_tests.sync.syncs import begin, execute, rows, stage, stage_page, sync


def test_missing_are_published_offers_that_the_scan_neither_showed_nor_rejected(database: Database) -> None:
    sync(database, [offer(id_) for id_ in range(1, 6)])
    lease = begin(database)
    stage(database, lease, [offer(1)], [Reject(2, "bad", "{}")])
    assert confirm.missing_offers(database, lease, limit=2) == [3, 4]
    assert confirm.missing_offers(database, lease, limit=9, after=4) == [5]


def test_what_was_confirmed_is_no_longer_missing_and_counts_in_the_figures(database: Database) -> None:
    sync(database, [offer(id_) for id_ in range(1, 4)])
    lease = begin(database)
    stage(database, lease, [offer(1)])
    confirm.record(database, lease, found=[offer(2)], rejected=(), gone=[3], read_at=datetime.now(UTC))
    figures = audit.figures(database, lease.sync_id)
    assert (figures.missing, figures.found_by_id, figures.confirmed_gone, figures.vanished) == (0, 1, 1, 1)
    assert doubts(figures) == []


@pytest.mark.parametrize("is_readable", [True, False], ids=["readable", "in quarantine"])
def test_an_offer_that_is_found_by_its_id_and_shown_by_a_later_page_counts_once(
    database: Database, is_readable: bool
) -> None:
    sync(database, [offer(id_) for id_ in range(1, 4)])
    lease = begin(database)
    stage(database, lease, [offer(1)])
    broken = Reject(2, "bad", "{}")
    found, rejected = ([offer(2)], []) if is_readable else ([], [(2, broken)])
    confirm.record(database, lease, found=found, rejected=rejected, gone=[3], read_at=datetime.now(UTC))
    page = page_of(2, [offer(2)] if is_readable else [], [] if is_readable else [broken])
    window = replace(window_of(page), again=[2] if is_readable else [])
    staging.stage_windows(database, lease, [window], Reached(1, 1, 2))
    audit.note_ending(database, lease, {"count_after": 2, "proven": 1})
    figures = audit.figures(database, lease.sync_id)
    assert (figures.found_by_id, figures.confirmed_gone, figures.missing) == (0, 1, 0)
    part = "2 staged from pages" if is_readable else "1 staged from pages + 1 only in quarantine"
    assert figures.accounted.sentences == [f"all 2 counted offers are accounted for: {part}"]
    audit.begin_audit(database, lease)
    audit.accept(database, lease, figures.as_proof())
    assert publish.publish(database, lease).deleted == 1


def test_an_offer_that_is_gone_and_shown_broken_by_a_later_page_keeps_its_last_state(database: Database) -> None:
    sync(database, [offer(id_) for id_ in range(1, 5)])
    lease = begin(database)
    stage(database, lease, [offer(1)])
    confirm.record(database, lease, found=(), rejected=(), gone=[2, 3, 4], read_at=datetime.now(UTC))
    broken = Reject(2, "bad", "{}")
    page = page_of(2, [offer(3)], [broken])
    staging.stage_windows(database, lease, [window_of(page)], Reached(1, 1, 3))
    figures = audit.figures(database, lease.sync_id)
    assert (figures.missing, figures.confirmed_gone, figures.vanished) == (0, 1, 1)
    assert confirm.answered(database, lease) == ([], 1, 0)
    audit.begin_audit(database, lease)
    audit.accept(database, lease, figures.as_proof())
    assert publish.publish(database, lease).deleted == 1
    shown = rows(
        database,
        """SELECT deleted_at IS NOT NULL, rejected_at IS NOT NULL FROM emag_product_offers
           ORDER BY emag_offer_id""",
    )
    assert [tuple(row) for row in shown] == [(False, False), (False, True), (False, False), (True, False)]


def test_nothing_is_published_that_rests_on_other_answers_than_the_audit_has_accepted(database: Database) -> None:
    sync(database, [offer(id_) for id_ in range(1, 5)])
    lease = begin(database)
    stage(database, lease, [offer(1)])
    confirm.record(database, lease, found=[offer(2)], rejected=(), gone=[3, 4], read_at=datetime.now(UTC))
    audit.begin_audit(database, lease)
    audit.accept(database, lease, audit.figures(database, lease.sync_id).as_proof())
    execute(database, "UPDATE emag_scan_confirmations SET is_found = false")
    execute(database, "DELETE FROM emag_scan_offers WHERE page = 0")
    with pytest.raises(StagingLost, match="0 offers found and 3 gone, 1 and 2 were accepted"):
        publish.publish(database, lease)


def test_a_row_in_quarantine_has_the_same_digest_here_and_there(database: Database) -> None:
    lease = begin(database)
    given = [(None, '{"name": "M\\u0103cinat\\u0103 \\u0000"}'), (7, "[]"), (2**62, '"' + "x" * 5000 + '"')]
    stage(database, lease, [], [Reject(id_, "bad", row) for id_, row in given])
    expected = [quarantine.digest_of(id_, row) for id_, row in given]
    assert list(quarantine.digests(database, lease)) == expected
    assert {len(digest) for digest in expected} == {16}


def test_rows_that_were_counted_stay_counted_when_a_resumed_scan_knows_of_fewer(database: Database) -> None:
    """A counter is made of them, and must not fall."""
    lease = begin(database)
    stage(database, lease, [offer(1), offer(2), offer(3)])
    stage_page(database, lease, 2, [offer(4)], rows=2)
    (sync_,) = rows(database, "SELECT total_offers_processed FROM emag_offer_syncs")
    assert sync_.total_offers_processed == 3


def test_an_offer_that_a_window_showed_and_that_is_not_staged_keeps_the_scan_from_being_complete(
    database: Database,
) -> None:
    lease = begin(database)
    stage(database, lease, [offer(1), offer(2)], [Reject(3, "bad", "{}")])
    assert doubts(audit.figures(database, lease.sync_id)) == []
    execute(database, "DELETE FROM emag_scan_offers WHERE emag_offer_id = 2")
    assert doubts(audit.figures(database, lease.sync_id)) == ["1 offer that pages showed is not staged"]


def test_of_an_offer_that_several_windows_show_the_row_that_was_read_last_stays(database: Database) -> None:
    lease = begin(database)
    stage(database, lease, [offer(1, general_stock=7)])
    for number, (stock, age) in enumerate(((9, -1), (5, 60)), 2):  # the second answer comes late
        page = page_of(number, [offer(1, general_stock=stock)])
        page = replace(page, fetched_at=page.fetched_at - timedelta(seconds=age))
        window = replace(window_of(page), again=[1])
        staging.stage_windows(database, lease, [window], Reached(1, 1, 1))
    staged = rows(database, "SELECT general_stock FROM emag_scan_offers")
    assert [row.general_stock for row in staged] == [9]
