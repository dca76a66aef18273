"""G4: never more calls of an account than the marketplace allows, all processes together."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from emag_pipeline.drills.market import Market
from emag_pipeline.reference.read import read_reference
from emag_pipeline.reference.tables import CATEGORIES
from emag_pipeline.settings import load_settings
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.local.ups import wait_until
from emag_pipeline_tests.promises.watching import newest
from emag_pipeline_tests.promises.workers import Workers, environment_of

pytestmark = pytest.mark.slow

_RETRY_AFTER_SECONDS = 2.0


class Rush:
    """A run and another program calling for one account at once, by the same limits."""

    def __init__(self, directory: Path, url: str, database_url: str, dagster_url: str, **limits: str) -> None:
        self.variables = environment_of(directory, url, database_url, dagster_url) | limits
        self.workers = Workers(directory, self.variables)

    @contextmanager
    def caller(self) -> Iterator[None]:
        process = subprocess.Popen([sys.executable, "-m", "emag_pipeline_tests.promises.caller"], env=self.variables)
        try:
            yield
            assert process.poll() is None, "the other program failed"
        finally:
            process.kill()
            process.wait()


def _market(directory: Path, offers: int, per_second: int) -> Market:
    """In a process of its own: in the tests' process it would stamp arrivals late. A limit of 0 is none."""
    return Market(offers, directory / "sandbox.log", per_second=per_second, per_minute=60 * per_second)


def _limits(per_second: int) -> dict[str, str]:
    return {
        "EMAG_API_REQUESTS_PER_SECOND": str(per_second),
        "EMAG_API_REQUESTS_PER_MINUTE": str(per_second * 60),
        "EMAG_SYNC_HEARTBEAT_TIMEOUT": "60",
    }


def _resources(market: Market) -> set[str]:
    return {request["resource"] for request in market.control.requests("main")}


@pytest.mark.parametrize(
    ("per_second", "offers", "share"), [(3, 350, 1.0), (20, 2000, 1.0), (20, 1000, 0.5)],
    ids=["the default limits", "more than the default", "half of the budget"],
)  # fmt: skip
def test_g4_a_run_and_another_program_together_stay_within_the_limit(
    database: Database, database_url: str, dagster_url: str, tmp_path: Path, per_second: int, offers: int, share: float
) -> None:
    allowed = int(per_second * share)
    with _market(tmp_path, offers, per_second) as market:
        limits = _limits(per_second) | {"EMAG_SYNC_RATE_SHARE": str(share)}
        rush = Rush(tmp_path, market.url, database_url, dagster_url, **limits)
        worker = rush.workers.start()
        with rush.caller():
            assert worker.wait(90) == 0, worker.printed()
        stats = market.control.stats("main")
        assert stats["over_limit"] == 0
        assert stats["most_in_a_second"] <= allowed
        assert newest(database).status == "completed"
        calls = market.control.requests("main")
        assert len(calls) > 2 * offers / 100 + 10, "the other program hardly called"


def test_g4_after_a_429_no_process_calls_before_the_time_that_was_asked_for(
    database_url: str, dagster_url: str, tmp_path: Path
) -> None:
    with _market(tmp_path, 500, 0) as market:
        rush = Rush(tmp_path, market.url, database_url, dagster_url, **_limits(4))
        worker = rush.workers.start()
        with rush.caller():
            wait_until(lambda: "product_offer/count" in _resources(market), 30)
            market.control.add_fault("storm_429", retry_after=_RETRY_AFTER_SECONDS, count=1, after=3)
            assert worker.wait(90) == 0, worker.printed()
        calls = market.control.requests("main")
        (storm,) = [call["time"] for call in calls if call["status"] == 429]
        after = [call["time"] - storm for call in calls if call["time"] > storm]
        assert after[0] > _RETRY_AFTER_SECONDS


def test_g4_a_killed_process_keeps_no_slot(database_url: str, dagster_url: str, tmp_path: Path) -> None:
    with _market(tmp_path, 1000, 20) as market:
        rush = Rush(tmp_path, market.url, database_url, dagster_url, **_limits(20))
        with rush.caller():
            wait_until(lambda: market.control.stats("main")["requests"] > 20, 30)
        worker = rush.workers.start()
        assert worker.wait(90) == 0, worker.printed()
        assert market.control.stats("main")["over_limit"] == 0
        times = [call["time"] for call in market.control.requests("main")][-20:]
        assert min(later - earlier for earlier, later in pairwise(times)) < 0.2


def test_g4_a_run_and_reads_of_reference_data_together_stay_within_the_limit(
    database: Database, database_url: str, dagster_url: str, tmp_path: Path
) -> None:
    with _market(tmp_path, 2000, 20) as market:
        rush = Rush(tmp_path, market.url, database_url, dagster_url, **_limits(20))
        settings = load_settings(rush.variables, env_file=None)
        worker = rush.workers.start()
        while worker.process.poll() is None:
            read_reference(settings, database, "sandbox", CATEGORIES)
        assert worker.wait(90) == 0, worker.printed()
        assert market.control.stats("main")["over_limit"] == 0
        assert _resources(market) >= {"product_offer/read", "category/read"}
        assert newest(database).status == "completed"
