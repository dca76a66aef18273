from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from emag_pipeline.marts.checks import due
from emag_pipeline.marts.refresh import MartRefresh, refresh
from emag_pipeline.marts.registry import DAILY_ASSORTMENT
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import figures
from emag_pipeline_tests.sync.pasts import Past, good
from emag_pipeline_tests.sync.syncs import begin, rows, stage

_LAST_MOMENT = timedelta(days=1) - timedelta(microseconds=1)


def _compute(database: Database, day: date) -> MartRefresh:
    return refresh(database, DAILY_ASSORTMENT, "main", day)


def _row(database: Database, day: date) -> Any:
    _compute(database, day)
    found = rows(database, "SELECT * FROM emag_daily_assortment WHERE day = :day", day=day)
    return found[0] if found else None


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


@pytest.fixture
def past(database: Database) -> Past:
    """Three publishes: four days ago, two days ago, now."""
    past = Past(database)
    past.publish(
        good(1, sale_price=Decimal(10), general_stock=3),
        good(2, sale_price=Decimal(20), general_stock=0),
        good(3, sale_price=Decimal(5), general_stock=1),
        good(5, sale_price=None, general_stock=1),
    )
    past.wait(days=2)
    past.publish(
        good(1, sale_price=Decimal(12), general_stock=3),
        good(2, sale_price=Decimal(15), general_stock=2, status=0),
        good(4, sale_price=Decimal("7.5"), general_stock=None),
        good(5, sale_price=Decimal(1), general_stock=1),
    )
    past.wait(days=2)
    past.publish(good(1, sale_price=Decimal(12), general_stock=3))
    return past


def test_a_day_counts_what_was_published_at_its_end(database: Database, past: Past) -> None:
    day = past.publishes[1][0].date()
    row = _row(database, day)
    assert row.as_of == _midnight(day) + _LAST_MOMENT
    assert (row.offers, row.saleable_offers, row.saleable_share) == (4, 2, Decimal("0.5"))
    assert (row.stock, row.stock_value, row.median_price, row.currency) == (6, 67, Decimal("9.75"), "RON")
    assert row.issues == {"inactive": 1, "stock_unknown": 1}


def test_a_day_is_compared_with_the_end_of_the_day_before(database: Database, past: Past) -> None:
    row = _row(database, past.publishes[1][0].date())
    assert (row.arrivals, row.departures, row.price_moves, row.price_rises, row.price_cuts) == (1, 1, 3, 1, 1)


def test_a_day_without_a_publish_shows_what_stood(database: Database, past: Past) -> None:
    day = past.publishes[1][0].date()
    after = _row(database, day + timedelta(days=1))
    assert (after.offers, after.arrivals, after.departures, after.price_moves) == (4, 0, 0, 0)


def test_today_is_told_as_of_the_last_publish(database: Database, past: Past) -> None:
    row = _row(database, past.published_at.date())
    assert (row.offers, row.as_of) == (1, past.published_at)


def test_an_account_without_offers_has_a_row_of_zeros(database: Database, past: Past) -> None:
    past.publish()
    row = _row(database, past.published_at.date())
    assert (row.offers, row.saleable_share, row.median_price, row.stock_value, row.issues) == (0, None, None, 0, {})


def test_there_is_no_row_before_the_first_publish_nor_for_a_day_to_come(database: Database, past: Past) -> None:
    first, today = past.publishes[0][0].date(), past.published_at.date()
    assert [_row(database, day) for day in (first - timedelta(days=1), today + timedelta(days=1))] == [None, None]


def test_a_row_that_stands_there_wrongly_is_removed(database: Database, past: Past) -> None:
    day = past.publishes[0][0].date() - timedelta(days=1)
    with database.transaction() as tx:
        tx.run(
            """INSERT INTO emag_daily_assortment (day, account_type, offers, saleable_offers, stock,
                   stock_value, arrivals, departures, price_moves) VALUES (:day, 'main', 1, 1, 1, 1, 0, 0, 0)""",
            day=day,
        )
    assert _compute(database, day).deleted == 1


def _prune_ledger(database: Database, past: Past) -> None:
    """As after a month: all but the newest success."""
    with database.transaction() as tx:
        tx.run("DELETE FROM emag_offer_syncs WHERE completed_at < :newest", newest=past.published_at)


def test_a_day_computed_later_gives_the_same_row(database: Database, past: Past) -> None:
    day = past.publishes[1][0].date()
    before = tuple(_row(database, day))
    with database.transaction() as tx:
        tx.run("DELETE FROM emag_daily_assortment")
    assert tuple(_row(database, day)) == before


def test_a_day_says_how_often_and_when_at_last_it_was_published(database: Database, past: Past) -> None:
    day = past.publishes[1][0].date()
    row = _row(database, day)
    assert (row.publishes, row.last_published_at, row.is_carried_forward) == (1, past.publishes[1][0], False)
    after = _row(database, day + timedelta(days=1))
    assert (after.publishes, after.last_published_at, after.is_carried_forward) == (0, past.publishes[1][0], True)
    past.publish(*past.now.values())
    today = _row(database, past.published_at.date())
    assert (today.publishes, today.last_published_at) == (2, past.published_at)


def test_on_the_first_day_nobody_knows_what_is_new(database: Database, past: Past) -> None:
    first = _row(database, past.publishes[0][0].date())
    assert (first.arrivals, first.departures, first.price_moves) == (None, 0, 0), "compared with nothing"
    assert (first.price_rises, first.price_cuts) == (0, 0)
    assert _row(database, past.publishes[0][0].date() + timedelta(days=1)).arrivals == 0


def test_pruning_takes_nothing_from_a_day_that_was_computed_before(database: Database, past: Past) -> None:
    days = [past.publishes[0][0].date() + timedelta(days=one) for one in range(5)]
    before = [tuple(_row(database, day)) for day in days]
    _prune_ledger(database, past)
    assert [_compute(database, day).updated for day in days] == [0] * 5
    assert [tuple(_row(database, day)) for day in days] == before


def test_of_a_day_first_computed_after_the_pruning_the_publishes_are_not_known(database: Database, past: Past) -> None:
    day = past.publishes[1][0].date()
    _prune_ledger(database, past)
    changed, calm = _row(database, day), _row(database, day + timedelta(days=1))
    assert (changed.publishes, changed.last_published_at, changed.is_carried_forward) == (None, None, False)
    assert (calm.publishes, calm.last_published_at, calm.is_carried_forward) == (None, None, None)
    assert (changed.offers, changed.arrivals, changed.departures) == (4, 1, 1)


@pytest.mark.parametrize(("computed_before", "publishes"), [(True, 2), (False, None)])
def test_a_day_of_which_a_part_was_pruned_does_not_count_the_rest_alone(
    database: Database, computed_before: bool, publishes: int | None
) -> None:
    past = Past(database)
    past.publish(good(1))
    past.wait(days=2)
    past.publish(good(1))
    past.publish(good(1))
    day = past.published_at.date()
    if computed_before:
        assert _row(database, day).publishes == 2
    _prune_ledger(database, past)
    row = _row(database, day)
    assert (row.publishes, row.last_published_at, row.is_carried_forward) == (publishes, past.published_at, False)


def test_a_day_of_an_older_version_is_due_again_once(database: Database, past: Past) -> None:
    for one in range(5):
        _compute(database, past.publishes[0][0].date() + timedelta(days=one))
    day = past.publishes[0][0].date() + timedelta(days=1)
    with database.transaction() as tx:
        tx.run(
            """UPDATE emag_daily_assortment
               SET publishes = NULL, last_published_at = NULL, is_carried_forward = NULL WHERE day = :day""",
            day=day,
        )
    assert due(database, ["main"])[0].past_days == [day]
    _compute(database, day)
    assert due(database, ["main"])[0].past_days == []


def test_a_day_is_not_over_while_a_publish_that_began_in_it_may_still_commit(database: Database, past: Past) -> None:
    lease = begin(database)
    stage(database, lease, list(past.now.values()))
    figures.begin_audit(database, lease)
    figures.accept(database, lease, figures.figures(database, lease.sync_id).as_proof())
    past.wait(days=1)
    assert _row(database, past.published_at.date()).as_of == past.published_at


def test_amounts_in_another_currency_are_not_added_up(database: Database) -> None:
    past = Past(database)
    past.publish(
        good(1, general_stock=1, sale_price=Decimal(10)),
        good(2, general_stock=2, sale_price=Decimal(10), currency=None),
        good(3, general_stock=9, sale_price=Decimal(10), currency="EUR"),
        good(4, general_stock=4, sale_price=Decimal(10)),
    )
    row = _row(database, past.published_at.date())
    assert (row.currency, row.stock, row.stock_value, row.offers_in_other_currencies) == ("RON", 16, 70, 1)


def test_a_price_in_another_currency_has_not_moved(database: Database) -> None:
    past = Past(database)
    past.publish(good(1, currency="RON", sale_price=Decimal(100)), good(2, sale_price=Decimal(10)))
    past.wait(days=1)
    past.publish(good(1, currency="EUR", sale_price=Decimal(20)), good(2, sale_price=Decimal(11)))
    row = _row(database, past.published_at.date())
    assert (row.price_moves, row.price_rises, row.price_cuts) == (1, 1, 0)


def test_absurd_stocks_cost_no_refresh(database: Database) -> None:
    past = Past(database)
    past.publish(*(good(one, general_stock=2**63 - 1, sale_price=Decimal("99999999999999.9999")) for one in (1, 2)))
    assert _row(database, past.published_at.date()).stock == 2 * (2**63 - 1)


def test_only_the_day_of_the_newest_publish_stamps_the_mart(database: Database, past: Past) -> None:
    _compute(database, past.publishes[0][0].date())
    assert rows(database, "SELECT 1 FROM emag_mart_refreshes") == []
    _compute(database, past.published_at.date())
    (stamp,) = rows(database, "SELECT published_at FROM emag_mart_refreshes")
    assert stamp.published_at == past.published_at
