import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from emag_pipeline.marketplace import MarketplaceClient
from emag_pipeline.settings import load_settings
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.rate_budget import DatabaseBudget
from emag_pipeline_tests.sandbox.sandboxes import unlimited_sandbox
from emag_pipeline_tests.sync.syncs import rows


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


def _slower_by(database: Database, budget: DatabaseBudget) -> float:
    """By what factor the pace between two slots is slower."""
    with database.transaction() as tx:
        tx.run("UPDATE emag_rate_budget SET quiet_until = NULL, next_slot_at = clock_timestamp()")
    first, second = budget.reserve("main"), budget.reserve("main")
    return (second - first) / budget.pace_seconds


def test_calls_that_were_refused_together_slow_down_once(database: Database) -> None:
    budget = DatabaseBudget(database, 0.1, 6)
    budget.slow_down("main", 0, 1.0)
    for _ in range(6):  # they were under way when the first one was refused
        budget.slow_down("main", 0, 30.0)
    assert _slower_by(database, budget) == pytest.approx(1.1, abs=0.03)
    time.sleep(0.2)
    budget.slow_down("main", 0, 0.1)  # sent afterwards, and refused all the same
    assert _slower_by(database, budget) == pytest.approx(1.21, abs=0.03)


def test_without_another_refusal_the_pace_comes_back_step_by_step(database: Database) -> None:
    budget = DatabaseBudget(database, 0.1, 6)
    for _ in range(20):
        budget.slow_down("main", 0)
    expected = 2.0
    for _ in range(10):
        assert _slower_by(database, budget) == pytest.approx(max(1.0, expected), abs=0.03)
        expected /= 1.1
        with database.transaction() as tx:
            tx.run("UPDATE emag_rate_budget SET slowed_at = slowed_at - interval '601 seconds'")


def test_a_share_of_the_budget_is_a_slower_pace(database: Database) -> None:
    assert DatabaseBudget(database, 3, 180, share=0.5).pace_seconds == pytest.approx(0.69)


def test_two_installations_that_name_one_login_differently_share_its_budget(database: Database) -> None:
    with unlimited_sandbox(accounts={"main": 30}) as market:
        given = {"EMAG_API_BASE_URL": market.url}
        for name in ("MAIN", "SHOP"):
            given[f"EMAG_{name}_API_USERNAME"], given[f"EMAG_{name}_API_PASSWORD"] = "main@sandbox.example", "sandbox"
        for name in ("main", "shop"):
            account = load_settings(given | {"EMAG_ACCOUNTS": name}, env_file=None).account(name)
            client = MarketplaceClient(account, DatabaseBudget(database, 3, 180), record=lambda _: None)
            client.count()
            client.close()
        first, second = (request["time"] for request in market.requests("main"))
    assert second - first > DatabaseBudget(database, 3, 180).pace_seconds * 0.9
    (budget,) = rows(database, "SELECT login, slots + slots_before AS slots FROM emag_rate_budget")
    assert (budget.login, budget.slots) == (account.login, 2)
