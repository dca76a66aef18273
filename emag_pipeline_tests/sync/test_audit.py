"""What the audit counts of staging: each offer that a window showed stands there, or in quarantine."""

import pytest

from emag_pipeline.model import Reject
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import figures
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import begin, execute, stage


@pytest.mark.parametrize(
    ("spoil", "unstaged"),
    [
        ("SELECT 1", 0),
        ("DELETE FROM emag_scan_offers WHERE emag_offer_id = 2", 1),
        ("DELETE FROM emag_scan_offers", 3),
        ("UPDATE emag_scan_offers SET emag_offer_id = 99 WHERE emag_offer_id = 2", 1),  # as many, and others
        ("UPDATE emag_scan_offers SET page = 0 WHERE emag_offer_id = 2", 0),  # it was read by its id too
    ],
)
def test_offers_that_were_shown_and_are_not_staged_are_counted(database: Database, spoil: str, unstaged: int) -> None:
    lease = begin(database)
    stage(database, lease, [offer(1), offer(2), offer(3)])
    execute(database, spoil)
    assert figures.figures(database, lease.sync_id).unstaged == unstaged


def test_an_offer_in_quarantine_is_not_missed(database: Database) -> None:
    lease = begin(database)
    bad = Reject(2, "the price is not a number", "{}")
    stage(database, lease, [offer(1), offer(2)], [bad])
    execute(database, "DELETE FROM emag_scan_offers WHERE emag_offer_id = 2")
    assert figures.figures(database, lease.sync_id).unstaged == 0
