"""Two days of the month that `make month` plays in full: every mart agrees with the sandbox's truth."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from emag_pipeline.marts.registry import MARTS
from emag_pipeline_tests.month.backfill import backfill
from emag_pipeline_tests.month.judge import buy_button
from emag_pipeline_tests.month.judge.issues import codes
from emag_pipeline_tests.month.play import Month, play
from emag_pipeline_tests.month.reconcile import Reckoning, reconcile
from emag_pipeline_tests.month.report import report
from emag_pipeline_tests.month.stage import Stage, stage

pytestmark = pytest.mark.slow

_SEED = 7


@dataclass(frozen=True, slots=True)
class Played:
    """Two days that were played, and what came of the comparison at their end."""

    stage: Stage
    month: Month
    reckoning: Reckoning


@pytest.fixture(scope="module")
def played() -> Iterator[Played]:
    with stage({"main": 150, "fbe": 40}, seed=_SEED) as place:
        month = play(place, 2, random.Random(_SEED))
        backfill(place, month.past)
        yield Played(place, month, reconcile(place.database, month.past))


def test_after_each_sync_the_marts_hold_what_the_sandbox_holds(played: Played) -> None:
    assert played.month.on_the_way.differences == []


def test_all_days_and_every_past_moment_are_as_they_were(played: Played) -> None:
    assert played.reckoning.differences == []


def test_the_marts_own_checks_agree(played: Played) -> None:
    assert [name for name in played.stage.failed_checks if "reconcile" in name] == []


def test_something_was_compared_of_every_mart(played: Played) -> None:
    assert {mart.name for mart in MARTS} <= played.reckoning.compared.keys()
    assert min(played.reckoning.compared.values()) > 0


def test_the_days_are_not_idle(played: Played) -> None:
    past = played.month.past
    standing = {code for state in past.newest("main").offers.values() for code in codes(state)}
    changes = {row["change"] for row in buy_button.expected(past, "main").values()}
    assert {"out_of_stock", "inactive", "product_8"} <= standing
    assert {"won", "lost", "kept", "missed"} <= changes


@pytest.mark.parametrize(
    ("what", "wrong"),
    [
        ("offer_issues", "UPDATE emag_offer_issues SET since = since - interval '1 microsecond'"),
        ("buy_button", "UPDATE emag_buy_button SET gap_percent = gap_percent + 0.0001"),
        ("low_stock", "DELETE FROM emag_low_stock WHERE days_of_cover < 10"),
        ("daily_assortment", "UPDATE emag_daily_assortment SET price_cuts = price_cuts + 1"),
        ("as of", "UPDATE emag_offer_states SET warranty = 99 WHERE stamp_to IS NOT NULL"),
    ],
)
def test_what_is_wrong_is_told(played: Played, what: str, wrong: str) -> None:
    with played.stage.copy_of_the_database() as database:
        with database.transaction() as tx:
            tx.run(wrong)
        differences = reconcile(database, played.month.past).differences
    assert differences
    assert all(line.startswith(what) for line in differences)


def test_the_report_says_what_was_compared(played: Played) -> None:
    lines = list(report("A month", played.month, 2, played.reckoning, 1.0, {"a_check": 3}))
    assert f"| current offers | {played.reckoning.compared['current offers']:,} | 0 |" in lines
    assert "| `a_check` | 3 |" in lines
