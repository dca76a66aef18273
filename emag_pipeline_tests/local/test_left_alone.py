"""A fresh `up` that nobody touches for ten minutes shows no error anywhere, and its sensors do what they are for."""

import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from dagster._core.scheduler.instigation import InstigatorTick, TickStatus
from dagster_postgres import PostgresScheduleStorage

from emag_pipeline import embedded
from emag_pipeline.monitoring.silence import SENSORS
from emag_pipeline.store.engine import Database
from emag_pipeline.store.monitoring_tables import CheckResult, check_results
from emag_pipeline_tests.local.ups import Up, up_in, wait_until
from emag_pipeline_tests.sync.syncs import rows

pytestmark = [pytest.mark.services, pytest.mark.timeout(1500)]

_INTERVAL = 10
_ALONE_SECONDS = float(os.environ.get("EMAG_ALONE_SECONDS", "600"))
_WRONG = {"error", "critical", "ERROR", "CRITICAL"}
_WRONG_IN_POSTGRESQL = (" ERROR: ", " FATAL: ", " PANIC: ")


@dataclass(frozen=True, slots=True)
class Story:
    """What there was to see: after the quiet time, and after the answers of sensors had changed twice."""

    quiet_ticks: list[InstigatorTick]
    quiet_results: list[CheckResult]
    incidents: list[Any]
    wrong_lines: list[str]
    ticks: list[InstigatorTick]
    refreshed: list[str]
    seconds_to_refresh: float
    third_was_refreshed: bool


def _ticks(server: embedded.EmbeddedServer) -> list[InstigatorTick]:
    storage = PostgresScheduleStorage(server.address("emag_dagster"), should_autocreate_tables=False)
    states = storage.all_instigator_state()
    return [tick for one in states for tick in storage.get_ticks(one.instigator_origin_id, one.selector_id)]


def _wrong_lines(home: Path) -> list[str]:
    found = []
    for log in sorted((home / "logs").glob("*.log*")):
        for line in log.read_text(errors="replace").splitlines():
            said = json.loads(line) if line.startswith("{") else {"level": "none"}
            if said["level"] in _WRONG or "Traceback" in line or "Warning" in line:
                found.append(f"{log.name}: {line}")
    server_log = embedded.log_of(home).read_text(errors="replace").splitlines()
    return found + [line for line in server_log if any(word in line for word in _WRONG_IN_POSTGRESQL)]


def _publishes(database: Database) -> Counter[str]:
    found = rows(database, "SELECT account_type FROM emag_offer_syncs WHERE status = 'completed'")
    return Counter(row[0] for row in found)


def _have_ticked(server: embedded.EmbeddedServer, times: int, since: float) -> bool:
    ended = [tick for tick in _ticks(server) if tick.timestamp > since and tick.status is not TickStatus.STARTED]
    counted = Counter(tick.instigator_name for tick in ended)
    return all(counted[sensor] >= times for sensor in SENSORS)


def _age(database: Database) -> None:
    """As if `main` had been published, and the reference data been read, two days ago."""
    with database.transaction() as tx:
        tx.run(
            "UPDATE emag_offer_syncs SET started_at = started_at - interval '48 hours', "
            "completed_at = completed_at - interval '48 hours', "
            "oldest_page_at = oldest_page_at - interval '48 hours' "
            "WHERE account_type = 'main' AND status = 'completed'"
        )
        tx.run("UPDATE emag_reference_reads SET read_at = read_at - interval '48 hours'")


def _play(up: Up, database: Database, server: embedded.EmbeddedServer) -> Story:
    up.wait_for("all accounts are published")
    time.sleep(_ALONE_SECONDS)
    quiet_ticks, quiet_results = _ticks(server), check_results(database, ["main", "fbe", "sandbox"])
    incidents = rows(database, "SELECT * FROM emag_incidents")
    wrong_lines = _wrong_lines(up.home)
    before, began = _publishes(database), time.time()
    _age(database)
    wait_until(lambda: _publishes(database) != before, 240, up.said)
    seconds = time.time() - began
    changed_back = time.time()
    wait_until(lambda: _have_ticked(server, 3, changed_back), 240, up.said)
    refreshed = list((_publishes(database) - before).elements())
    return Story(
        quiet_ticks, quiet_results, incidents, wrong_lines, _ticks(server), refreshed, seconds, _third(up, database)
    )


def _third(up: Up, database: Database) -> bool:
    """Whether an account that is added is refreshed without a word."""
    database.close()
    up.process.terminate()
    up.process.wait(60)
    with up_in(up.home, EMAG_ACCOUNTS="main,fbe,third", EMAG_SYNC_MONITOR_INTERVAL=str(_INTERVAL)) as again:
        again.wait_for("third: published")
        return True


@pytest.fixture(scope="module")
def story() -> Iterator[Story]:
    with up_in(EMAG_SYNC_MONITOR_INTERVAL=str(_INTERVAL), PYTHONWARNINGS="") as up:
        up.wait_for("ready: look at")
        server = embedded.running(up.home)
        assert server is not None
        database = Database(server.url("emag"))
        yield _play(up, database, server)


def test_every_sensor_ticks_again_and_again_and_no_tick_fails(story: Story) -> None:
    ended = Counter(tick.instigator_name for tick in story.quiet_ticks if tick.status is not TickStatus.STARTED)
    least = int(_ALONE_SECONDS / _INTERVAL / 2)
    assert {sensor for sensor in SENSORS if ended[sensor] < least} == set()
    failed = [tick for tick in story.quiet_ticks if tick.status is TickStatus.FAILURE]
    assert [(tick.instigator_name, tick.error) for tick in failed] == []


def test_no_program_logs_an_error_and_postgresql_neither(story: Story) -> None:
    assert story.wrong_lines == []


def test_every_check_answers_and_none_is_red(story: Story) -> None:
    assert {result.subject for result in story.quiet_results} == {"main", "fbe", "sandbox"}
    assert [result for result in story.quiet_results if not result.passed and result.severity == "ERROR"] == []


def test_there_never_was_an_incident(story: Story) -> None:
    assert story.incidents == []


def test_an_account_that_is_made_stale_is_refreshed_and_the_fresh_one_beside_it_is_not(story: Story) -> None:
    assert set(story.refreshed) == {"main"}


def test_no_tick_fails_when_what_sensors_find_changes_and_changes_back(story: Story) -> None:
    failed = [tick for tick in story.ticks if tick.status is TickStatus.FAILURE]
    assert [(tick.instigator_name, tick.error) for tick in failed] == []
    requesting = {tick.instigator_name for tick in story.ticks if tick.status is TickStatus.SUCCESS}
    skipping = {tick.instigator_name for tick in story.ticks if tick.status is TickStatus.SKIPPED}
    assert {"stale_accounts", "stale_marts", "stale_reference"} <= requesting & skipping


def test_an_account_that_is_added_beside_two_old_ones_is_refreshed(story: Story) -> None:
    assert story.third_was_refreshed
