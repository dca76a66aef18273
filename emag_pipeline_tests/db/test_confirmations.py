from datetime import UTC, datetime
from types import SimpleNamespace

from emag_pipeline.db import audit, confirmations
from emag_pipeline.db.engine import Database
from emag_pipeline.sync.proof import doubts
from emag_pipeline_tests.db.offers import offer
from emag_pipeline_tests.db.syncs import begin, stage, sync


def test_missing_are_published_offers_that_the_scan_neither_showed_nor_rejected(database: Database) -> None:
    sync(database, [offer(id_) for id_ in range(1, 6)])
    lease = begin(database)
    stage(database, lease, [offer(1)], [SimpleNamespace(emag_offer_id=2, reason="bad", payload="{}")])
    assert confirmations.missing(database, lease, 1, limit=2) == [3, 4]
    assert confirmations.missing(database, lease, 1, limit=9, after=4) == [5]


def test_what_was_confirmed_is_no_longer_missing_and_counts_in_the_figures(database: Database) -> None:
    sync(database, [offer(id_) for id_ in range(1, 4)])
    lease = begin(database)
    stage(database, lease, [offer(1)])
    audit.note_ending(database, lease, count_after=1, rows_beyond=0)
    confirmations.record(database, lease, 1, found=[offer(2)], rejected=(), gone=[3], read_at=datetime.now(UTC))
    figures = audit.figures(database, lease.sync_id)
    assert (figures.missing, figures.found_by_id, figures.confirmed_gone, figures.vanished) == (0, 1, 1, 1)
    assert doubts(figures) == []


def test_a_scan_that_shows_less_than_the_marketplace_counts_is_not_complete(database: Database) -> None:
    lease = begin(database)
    stage(database, lease, [offer(1), offer(1)])
    audit.note_ending(database, lease, count_after=2, rows_beyond=0)
    figures = audit.figures(database, lease.sync_id)
    assert (figures.rows, figures.distinct_ids, figures.repeated_rows) == (2, 1, 1)
    assert "the marketplace counts 2 offers, the pages showed 1 different ones" in doubts(figures)
