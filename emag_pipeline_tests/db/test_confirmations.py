from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

from emag_pipeline.db import audit, confirmations, staging
from emag_pipeline.db.engine import Database
from emag_pipeline.db.staging import Reached
from emag_pipeline.sync.proof import doubts
from emag_pipeline_tests.db.offers import PageOf, offer, window_of
from emag_pipeline_tests.db.syncs import begin, execute, rows, stage, sync


def test_missing_are_published_offers_that_the_scan_neither_showed_nor_rejected(database: Database) -> None:
    sync(database, [offer(id_) for id_ in range(1, 6)])
    lease = begin(database)
    stage(database, lease, [offer(1)], [SimpleNamespace(emag_offer_id=2, reason="bad", payload="{}")])
    assert confirmations.missing(database, lease, limit=2) == [3, 4]
    assert confirmations.missing(database, lease, limit=9, after=4) == [5]


def test_what_was_confirmed_is_no_longer_missing_and_counts_in_the_figures(database: Database) -> None:
    sync(database, [offer(id_) for id_ in range(1, 4)])
    lease = begin(database)
    stage(database, lease, [offer(1)])
    confirmations.record(database, lease, found=[offer(2)], rejected=(), gone=[3], read_at=datetime.now(UTC))
    figures = audit.figures(database, lease.sync_id)
    assert (figures.missing, figures.found_by_id, figures.confirmed_gone, figures.vanished) == (0, 1, 1, 1)
    assert doubts(figures) == []


def test_an_offer_that_a_window_showed_and_that_is_not_staged_keeps_the_scan_from_being_complete(
    database: Database,
) -> None:
    lease = begin(database)
    stage(database, lease, [offer(1), offer(2)], [SimpleNamespace(emag_offer_id=3, reason="bad", payload="{}")])
    assert doubts(audit.figures(database, lease.sync_id)) == []
    execute(database, "DELETE FROM {schema}.emag_scan_offers WHERE emag_offer_id = 2")
    assert doubts(audit.figures(database, lease.sync_id)) == ["1 offers that pages showed are not staged"]


def test_of_an_offer_that_several_windows_show_the_row_that_was_read_last_stays(database: Database) -> None:
    lease = begin(database)
    stage(database, lease, [offer(1, general_stock=7)])
    for number, (stock, age) in enumerate(((9, -1), (5, 60)), 2):  # the second answer comes late
        page = PageOf(number, [offer(1, general_stock=stock)])
        page.fetched_at -= timedelta(seconds=age)
        window = replace(window_of(page), again=[1])
        staging.stage_windows(database, lease, [window], Reached(1, 1, 1))
    staged = rows(database, "SELECT general_stock FROM {schema}.emag_scan_offers")
    assert [row.general_stock for row in staged] == [9]
