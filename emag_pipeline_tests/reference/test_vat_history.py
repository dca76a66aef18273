"""A price with VAT of a past moment rests on the rate of that moment, whatever was read since."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from emag_pipeline.reference import tables
from emag_pipeline.reference.tables import VAT_RATES
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.accounts import note_accounts
from emag_pipeline_tests.store.ageing import let_pass
from emag_pipeline_tests.sync.pasts import Past, good
from emag_pipeline_tests.sync.syncs import rows

_DAY = timedelta(days=1)
_HISTORY = """SELECT vat_id, rate::text, valid_from, valid_to, xmin::text FROM emag_vat_rate_history
              ORDER BY vat_id, valid_from"""
_PRICES = """
    SELECT h.emag_offer_id, round(h.sale_price * (1 + v.vat_rate), 2) AS with_vat
    FROM emag_offers_as_of('main', :at) h
    LEFT JOIN emag_vat_rates_as_of('main', :at) v USING (vat_id)
    ORDER BY 1
"""


def _read(database: Database, *, is_whole: bool = True, **rates: str) -> None:
    """A reading of the marketplace's rates, e.g. `_1="0.21"`."""
    found = [{"vat_id": int(key[1:]), "rate": rate, "raw": "{}"} for key, rate in rates.items()]
    tables.merge(database, VAT_RATES, "emag_ro", found, account="main", is_whole=is_whole)


def _history(database: Database) -> list[tuple[int, str, bool]]:
    return [(row.vat_id, row.rate, row.valid_to is None) for row in rows(database, _HISTORY)]


def _prices(database: Database, at: datetime) -> dict[int, Any]:
    return {row.emag_offer_id: row.with_vat for row in rows(database, _PRICES, at=at)}


@pytest.fixture
def past(database: Database) -> Past:
    note_accounts(database, [("main", "emag_ro", "RON")])
    return Past(database)


def test_a_past_price_with_vat_keeps_the_rate_of_its_time(database: Database, past: Past) -> None:
    past.publish(good(1, sale_price=Decimal("100.0000"), vat_id=1), good(2, vat_id=9), good(3, vat_id=None))
    past.wait(days=1)  # the first reading came after the first publish
    _read(database, _1="0.19")
    past.wait(days=3)
    _read(database, _1="0.21")
    now = datetime.now(UTC)
    assert _prices(database, past.published_at) == {1: Decimal("119.00"), 2: None, 3: None}, "the earliest known one"
    assert _prices(database, now - _DAY)[1] == Decimal("119.00")
    assert _prices(database, now)[1] == Decimal("121.00")
    (current,) = rows(database, "SELECT sale_price_with_vat FROM emag_current_offers WHERE emag_offer_id = 1")
    assert current.sale_price_with_vat == _prices(database, now)[1]


def test_an_unchanged_reading_writes_nothing(database: Database) -> None:
    _read(database, _1="0.19", _2="0.11")
    before = rows(database, _HISTORY)
    _read(database, _2="0.11", _1="0.19")
    _read(database, _1="0.1900", is_whole=False)
    assert rows(database, _HISTORY) == before


def test_a_rate_that_changes_closes_the_old_one_where_the_new_one_opens(database: Database) -> None:
    _read(database, _1="0.19")
    _read(database, _1="0.21")
    old, new = rows(database, _HISTORY)
    assert (old.rate, new.rate, new.valid_to) == ("0.1900", "0.2100", None)
    assert old.valid_from < old.valid_to == new.valid_from


def test_a_rate_that_vanishes_is_closed_holds_on_for_its_offers_and_opens_when_it_returns(
    database: Database, past: Past
) -> None:
    past.publish(good(1, sale_price=Decimal("100.0000"), vat_id=2))
    _read(database, _1="0.19", _2="0.11")
    _read(database, _1="0.19")
    assert _history(database) == [(1, "0.1900", True), (2, "0.1100", False)]
    assert _prices(database, datetime.now(UTC))[1] == Decimal("111.00")
    _read(database, _1="0.19", _2="0.09")
    assert _history(database) == [(1, "0.1900", True), (2, "0.1100", False), (2, "0.0900", True)]
    assert _prices(database, datetime.now(UTC))[1] == Decimal("109.00")


def test_a_reading_that_is_not_believed_changes_no_rate(database: Database) -> None:
    _read(database, _1="0.19")
    with pytest.raises(Exception, match="shows no vat rates"):
        _read(database)
    assert _history(database) == [(1, "0.1900", True)]


def test_a_clock_that_was_set_back_breaks_no_order(database: Database) -> None:
    _read(database, _1="0.19")
    let_pass(database, -_DAY)  # the stored rate begins tomorrow
    _read(database, _1="0.21")
    _read(database, _1="0.25")
    first, second, third = rows(database, _HISTORY)
    assert first.valid_from < first.valid_to == second.valid_from < second.valid_to == third.valid_from


def test_other_marketplaces_rates_are_not_an_accounts(database: Database, past: Past) -> None:
    past.publish(good(1, vat_id=1))
    tables.merge(
        database, VAT_RATES, "emag_hu", [{"vat_id": 1, "rate": "0.27", "raw": "{}"}], account="hu", is_whole=True
    )
    assert _prices(database, past.published_at) == {1: None}


@pytest.mark.parametrize(
    ("account", "moment", "most"),
    [
        ("main", "now()", 1),
        ("main", "'2020-01-01Z'", 1),
        ("main", "now() + interval '1 hour'", 0),
        ("main", "'infinity'", 0),
        ("main", "NULL", 0),
        ("another", "now()", 0),
        (None, "now()", 0),
    ],
)
def test_of_what_is_not_known_there_are_no_rates(
    database: Database, past: Past, account: str | None, moment: str, most: int
) -> None:
    past.publish(good(1, vat_id=1))
    _read(database, _1="0.19")
    asked = f"SELECT * FROM emag_vat_rates_as_of(CAST(:account AS text), CAST({moment} AS timestamptz))"
    assert len(rows(database, asked, account=account)) == most


def test_a_clock_that_was_set_back_keeps_the_rates_of_the_newest_publish(database: Database, past: Past) -> None:
    _read(database, _1="0.19")
    past.publish(good(1, sale_price=Decimal("100.0000"), vat_id=1))
    past.wait(hours=-1)
    assert _prices(database, past.published_at) == {1: Decimal("119.00")}
