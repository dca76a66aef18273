"""The plan of a scan, played against a listing whose answers are a function of the window."""

import random
import re
from collections.abc import Callable

import pytest

from emag_pipeline.errors import PageBoundExceeded
from emag_pipeline.sync.plan import SIZES, ScanPlan, Window, bounded, larger

Answers = Callable[[Window], bool]


def play(plan: ScanPlan, answers: Answers, *, at_once: int = 3, slow: bool = False, seed: int = 1) -> list[Window]:
    """Read as a scan does, several at once, answers in a random order; returns what was read in the end."""
    chance = random.Random(seed)
    under_way: list[Window] = []
    read: list[Window] = []
    while True:
        while len(under_way) < at_once and (window := plan.take()) is not None:
            under_way.append(window)
        if not under_way:
            return read
        window = under_way.pop(chance.randrange(len(under_way)))
        if answers(window):
            plan.answered(window)
            read.append(window)
        elif window.size > 1:
            plan.narrow(window, is_slow=slow)
        else:
            plan.give_up(window)


def covered(read: list[Window]) -> list[int]:
    return sorted(position for window in read if not window.is_behind for position in range(window.first, window.stop))


def holds(position: int) -> Answers:
    """A listing that fails on every page which holds the position."""
    return lambda window: not (window.page - 1) * window.size <= position < window.page * window.size


@pytest.mark.parametrize(("offers", "pages"), [(0, 0), (1, 1), (100, 1), (101, 2), (10_000, 100)])
def test_a_catalogue_is_bounded_in_pages_of_a_hundred_offers(offers: int, pages: int) -> None:
    assert bounded("main", offers, 100) == pages


def test_a_catalogue_beyond_the_page_bound_is_refused_with_the_value_that_is_needed() -> None:
    said = (
        "main: the catalogue has 12,345 offers = 124 pages, EMAG_SYNC_MAX_PAGES is 100: nothing was read. "
        "Set it to 130 or more."
    )
    with pytest.raises(PageBoundExceeded, match=re.escape(said)):
        bounded("main", 12_345, 100)


@pytest.mark.parametrize(("offers", "size", "pages"), [(0, 100, 0), (1, 100, 1), (1200, 100, 12), (1201, 50, 25)])
def test_the_number_of_windows_is_known_before_the_first(offers: int, size: int, pages: int) -> None:
    plan = ScanPlan(offers, size)
    assert plan.pages == pages
    assert len([one for one in play(plan, lambda _: True) if not one.is_behind]) == pages == plan.pages


@pytest.mark.parametrize("size", [*SIZES, 30, 7])
def test_every_position_is_read_once_whatever_the_size(size: int) -> None:
    read = play(ScanPlan(333, size), lambda _: True)
    assert covered(read) == list(range(-(-333 // size) * size))


def test_one_read_looks_behind_the_end_and_leaves_no_gap_before_it() -> None:
    read = play(ScanPlan(1150, 100), lambda _: True)
    assert [one.first for one in read if one.is_behind] == [1200]


@pytest.mark.parametrize("position", [0, 1, 99, 351, 1199])
def test_one_bad_position_costs_that_position_and_the_size_stays(position: int) -> None:
    plan = ScanPlan(1200, 100)
    read = play(plan, holds(position))
    assert covered(read) == [one for one in range(1200) if one != position]
    assert plan.size == plan.settled_size == 100


def test_two_bad_positions_in_both_halves_of_a_page_are_a_local_fault_too() -> None:
    plan = ScanPlan(1200, 100)
    read = play(plan, lambda window: holds(310)(window) and holds(390)(window))
    assert covered(read) == [one for one in range(1200) if one not in (310, 390)]
    assert plan.settled_size == 100


@pytest.mark.parametrize(("most", "found"), [(99, 50), (50, 50), (49, 20), (20, 20), (7, 5), (1, 1)])
def test_a_size_that_is_too_large_is_not_used_again(most: int, found: int) -> None:
    plan = ScanPlan(2000, 100)
    asked: list[Window] = []

    def answers(window: Window) -> bool:
        asked.append(window)
        return window.size <= most

    read = play(plan, answers, slow=True)
    assert covered(read) == list(range(2000))
    assert plan.settled_size == found
    assert len([window for window in asked if window.size == 100]) <= 4


def test_a_page_that_failed_once_and_answers_in_parts_was_bad_luck() -> None:
    plan = ScanPlan(1200, 100)
    read = play(plan, lambda window: window != Window(300, 400, 100))
    assert covered(read) == list(range(1200))
    assert plan.settled_size == 100


def test_what_is_durable_is_not_read_again_and_gaps_are_read_in_pages_that_fit() -> None:
    durable = [range(0, 100), range(100, 150), range(151, 200), range(300, 400)]
    plan = ScanPlan(1200, 100, durable)
    read = play(plan, lambda _: True)
    assert covered(read) == [150, *range(200, 300), *range(400, 1200)]
    assert Window(150, 151, 1) in read
    assert plan.pages == len(durable) + len([one for one in read if not one.is_behind])


def test_while_it_is_cautious_one_window_is_under_way_at_a_time() -> None:
    plan = ScanPlan(1200, 100)
    plan.is_cautious = True
    first = plan.take()
    assert first is not None
    assert plan.take() is None
    plan.answered(first)
    assert plan.take() is not None


@pytest.mark.parametrize("seed", range(40))
def test_whatever_fails_every_position_is_read_or_given_up_once(seed: int) -> None:
    chance = random.Random(seed)
    offers, size = chance.randrange(1, 700), chance.choice([*SIZES, 30])
    bad = set(chance.sample(range(offers), min(offers, chance.randrange(5))))
    plan = ScanPlan(offers, size)
    most = chance.choice([100, 100, 60, 20])

    def answers(window: Window) -> bool:
        pages = range((window.page - 1) * window.size, window.page * window.size)
        return (
            window.size <= most and not any(one in bad for one in pages) and (window.size == 1 or chance.random() > 0.1)
        )

    read = play(plan, answers, seed=seed)
    positions = covered(read)
    assert len(positions) == len(set(positions))
    assert set(range(offers)) - set(positions) == bad
    assert plan.pages == len([one for one in read if not one.is_behind]) + len(bad)


def test_the_next_larger_size_is_at_most_the_one_that_was_asked_for() -> None:
    assert [larger(size, 100) for size in (1, 5, 20, 50, 100)] == [5, 10, 50, 100, 100]
    assert larger(20, 30) == 30
