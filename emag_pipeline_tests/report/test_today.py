"""The first list of the report: what costs money now."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from emag_pipeline.marts.figures import Band, LowStock
from emag_pipeline.report import facts_of, page
from emag_pipeline.report.facts import Facts
from emag_pipeline.report.today import MOST, tasks
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.report.documents import read
from emag_pipeline_tests.sync.syncs import rows


@pytest.fixture(scope="module")
def facts(shop: Database) -> Facts:
    return facts_of(shop, "main")


def test_it_is_short_and_stands_before_everything_else(facts: Facts) -> None:
    document = read(page(facts))
    assert 0 < len(tasks(facts)) <= MOST
    assert len(document.all("ol")) == 1
    text = document.text
    assert 0 < text.index(tasks(facts)[0].stake) < text.index("Saleable share")


def test_sales_that_are_lost_each_day_come_first_with_their_sum(shop: Database, facts: Facts) -> None:
    (row,) = rows(
        shop,
        """SELECT round(sum(sales_lost_a_day)) AS lost, count(*) AS offers
           FROM emag_offer_issues WHERE account_type = 'main' AND issue_code = 'out_of_stock'""",
    )
    first = tasks(facts)[0]
    assert first.stake == f"{row.lost:,} RON per day"
    assert first.sentence.startswith(f"{row.offers} offers are sold out")
    assert first.about == facts.sold_out[0].name


def test_reasons_follow_by_what_they_hold_back(shop: Database, facts: Facts) -> None:
    dearest = rows(
        shop,
        """SELECT round(sum(value_held_back)) AS value, count(*) AS offers
           FROM emag_offer_issues WHERE account_type = 'main' AND issue_code <> 'out_of_stock'
           GROUP BY issue_code HAVING sum(value_held_back) > 0 ORDER BY sum(value_held_back) DESC""",
    )
    told = [task.stake for task in tasks(facts) if task.stake.endswith("of stock")]
    assert len(told) >= 2
    assert told == [f"{row.value:,} RON of stock" for row in dearest[: len(told)]]
    amounts = [Decimal(re.sub("[^0-9]", "", stake)) for stake in told]
    assert amounts == sorted(amounts, reverse=True)


def test_lost_buttons_and_what_runs_out_are_counted(shop: Database, facts: Facts) -> None:
    (lost,) = rows(shop, "SELECT count(*) FROM emag_buy_button WHERE account_type='main' AND change = 'lost'")
    said = [task.stake for task in tasks(facts) if task.section == "button"]
    assert said == ([f"{lost[0]} lost"] if lost[0] else [])
    said = [task.stake for task in tasks(facts) if task.section == "cover"]
    assert said == ([f"{facts.running_out} offer{'' if facts.running_out == 1 else 's'}"] if facts.running_out else [])


def _low(name: str, days: str, *, is_saleable: bool) -> LowStock:
    return LowStock(1, name, 5, Decimal(1), Decimal(days), Decimal(20), None, is_saleable, has_jumps=False)


def test_what_nobody_can_buy_does_not_run_out_and_what_lasts_longer_is_not_the_first(facts: Facts) -> None:
    bands = [Band("under 1 day", 2, "soon", not_saleable=2), Band("14 to 30 days", 1, "later", not_saleable=0)]
    low = [_low("switched off", "0.5", is_saleable=False), _low("lasts", "20", is_saleable=True)]
    few = replace(facts, issues=[], lost=[], bands=bands, least_cover=low)
    assert (few.running_out, tasks(few)) == (0, [])
    soon = replace(few, bands=[Band("under 1 day", 5, "soon", not_saleable=2)])
    (task,) = tasks(soon)
    assert (task.stake, task.sentence, task.about) == ("3 offers", "They run out within a week.", None)
    (task,) = tasks(replace(soon, least_cover=[low[0], _low("sells", "2", is_saleable=True)]))
    assert (task.sentence, task.about) == ("They run out within a week; first, in 2.0 days:", "sells")


def test_each_reason_of_an_offer_stands_beside_its_own_time(facts: Facts) -> None:
    one = replace(facts.held_back[0], reasons=["No stock", "Inactive"], remedies=["Order", "Activate"])
    sinces = [datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 9, tzinfo=UTC)]
    headline = replace(facts.headline, known_since=sinces[0])
    text = read(page(replace(facts, headline=headline, held_back=[replace(one, sinces=sinces)]))).text
    for told in ("No stock, at least since 2026-03-01. Order.", "Inactive, since 2026-03-09. Activate."):
        assert told in text


def test_an_account_without_a_publish_has_nothing_to_do(shop: Database) -> None:
    assert tasks(facts_of(shop, "fbe")) == []
    assert "Nothing has been published yet." in read(page(facts_of(shop, "fbe"))).text
