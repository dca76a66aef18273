"""A mart that looks only at what has changed shows the same rows as one that is computed from scratch."""

import json
import random
from datetime import UTC, datetime
from decimal import Decimal
from math import ceil
from typing import Any

import pytest

from emag_pipeline.admin import forget
from emag_pipeline.marts import refresh as marts_refresh
from emag_pipeline.marts.refresh import MartRefresh, refresh
from emag_pipeline.marts.registry import (
    BUY_BUTTON,
    DAILY_ASSORTMENT,
    LOW_STOCK,
    MARTS,
    OF_NEWEST_PUBLISH,
    OFFER_ISSUES,
    Mart,
)
from emag_pipeline.reference import tables
from emag_pipeline.reference.tables import VAT_RATES
from emag_pipeline.retention.prune import prune
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.accounts import note_accounts
from emag_pipeline_tests.sync.pasts import Past, good, random_offer
from emag_pipeline_tests.sync.syncs import execute, rows


def _refresh(database: Database, mart: Mart, **how: Any) -> MartRefresh:
    day = datetime.now(UTC).date() if mart.is_by_day else None
    return refresh(database, mart, "main", day, **how)


def _rows(database: Database, mart: Mart) -> list[Any]:
    return rows(database, f"SELECT * FROM {mart.table} ORDER BY {', '.join(mart.key)}")


def _assert_as_from_scratch(database: Database, said: str) -> None:
    """Refresh every mart; refreshing it from scratch then changes nothing."""
    for mart in MARTS:
        by_change = _refresh(database, mart)
        shown = _rows(database, mart)
        again = _refresh(database, mart, from_scratch=True)
        assert (mart.name, _rows(database, mart)) == (mart.name, shown), said
        assert (again.inserted, again.updated, again.deleted) == (0, 0, 0), said
        assert by_change.rows == again.rows, said


def _next_shelf(chance: random.Random, past: Past, offers: int) -> list[Any]:
    """A publish in which a few offers change, go or return, and most stay."""
    before = past.now if past.publishes else {}
    shelf = []
    for key in range(1, offers + 1):
        fate = chance.random()
        if fate < 0.06:
            continue
        if key in before and fate < 0.7:
            shelf.append(before[key])
        elif key in before and fate < 0.85:  # sales and deliveries
            stock = before[key].general_stock or 0
            values = {
                name: getattr(before[key], name) for name in ("sale_price", "buy_button_rank", "vat_id", "currency")
            }
            shelf.append(good(key, **values, general_stock=max(0, stock - chance.choice((1, 2, 40, -40)))))
        else:
            shelf.append(random_offer(chance, key))
    return shelf


def test_a_large_account_is_computed_in_parts(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """As at once; and what is published between two parts is shown by all of them, and named."""
    chance = random.Random(1)
    past = Past(database)
    statements: list[str] = []
    merge = marts_refresh._merged

    def noted(*given: Any) -> Any:
        statements.append(given[1].name)
        if is_moving and len(statements) == 2:
            past.publish(*_next_shelf(chance, past, 25))
        return merge(*given)

    monkeypatch.setattr(marts_refresh, "_merged", noted)
    for turn in range(10):
        past.wait(hours=chance.choice((1, 25)))
        past.publish(*_next_shelf(chance, past, 25))
        for mart in OF_NEWEST_PUBLISH:
            execute(database, f"DELETE FROM {mart.table} WHERE emag_offer_id = 3")
            if turn == 5:
                execute(
                    database,
                    f"""INSERT INTO emag_check_results
                            (subject, check_name, asset, severity, passed, said, failing_since)
                        VALUES ('main', '{mart.name}_agrees', '{mart.name}', 'ERROR', false, 'no', now())""",
                )
            is_moving = turn % 2 == 0
            parts = ceil(len(past.now) / 7)
            statements.clear()
            with monkeypatch.context() as patch:
                patch.setattr(marts_refresh, "_AT_ONCE", 7)
                done = _refresh(database, mart, from_scratch=True)
            assert len(statements) == parts + is_moving, "parts, and by change what was published meanwhile"
            assert done.published_at == past.published_at
            shown = _rows(database, mart)
            is_moving = False
            again = _refresh(database, mart, from_scratch=True)
            assert (_rows(database, mart), again.rows) == (shown, done.rows), f"{mart.name}, turn {turn}"
            assert (again.inserted, again.updated, again.deleted) == (0, 0, 0)
    assert (again.sync_id, again.published_at) == (done.sync_id, done.published_at)


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (2, 3))])
def test_after_random_changes(seed: int, database: Database) -> None:
    chance = random.Random(seed)
    note_accounts(database, [("main", "sandbox", "RON")])
    past = Past(database)
    for turn in range(14):
        if turn:
            past.wait(hours=chance.choice((0.1, 1, 5, 23, 24, 25, 100, 300, 400)), seconds=chance.random())
        for _ in range(chance.choice((1, 1, 1, 3))):  # a mart may have missed publishes
            past.publish(*_next_shelf(chance, past, 25))
        if chance.random() < 0.3:
            prune(database, chance.choice((0.5, 30)))
        if chance.random() < 0.3:
            rate = {"vat_id": 1, "rate": chance.choice(("0.19", "0.21")), "raw": "{}"}
            tables.merge(database, VAT_RATES, "sandbox", [rate], account="main", is_whole=True)
        _assert_as_from_scratch(database, f"turn {turn}")


def test_a_correction_becomes_a_sale_when_what_it_was_measured_by_leaves_the_window(
    database: Database,
) -> None:
    past = Past(database)
    past.publish(good(1, general_stock=500), good(2))
    past.wait(days=2)
    past.publish(good(1, general_stock=498), good(2))
    past.wait(days=5)
    past.publish(good(1, general_stock=100), good(2))
    listed = []
    for days in (10, 12, 3, 2, 1, 5):
        past.wait(days=days)
        past.publish(good(1, general_stock=100), good(2))
        _assert_as_from_scratch(database, f"{days} days later")
        listed.append([row.emag_offer_id for row in _rows(database, LOW_STOCK)])
    assert listed[0] == [], "398 pieces are a correction, beside a sale of 2"
    assert [1] in listed


def test_nothing_but_the_note_is_written_for_an_account_that_stood_still(database: Database) -> None:
    past = Past(database)
    past.publish(good(1), good(2, general_stock=0), good(3, buy_button_rank=1))
    for mart in MARTS:
        _refresh(database, mart)
    past.publish(*past.now.values())
    for mart in OF_NEWEST_PUBLISH:
        done = _refresh(database, mart)
        assert (done.inserted, done.updated, done.deleted) == (0, 0, 0)
    (day,) = _rows(database, DAILY_ASSORTMENT)
    assert _refresh(database, DAILY_ASSORTMENT).updated == 1, "its moment and its publishes"
    (later,) = _rows(database, DAILY_ASSORTMENT)
    assert (later.publishes, later.as_of) == (day.publishes + 1, past.published_at)


def test_a_mart_that_its_check_found_wrong_is_computed_from_scratch(database: Database) -> None:
    past = Past(database)
    past.publish(good(1, general_stock=0), good(2))
    for mart in MARTS:
        _refresh(database, mart)
    execute(database, "DELETE FROM emag_offer_issues")
    assert _refresh(database, OFFER_ISSUES).inserted == 0
    execute(
        database,
        """INSERT INTO emag_check_results
               (subject, check_name, asset, severity, passed, said, failing_since)
           VALUES ('main', 'offer_issues_agree', 'offer_issues', 'ERROR', false, 'they do not', now())""",
    )
    assert _refresh(database, OFFER_ISSUES).inserted == 1


def test_other_rules_or_another_language_mean_from_scratch(database: Database) -> None:
    past = Past(database)
    errors = [{"value": 8, "errors": [{"code": "1", "message": {"ro_RO": "Fără acte", "en_GB": "No papers"}}]}]
    past.publish(good(1, validation_status=(8,), validation_details=json.dumps({"validation_status": errors})))
    _refresh(database, OFFER_ISSUES, language="en")
    execute(database, "UPDATE emag_offer_issues SET reason = 'of an older version'")
    assert _refresh(database, OFFER_ISSUES, language="en").updated == 0
    assert _refresh(database, OFFER_ISSUES, language="ro").updated == 1


def test_an_account_that_was_forgotten_begins_anew(database: Database) -> None:
    past = Past(database)
    past.publish(good(1, general_stock=0), good(2, buy_button_rank=1, general_stock=9))
    _assert_as_from_scratch(database, "before")
    assert next(iter(forget.count(database, "main"))) == "emag_mart_refreshes", "the first that goes"
    forget.remove(database, "main")
    past = Past(database)
    past.publish(good(2, general_stock=0), good(3, buy_button_rank=1))
    for mart, found in ((OFFER_ISSUES, 1), (BUY_BUTTON, 1), (LOW_STOCK, 0)):
        assert _refresh(database, mart).rows == len(_rows(database, mart)) == found
    _assert_as_from_scratch(database, "after")


def test_prices_with_vat_follow_a_rate_that_changed_although_no_offer_did(database: Database) -> None:
    note_accounts(database, [("main", "sandbox", "RON")])
    past = Past(database)
    past.publish(good(1, vat_id=1, buy_button_rank=1, sale_price=Decimal("100.0000")))
    for rate, price in (("0.19", Decimal(119)), ("0.21", Decimal(121))):
        read = [{"vat_id": 1, "rate": rate, "raw": "{}"}]
        tables.merge(database, VAT_RATES, "sandbox", read, account="main", is_whole=True)
        _refresh(database, BUY_BUTTON)
        assert [row.sale_price_with_vat for row in _rows(database, BUY_BUTTON)] == [price]


def _buttons(database: Database) -> dict[int, str]:
    return {row.emag_offer_id: row.change for row in rows(database, "SELECT * FROM emag_buy_button")}


def test_after_the_clock_was_set_back(database: Database) -> None:
    """What was published before lies days ahead, and what follows only just behind it, until time has caught up."""
    past = Past(database)
    past.publish(good(1, buy_button_rank=1), good(2, buy_button_rank=2))
    past.wait(hours=25)
    past.publish(good(1, buy_button_rank=2), good(2, buy_button_rank=2))
    _assert_as_from_scratch(database, "before")
    past.wait(days=-3)
    for said in ("set back", "again"):
        past.publish(good(1, buy_button_rank=3), good(2, buy_button_rank=1))
        _assert_as_from_scratch(database, said)
        assert _buttons(database) == {1: "lost", 2: "won"}, said
    past.wait(days=3, hours=25)
    past.publish(good(1, buy_button_rank=3), good(2, buy_button_rank=1))
    _assert_as_from_scratch(database, "caught up")
    assert _buttons(database) == {1: "missed", 2: "kept"}


def test_after_the_clock_was_set_ahead_in_the_midst_of_a_publish(database: Database) -> None:
    """Its stamp, drawn at its beginning, lies days before its time, drawn at its end."""
    past = Past(database)
    past.publish(good(1, buy_button_rank=1), good(2, buy_button_rank=2))
    past.wait(hours=25)
    past.publish(good(1, buy_button_rank=2), good(2, buy_button_rank=1))
    execute(
        database,
        """WITH newest AS (SELECT max(published_at) AS was FROM emag_publishes),
                ahead AS (UPDATE emag_publishes SET published_at = published_at + interval '3 days'
                          FROM newest WHERE published_at = newest.was)
           UPDATE emag_offer_syncs SET completed_at = completed_at + interval '3 days'
           FROM newest WHERE completed_at = newest.was""",
    )
    _assert_as_from_scratch(database, "ahead")
    assert _buttons(database) == {1: "lost", 2: "won"}
    past.wait(days=3, hours=25)
    past.publish(good(1, buy_button_rank=2), good(2, buy_button_rank=1), good(3))
    _assert_as_from_scratch(database, "a day later")
    assert _buttons(database) == {1: "missed", 2: "kept"}
