import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from emag_pipeline.db.budget import DatabaseBudget
from emag_pipeline.db.engine import Database


def test_slots_of_all_processes_lie_one_pace_apart(database: Database) -> None:
    budgets = [DatabaseBudget(database, 3, 180) for _ in range(4)]
    began = time.monotonic()

    def slot(index: int) -> float:
        wait = budgets[index % 4].reserve("main")
        return time.monotonic() - began + wait

    with ThreadPoolExecutor(4) as pool:
        slots = sorted(pool.map(slot, range(12)))
    assert slots[-1] - slots[0] == pytest.approx(11 * 1.035 / 3, abs=0.1)


def test_accounts_have_budgets_of_their_own(database: Database) -> None:
    budget = DatabaseBudget(database, 3, 180)
    assert [budget.reserve(account) for account in ("main", "fbe")] == [0.0, 0.0]


def test_after_a_429_nobody_sends_for_the_time_asked(database: Database) -> None:
    budget = DatabaseBudget(database, 3, 180)
    budget.reserve("main")
    budget.slow_down("main", 20)
    assert 19 < DatabaseBudget(database, 3, 180).reserve("main") <= 20


def test_a_share_of_the_budget_is_a_slower_pace(database: Database) -> None:
    assert DatabaseBudget(database, 3, 180, share=0.5).pace_seconds == pytest.approx(0.69)
