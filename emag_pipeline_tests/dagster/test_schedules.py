"""When refreshes happen by themselves: at a minute and a second of the account's own, one at a time."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.schedule_definition import ScheduleExecutionData

from emag_pipeline.dagster_runs.resource import Pipeline
from emag_pipeline.dagster_runs.start_time import NOT_BEFORE_TAG, minute_of, second_of
from emag_pipeline.definitions import defs
from emag_pipeline.refresh.dagster import refresh_schedule
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.settings import Settings, load_settings
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import ledger
from emag_pipeline_tests.sync.syncs import begin, rows

_REPOSITORY = defs.get_repository_def()
_JOB = defs.resolve_job_def("refresh_offers")
_TICK = datetime(2026, 11, 24, 12, 17, tzinfo=UTC)
_WITHOUT_DATABASE = load_settings({"EMAG_HOME": "/nowhere"}, env_file=None)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """An instance that a schedule's context accepts."""
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        yield instance


def _evaluate(
    instance: dg.DagsterInstance, account: str, settings: Settings = _WITHOUT_DATABASE
) -> ScheduleExecutionData:
    context = dg.build_schedule_context(
        instance=instance,
        repository_def=_REPOSITORY,
        scheduled_execution_time=_TICK,
        resources={"pipeline": Pipeline(settings)},
    )
    return _REPOSITORY.get_schedule_def(f"refresh_offers_{account}").evaluate_tick(context)


def test_the_minute_and_second_of_an_account_never_change() -> None:
    times = {name: (minute_of(name), second_of(name)) for name in ("main", "fbe", "hu", "bg")}
    assert times == {"main": (26, 31), "fbe": (3, 44), "hu": (44, 52), "bg": (22, 34)}


def test_fifty_accounts_are_spread_over_the_hour_off_round_times() -> None:
    names = [f"seller_{number}" for number in range(50)]
    times = {(minute_of(name), second_of(name)) for name in names}
    assert len(times) > 45
    assert all(0 < minute < 60 and minute % 5 and 10 < second < 60 and second % 5 for minute, second in times)


def test_a_tick_asks_for_one_run_of_its_account_at_its_second(kept: dg.DagsterInstance) -> None:
    (request,) = _evaluate(kept, "fbe").run_requests or ()
    assert request.partition_key == "fbe"
    assert request.tags[NOT_BEFORE_TAG] == f"2026-11-24T12:17:{second_of('fbe')}+00:00"


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTED])
def test_a_tick_is_skipped_while_a_run_of_the_account_waits_or_works(
    kept: dg.DagsterInstance, status: dg.DagsterRunStatus
) -> None:
    kept.create_run_for_job(_JOB, status=status, tags={"dagster/partition": "main"})
    tick = _evaluate(kept, "main")
    assert (tick.run_requests, tick.skip_message) == ([], "a run of main is queued or under way")
    assert len(_evaluate(kept, "fbe").run_requests or ()) == 1


def test_a_refused_scan_is_not_replaced_by_another_one_until_a_person_has_decided(
    kept: dg.DagsterInstance, database: Database, settings: Settings
) -> None:
    lease = begin(database)
    ledger.end(database, lease, "failed", error_class="RefusedError", message="it shrank", remedy="approve it")
    assert "a person decides" in (_evaluate(kept, "main", settings).skip_message or "")
    with database.transaction() as tx:
        ledger.approve(tx, lease.sync_id, "somebody")
    assert len(_evaluate(kept, "main", settings).run_requests or ()) == 1


def test_what_no_rerun_mends_is_still_tried_by_the_schedule(
    kept: dg.DagsterInstance, database: Database, settings: Settings
) -> None:
    ledger.end(database, begin(database), "failed", error_class="AccessRefused", message="no", remedy="log in")
    assert len(_evaluate(kept, "main", settings).run_requests or ()) == 1


def test_cron_and_time_zone_can_be_set() -> None:
    given = {"EMAG_REFRESH_CRON": "H/15 5-22 * * 1-6", "EMAG_CRON_TIMEZONE": "Europe/Bucharest"}
    schedule = refresh_schedule("fbe", load_settings(given, env_file=None))
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("3-59/15 5-22 * * 1-6", "Europe/Bucharest")


def _in(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def test_a_scheduled_run_waits_for_its_second_before_its_first_call(
    market: SandboxServer, settings: Settings, instance: dg.DagsterInstance, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "emag_pipeline")
    start = datetime.now(UTC) + timedelta(seconds=2)
    result = _JOB.execute_in_process(
        partition_key="fbe",
        instance=instance,
        resources={"pipeline": Pipeline(settings)},
        tags={NOT_BEFORE_TAG: start.isoformat()},
    )
    assert result.success
    assert [entry for entry in instance.all_logs(result.run_id) if "at its own second" in entry.message]
    (told,) = [one.msg for one in caplog.records if "start_awaited" in one.getMessage()]
    assert (told["event"], told["subject"], told["run_id"]) == ("start_awaited", "fbe", result.run_id)
    assert min(request["time"] for request in market.requests("fbe")) >= start.timestamp()


def test_a_run_that_comes_late_does_not_wait(settings: Settings, instance: dg.DagsterInstance) -> None:
    result = _JOB.execute_in_process(
        partition_key="fbe",
        instance=instance,
        resources={"pipeline": Pipeline(settings)},
        tags={NOT_BEFORE_TAG: _in(-3600)},
    )
    assert not [entry for entry in instance.all_logs(result.run_id) if "at its own second" in entry.message]


_WAITING = """
import sys
import dagster as dg
from dagster._utils.interrupts import capture_interrupts
from emag_pipeline.definitions import defs
with dg.DagsterInstance.ephemeral() as instance, capture_interrupts():
    defs.resolve_job_def("refresh_offers").execute_in_process(
        partition_key="main", instance=instance, tags={"emag/not_before": sys.argv[1]})
"""


def test_sigterm_ends_the_wait_at_once_and_no_lease_was_taken(
    market: SandboxServer, database: Database, database_url: str, tmp_path: Path
) -> None:
    login = {"EMAG_API_USERNAME": "main@sandbox.example", "EMAG_API_PASSWORD": "sandbox"}
    waiting = subprocess.Popen(
        [sys.executable, "-c", _WAITING, _in(40)],
        env={**os.environ, **login, "EMAG_API_BASE_URL": market.url, "DATABASE_SYNC_URL": database_url},
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert waiting.stderr is not None
    assert any("at its own second" in line for line in waiting.stderr)
    told = time.monotonic()
    waiting.send_signal(signal.SIGTERM)
    waiting.communicate(timeout=30)
    assert time.monotonic() - told < 10
    assert rows(database, "SELECT 1 FROM emag_offer_syncs") == []
    assert market.stats("main")["requests"] == 0
