"""Drills are judged by what is really published, whatever the runs say of themselves."""

from collections.abc import Iterator

import pytest

from emag_pipeline.drills.actions import fault
from emag_pipeline.drills.play import exit_code, play
from emag_pipeline.drills.runs import Ending
from emag_pipeline.drills.scenario import Expected, Scenario
from emag_pipeline.drills.scratch import Scratch, scratch
from emag_pipeline.drills.stage import Stage

pytestmark = pytest.mark.slow

_OFFERS = 120


@pytest.fixture(scope="module")
def place() -> Iterator[Scratch]:
    with scratch() as place:
        yield place


def _scenario(**fields: object) -> Scenario:
    words = dict.fromkeys(("fault", "produced", "answer", "lasts"), "")
    return Scenario(name="of-a-test", offers=_OFFERS, **{**words, **fields})  # type: ignore[arg-type]


def _tampered(stage: Stage) -> Ending:
    """A good run; then a row vanishes, one is tombstoned, and one changes its price."""
    ending = stage.run()
    first, second, third = stage.market.control.ids("main")[:3]
    with stage.database.transaction() as tx:
        tx.run("DELETE FROM emag_product_offers WHERE emag_offer_id = :id", id=first)
        tx.run("UPDATE emag_product_offers SET deleted_at = now() WHERE emag_offer_id = :id", id=second)
        tx.run("UPDATE emag_product_offers SET sale_price = 0.01 WHERE emag_offer_id = :id", id=third)
    return ending


def _tombstoned(stage: Stage) -> Ending:
    """A good run; then an offer that exists is tombstoned."""
    ending = stage.run()
    with stage.database.transaction() as tx:
        tx.run(
            "UPDATE emag_product_offers SET deleted_at = now() WHERE emag_offer_id = :id",
            id=stage.market.control.ids("main")[0],
        )
    return ending


def test_a_fault_that_the_pipeline_recovers_from_is_ok(place: Scratch) -> None:
    result = play(_scenario(arrange=fault("server_error", count=1)), place)
    assert (list(result.problems), result.lost_rows, result.wrong_deletions) == ([], 0, 0)
    assert exit_code([result]) == 0


def test_rows_that_are_lost_wrong_or_wrongly_deleted_make_a_drill_fail(place: Scratch) -> None:
    result = play(_scenario(act=_tampered), place)
    assert (result.ok, result.lost_rows, result.wrong_deletions) == (False, 3, 1)
    assert list(result.problems) == ["3 offers lost or wrong", "1 offer wrongly deleted"]
    assert exit_code([result]) == 1


def test_a_wrong_deletion_that_the_next_run_revives_is_still_one(place: Scratch) -> None:
    result = play(_scenario(act=_tombstoned, again=True), place)
    assert (result.lost_rows, result.wrong_deletions) == (0, 1)
    assert "1 offer wrongly deleted meanwhile" in result.problems


def test_another_ending_than_expected_makes_a_drill_fail(place: Scratch) -> None:
    scenario = _scenario(
        arrange=fault("storm_429", pages=[7]), expected=Expected(5, "AccessRefused", "main: refused.", deleted=1)
    )
    problems = "; ".join(play(scenario, place).problems)
    assert "exit code 0, not 5" in problems
    assert "error class none, not AccessRefused" in problems
    assert "the fault storm_429 never happened" in problems
    assert "0 offers deleted, not 1" in problems


def test_a_run_that_fails_after_writing_is_found_out(place: Scratch) -> None:
    def writes_and_fails(stage: Stage) -> Ending:
        _tampered(stage)
        return stage.run({"EMAG_SYNC_MAX_PAGES": "1"})

    problems = play(_scenario(act=writes_and_fails), place).problems
    assert "a failed run changed published rows" in problems


def test_what_cannot_be_played_is_a_failure_not_the_end(place: Scratch) -> None:
    result = play(_scenario(arrange=fault("earthquake")), place)
    assert (result.ok, result.lost_rows) == (False, None)
    assert "earthquake" in result.problems[0]
