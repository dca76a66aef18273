"""What all marts promise: one honest stamp, and nothing written where nothing has changed."""

import threading
from datetime import UTC, datetime
from typing import Any

import pytest

from emag_pipeline.marts.refresh import MartRefresh, refresh
from emag_pipeline.marts.registry import MARTS, OF_NEWEST_PUBLISH, OFFER_ISSUES, Mart
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.sync.pasts import Past, good, random_past
from emag_pipeline_tests.sync.syncs import rows

#: The marts that a random past fills; another one may need offers that it does not have.
_FILLED = {"offer_issues", "buy_button", "low_stock", "daily_assortment"}


def _refresh(database: Database, mart: Mart) -> MartRefresh:
    return refresh(database, mart, "main", datetime.now(UTC).date() if mart.is_by_day else None)


def _versions(database: Database, mart: Mart) -> list[Any]:
    return rows(database, f"SELECT xmin::text, t::text FROM {mart.table} t ORDER BY 2")


@pytest.mark.parametrize("mart", MARTS, ids=lambda mart: mart.name)
def test_a_mart_that_has_not_changed_writes_nothing(database: Database, mart: Mart) -> None:
    random_past(database, seed=3, publishes=4)
    first = _refresh(database, mart)
    before = _versions(database, mart)
    again = _refresh(database, mart)
    assert first.rows == first.inserted == len(before)
    assert before or mart.name not in _FILLED
    assert (again.rows, again.inserted, again.updated, again.deleted) == (first.rows, 0, 0, 0)
    assert _versions(database, mart) == before


def test_an_unchanged_catalogue_moves_no_row_of_issues_and_buttons(database: Database) -> None:
    past = Past(database)
    offers = [good(1, status=0), good(2, buy_button_rank=2), good(3, buy_button_rank=1)]
    past.publish(*offers)
    past.wait(days=2)
    past.publish(*offers)
    for mart in OF_NEWEST_PUBLISH:
        _refresh(database, mart)
    past.wait(hours=1)
    past.publish(*offers)
    changes = [_refresh(database, mart) for mart in OF_NEWEST_PUBLISH]
    assert [one.inserted + one.updated + one.deleted for one in changes] == [0] * len(OF_NEWEST_PUBLISH)


@pytest.mark.parametrize("mart", MARTS, ids=lambda mart: mart.name)
def test_a_refresh_is_stamped_with_the_publish_that_it_shows(database: Database, mart: Mart) -> None:
    past = Past(database)
    past.publish(good(1, status=0))
    past.publish(good(1, status=0), good(2, status=0))
    done = _refresh(database, mart)
    (stamp,) = rows(database, "SELECT * FROM emag_mart_refreshes")
    assert done.published_at == stamp.published_at == past.published_at
    assert done.sync_id == stamp.sync_id
    assert (stamp.account_type, stamp.mart, stamp.rows, stamp.rows_changed) == (
        "main",
        mart.name,
        done.rows,
        done.inserted,
    )


def test_refreshes_of_a_mart_at_once_end_as_one(database: Database) -> None:
    random_past(database, seed=5, publishes=3)
    done: list[MartRefresh] = []
    threads = [threading.Thread(target=lambda: done.append(_refresh(database, OFFER_ISSUES))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one.inserted for one in done)[:3] == [0, 0, 0]
    assert {one.rows for one in done} == {max(one.inserted for one in done)}


def test_a_refresh_sees_a_publish_whole_or_not_at_all(database: Database) -> None:
    """Beside a publish that has not committed, it shows the one before."""
    past = Past(database)
    first = past.publish(good(1, status=0))
    with database.transaction() as tx:
        tx.run("UPDATE emag_product_offers SET status = 1, is_saleable = true")
        tx.run("UPDATE emag_offer_syncs SET completed_at = clock_timestamp()")
        seen = _refresh(database, OFFER_ISSUES)
    assert (seen.rows, seen.published_at) == (1, first)
