"""Slots are taken one by one, in the order of asking, and never late."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from emag_pipeline.errors import CallAborted
from emag_pipeline.marketplace import ProcessBudget
from emag_pipeline.marketplace.pacing import Pacer
from emag_pipeline.settings.accounts import pace_seconds


class Slots:
    """A budget whose slots are given by the test; after the last one they are now."""

    def __init__(self, *waits: float, takes_seconds: tuple[float, ...] = (), pace_seconds: float = 1e-6) -> None:
        self.pace_seconds = pace_seconds
        self.waits = list(waits)
        self.takes_seconds = list(takes_seconds)
        self.reserved = 0

    def reserve(self, account: str) -> float:
        self.reserved += 1
        if self.takes_seconds:
            time.sleep(self.takes_seconds.pop(0))
        return self.waits.pop(0) if self.waits else 0.0

    def slow_down(self, account: str, wait_seconds: float, sent_seconds_ago: float) -> None:
        raise AssertionError("no answer was a 429")

    def is_quiet(self, account: str) -> bool:
        return False


def test_the_budget_of_a_process_keeps_an_even_pace() -> None:
    budget = ProcessBudget(10, 600)
    waits = [budget.reserve("main") for _ in range(4)]
    assert waits == pytest.approx([pace_seconds(10, 600) * place for place in range(4)], abs=0.05)


def test_accounts_do_not_share_a_budget() -> None:
    budget = ProcessBudget(0.1, 6)
    assert budget.reserve("main") == budget.reserve("fbe") == 0.0


def test_after_a_429_the_budget_is_quiet() -> None:
    budget = ProcessBudget(10, 600)
    budget.slow_down("main", 30.0)
    assert budget.reserve("main") > 29.0


def test_a_call_does_not_leave_before_its_slot() -> None:
    began = time.monotonic()
    Pacer(Slots(0.2), "main").wait_for_slot()
    assert time.monotonic() - began >= 0.2


def test_a_slot_that_is_already_over_is_discarded() -> None:
    slots = Slots(-1.0, -0.03, 0.0)
    Pacer(slots, "main").wait_for_slot()
    assert slots.reserved >= 3


def test_a_reservation_that_took_unusually_long_is_discarded() -> None:
    slots = Slots(takes_seconds=(0.0, 0.2))
    pacer = Pacer(slots, "main")
    pacer.wait_for_slot()
    before = slots.reserved
    pacer.wait_for_slot()
    assert slots.reserved - before >= 2


def test_reservations_that_always_take_long_are_used() -> None:
    slots = Slots(takes_seconds=(0.05,) * 200)
    pacer = Pacer(slots, "main")
    for _ in range(5):
        pacer.wait_for_slot()
    assert slots.reserved < 100


def test_threads_leave_in_the_order_in_which_they_came() -> None:
    pacer = Pacer(Slots(0.4, 0.3, 0.2, 0.1, 0.0), "main")  # who reserved out of turn would overtake
    left: list[int] = []

    def leave(number: int) -> None:
        pacer.wait_for_slot()
        left.append(number)

    with ThreadPoolExecutor(5) as pool:
        for number in range(5):
            pool.submit(leave, number)
            time.sleep(0.02)
    assert left == list(range(5))


def test_stopping_wakes_all_waiters() -> None:
    pacer = Pacer(ProcessBudget(0.001, 0.06), "main")
    pacer.wait_for_slot()
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(pacer.wait_for_slot) for _ in range(4)]
        time.sleep(0.05)
        pacer.stop()
        assert all(isinstance(one.exception(timeout=10), CallAborted) for one in waiting)


def test_a_failed_reservation_does_not_block_the_queue() -> None:
    class Failing(Slots):
        def reserve(self, account: str) -> float:
            if self.reserved == 0:
                self.reserved += 1
                raise RuntimeError("the database is away")
            return super().reserve(account)

    pacer = Pacer(Failing(), "main")
    with pytest.raises(RuntimeError):
        pacer.wait_for_slot()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(pacer.wait_for_slot).result(timeout=10)


def test_a_call_that_was_held_up_on_its_way_holds_up_the_next_one() -> None:
    pacer = Pacer(Slots(pace_seconds=0.02), "main")
    pacer.wait_for_slot()
    pacer.note_sent()
    sent = time.monotonic()
    pacer.wait_for_slot()
    assert time.monotonic() - sent >= 0.019


def test_a_slot_that_a_late_call_has_overtaken_is_not_used() -> None:
    slots = Slots(0.0, 0.0, 0.2, pace_seconds=0.2)
    pacer = Pacer(slots, "main")
    pacer.wait_for_slot()
    pacer.note_sent()
    pacer.wait_for_slot()
    assert slots.reserved == 3


def test_four_calls_keep_air_in_a_second_though_the_first_of_them_left_late() -> None:
    pacer = Pacer(ProcessBudget(3, 180), "main")
    sent = []
    for late_seconds in (0.024, 0.0, 0.0, 0.0):
        pacer.wait_for_slot()
        time.sleep(late_seconds)
        pacer.note_sent()
        sent.append(time.monotonic())
    assert sent[3] - sent[0] >= 1.02


def test_what_a_late_call_has_cost_is_made_up_for() -> None:
    pacer = Pacer(ProcessBudget(3, 180), "main")
    began = time.monotonic()
    for place in range(10):
        pacer.wait_for_slot()
        time.sleep(0.015 if place % 4 == 0 else 0.0)
        pacer.note_sent()
    assert time.monotonic() - began < 10 * pace_seconds(3, 180), "a slot was given away"
