"""Rows that somebody has removed or deleted beside the pipeline: the next publish brings them back, as new ones."""

import pytest

from emag_pipeline.review.checks import review
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import execute, rows, sync

_OFFERS = [offer(number) for number in (1, 2, 3)]
_REMOVED = {
    "the offer": "DELETE FROM emag_product_offers WHERE emag_offer_id = 2",
    "its texts": "DELETE FROM emag_products WHERE emag_offer_id = 2",
    "both": "DELETE FROM emag_product_offers WHERE emag_offer_id = 2; "
    "DELETE FROM emag_products WHERE emag_offer_id = 2",
    "offer and history": "DELETE FROM emag_product_offers WHERE emag_offer_id = 2; "
    "DELETE FROM emag_offer_states WHERE emag_offer_id = 2",
    "a tombstone": "UPDATE emag_product_offers SET deleted_at = now() WHERE emag_offer_id = 2",
}


@pytest.mark.parametrize("what", _REMOVED)
@pytest.mark.parametrize("name", ["Cafea măcinată 2", "Cafea boabe"])
def test_rows_that_somebody_has_removed_are_published_anew_and_have_one_open_state(
    database: Database, what: str, name: str
) -> None:
    sync(database, _OFFERS)
    execute(database, _REMOVED[what])
    offers = [_OFFERS[0], offer(2, name=name), _OFFERS[2]]
    done = sync(database, offers)
    assert (done.created + done.updated, done.offers) == (1, 3)
    assert [row.name for row in rows(database, "SELECT name FROM emag_products ORDER BY emag_offer_id")] == [
        one.name for one in offers
    ]
    assert review(database, "published_equals_scan", "main", currency="RON", price_move=0.5).found == 0
    states = rows(database, "SELECT emag_offer_id FROM emag_offer_states WHERE stamp_to IS NULL ORDER BY 1")
    assert [row.emag_offer_id for row in states] == [1, 2, 3]
    assert sync(database, offers).unchanged == 3
