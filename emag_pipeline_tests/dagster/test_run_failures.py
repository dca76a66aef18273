import re
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import dagster as dg
import pytest
from dagster._core.events import DagsterEvent
from dagster._core.execution.plan.objects import ErrorSource, StepFailureData
from dagster_shared.error import SerializableErrorInfo

from emag_pipeline.dagster_runs.past_runs import past_runs
from emag_pipeline.definitions import defs
from emag_pipeline.monitoring import dagster
from emag_pipeline.monitoring.dagster import run_failures, stale_accounts
from emag_pipeline.monitoring.incidents import open_incidents
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.settings import Settings
from emag_pipeline.store import monitoring_tables
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import ledger
from emag_pipeline.sync.account_health import PastRuns
from emag_pipeline.sync.approval import approve
from emag_pipeline_tests.dagster.runs import Run, executed, sensor_context
from emag_pipeline_tests.monitoring.receiver import Receiver
from emag_pipeline_tests.store.ageing import published_ago
from emag_pipeline_tests.sync.syncs import begin, execute, rows

Look = Callable[[], None]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def context(
    settings: Settings, receiver: Receiver, instance: dg.DagsterInstance
) -> Callable[[], dg.SensorEvaluationContext]:
    """What a sensor is evaluated with; it looks after `main` alone."""
    alone = {"accounts": settings.accounts[:1], "alert_webhook_url": receiver.url}
    return lambda: sensor_context(settings.model_copy(update=alone), instance)


@pytest.fixture
def look(context: Callable[[], dg.SensorEvaluationContext]) -> Look:
    """Evaluates `run_failures`."""
    return lambda: run_failures.evaluate_tick(context()) and None


@pytest.fixture
def asked(context: Callable[[], dg.SensorEvaluationContext]) -> Callable[[], str]:
    """What `stale_accounts` says of `main`; `requested` when it requests a run."""
    return lambda: (
        tick.skip_message or "" if not (tick := stale_accounts.evaluate_tick(context())).run_requests else "requested"
    )


def _dead_run(instance: dg.DagsterInstance, said: str = "terminated by signal 9", **tags: str) -> dg.DagsterRun:
    """A run of `main` whose process died before any of our code ran."""
    run = instance.create_run_for_job(
        defs.resolve_job_def("refresh_offers"),
        status=dg.DagsterRunStatus.STARTED,
        tags={"dagster/partition": "main", **tags},
    )
    instance.report_run_failed(run, said)
    return run


def _twice_dead(instance: dg.DagsterInstance, said: str = "terminated by signal 9") -> dg.DagsterRun:
    """The second of two such runs: what a try by itself did not mend either."""
    _dead_run(instance, said)
    return _dead_run(instance, said)


def test_a_run_that_was_told_to_stop_and_had_no_time_to_say_so_is_nobodys_alert(
    instance: dg.DagsterInstance, look: Look, receiver: Receiver, database: Database
) -> None:
    run = instance.create_run_for_job(
        defs.resolve_job_def("refresh_offers"),
        status=dg.DagsterRunStatus.STARTED,
        tags={"dagster/partition": "main"},
    )
    error = SerializableErrorInfo("DagsterExecutionInterruptedError", [], "DagsterExecutionInterruptedError")
    failure = StepFailureData(error=error, user_failure_data=None, error_source=ErrorSource.INTERRUPT)
    event = DagsterEvent("STEP_FAILURE", run.job_name, step_key="staged_offers", event_specific_data=failure)
    instance.report_dagster_event(event, run_id=run.run_id)
    instance.report_run_failed(run, "marked as failed from outside")
    look()
    assert open_incidents(database) == []
    assert receiver.taken == []


def test_a_permanent_error_is_told_once_with_cause_remedy_and_run_and_once_when_it_is_well(
    market: SandboxServer, run: Run, look: Look, receiver: Receiver, database: Database, asked: Callable[[], str]
) -> None:
    market.add_fault("wrong_credentials", account="main")
    failed = run("main")
    look()
    again = run("main")
    look()
    (alert,) = receiver.taken
    assert (alert["account"], alert["kind"], alert["error_class"]) == ("main", "failing", "AccessRefused")
    assert "the marketplace refuses the credentials" in alert["text"]
    assert "Correct the account's user name and password" in alert["text"]
    assert alert["run_url"].endswith(f"/runs/{failed.run_id}")
    (incident,) = open_incidents(database)
    assert incident.dagster_run_id == again.run_id, "what is listed is the newest"
    assert asked() == "main: waits for a person"
    market.clear_faults()
    assert run("main").success
    look()
    look()
    assert open_incidents(database) == []
    (end,) = receiver.taken[1:]
    assert end["text"].startswith("main recovered after ")
    assert end["text"].endswith(": 320 offers published")


def test_a_refused_audit_tells_the_command_that_approves_and_waits_for_it(
    market: SandboxServer, run: Run, look: Look, receiver: Receiver, database: Database, settings: Settings,
    asked: Callable[[], str], instance: dg.DagsterInstance,
) -> None:  # fmt: skip
    run("main")
    market.remove("main", market.ids("main")[:100])
    refused = run("main")
    look()
    (alert,) = receiver.taken
    sync_id = rows(database, "SELECT sync_id FROM emag_offer_syncs WHERE status = 'failed'")[0][0]
    assert (alert["kind"], alert["account"]) == ("refused", "main")
    assert f"run `emag-pipeline approve {sync_id}`" in alert["text"]
    failures = instance.all_logs(refused.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    (told,) = [one.dagster_event.step_failure_data.error_display_string for one in failures if one.step_key == "audit"]
    assert f"run `emag-pipeline approve {sync_id}`" in told
    assert "Traceback" not in told
    assert asked() == "main: waits for a person"
    approve(database, settings, sync_id, "somebody")
    assert asked() == "requested"
    look()
    assert [incident.kind for incident in open_incidents(database)] == ["refused"], "it is not published yet"
    run("main")
    look()
    assert receiver.taken[-1]["state"] == "closed"


def test_a_refused_audit_is_not_repeated_even_by_a_repetition(
    market: SandboxServer, settings: Settings, run: Run
) -> None:
    """Its tags are those of the run that it repeats, which was allowed to be repeated."""
    run("main")
    market.remove("main", market.ids("main")[:100])
    retries = {"enabled": True, "max_retries": 2, "retry_on_asset_or_op_failure": False}
    with dg.DagsterInstance.ephemeral(settings={"run_retries": retries}) as retrying:
        tags = {"dagster/retry_on_asset_or_op_failure": "true"}
        result = executed("refresh_offers", "main", settings, retrying, tags=tags)
        repeated = retrying.get_run_by_id(result.run_id)
    assert repeated is not None
    assert (repeated.status, repeated.tags["dagster/will_retry"]) == (dg.DagsterRunStatus.FAILURE, "false")


def test_a_run_that_died_before_any_of_our_code_ran_is_told_in_dagsters_words(
    instance: dg.DagsterInstance, look: Look, receiver: Receiver
) -> None:
    dead = _twice_dead(instance)
    look()
    (alert,) = receiver.taken
    assert (alert["kind"], alert["error_class"]) == ("failing", "RUN_DIED")
    assert re.search(r"It is retried automatically at \d{4}-\d\d-\d\d \d\d:\d\d UTC", alert["remedy"])
    assert "terminated by signal 9" in alert["text"]
    assert alert["run_url"].endswith(f"/runs/{dead.run_id}")


def test_each_run_that_died_makes_the_next_one_wait_longer(
    instance: dg.DagsterInstance, asked: Callable[[], str]
) -> None:
    assert asked() == "requested"
    waits = []
    for _ in range(5):
        _dead_run(instance)
        waits.append(float(asked().split(" try in ")[1].split(" s")[0]))
    assert waits == sorted(waits)
    assert waits[0] <= 300 < waits[1] <= 600 < waits[2] <= 1200 < waits[3] <= 2400 < waits[4] <= 3600


def test_a_run_that_was_repeated_is_its_repetitions_business(
    instance: dg.DagsterInstance, look: Look, receiver: Receiver, asked: Callable[[], str]
) -> None:
    _dead_run(instance, **{"dagster/auto_retry_run_id": "another"})
    look()
    assert receiver.taken == []
    assert asked() == "requested"


def test_a_cancelled_run_is_neither_told_nor_repeated(
    instance: dg.DagsterInstance, database: Database, look: Look, receiver: Receiver, asked: Callable[[], str]
) -> None:
    cancelled = instance.create_run_for_job(
        defs.resolve_job_def("refresh_offers"), status=dg.DagsterRunStatus.STARTED, tags={"dagster/partition": "main"}
    )
    lease = begin(database, run_id=cancelled.run_id)
    ledger.end(database, lease, "cancelled", error_class="Interrupted", message="it was told to stop", remedy="-")
    instance.report_run_canceled(cancelled)
    look()
    assert receiver.taken == []
    assert "a person stopped the last run" in asked()


def test_a_run_that_met_another_sync_is_not_told(
    instance: dg.DagsterInstance, database: Database, run: Run, look: Look, receiver: Receiver
) -> None:
    other = instance.create_run_for_job(defs.resolve_job_def("maintenance"), status=dg.DagsterRunStatus.STARTED)
    lease = begin(database, run_id=other.run_id)
    assert not run("main").success
    ledger.end(database, lease, "cancelled", error_class="Interrupted", message="it was told to stop", remedy="-")
    look()
    assert receiver.taken == []


def test_an_account_that_stays_stale_is_told_whatever_the_reason(
    database: Database, run: Run, look: Look, receiver: Receiver
) -> None:
    run("main")
    published_ago(database, timedelta(hours=7, minutes=1))
    look()
    assert receiver.taken == [], "after a long stop the first look finds what is about to be refreshed"
    look()
    (alert,) = receiver.taken
    assert alert["kind"] == "stale"
    assert "published 7 hours ago, 6 hours are allowed" in alert["text"]


def test_a_job_without_an_account_is_told_when_it_fails_and_when_it_succeeds(
    instance: dg.DagsterInstance, look: Look, receiver: Receiver
) -> None:
    job = defs.resolve_job_def("maintenance")
    failed = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    instance.report_run_failed(failed, "the disk is full")
    look()
    done = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    instance.report_dagster_event(_success(done), done.run_id)
    look()
    assert [(one["subject"], one["account"], one["state"]) for one in receiver.taken] == [
        ("maintenance", None, "open"),
        ("maintenance", None, "closed"),
    ]


def _success(run: dg.DagsterRun) -> dg.DagsterEvent:
    return dg.DagsterEvent(event_type_value=dg.DagsterEventType.RUN_SUCCESS.value, job_name=run.job_name)


@pytest.mark.parametrize("behaviour", ["refuses", "hangs up"])
def test_a_webhook_that_fails_harms_no_tick(
    behaviour: str, instance: dg.DagsterInstance, database: Database, look: Look, receiver: Receiver
) -> None:
    receiver.behaviour = behaviour  # type: ignore[assignment]
    _twice_dead(instance)
    look()
    assert "run_failures" in monitoring_tables.tick_ages(database)
    assert len(open_incidents(database)) == 1


def test_a_run_that_dagster_is_about_to_repeat_is_neither_told_nor_doubled_until_that_retry_is_lost(
    settings: Settings, receiver: Receiver
) -> None:
    alone = {"accounts": settings.accounts[:1], "alert_webhook_url": receiver.url}
    of_main = settings.model_copy(update=alone)

    def evaluate(sensor: dg.SensorDefinition) -> str:
        return sensor.evaluate_tick(sensor_context(of_main, retrying)).skip_message or ""

    with dg.DagsterInstance.ephemeral(settings={"run_retries": {"enabled": True, "max_retries": 2}}) as retrying:
        dead = _dead_run(retrying)
        assert evaluate(run_failures) == "no incident is open"
        assert evaluate(stale_accounts) == "main: a run is under way"
        retrying.add_run_tags(dead.run_id, {"dagster/will_retry": "false"})  # as Dagster does when it cannot launch it
        assert "next try in" in evaluate(stale_accounts)
        assert evaluate(run_failures) == "no incident is open", "the sensor tries it again"
        second = _dead_run(retrying)
        retrying.add_run_tags(second.run_id, {"dagster/will_retry": "false"})
        assert "terminated by signal 9" in evaluate(run_failures)
    assert len(receiver.taken) == 1


def test_a_killed_run_that_its_sensor_repeats_is_told_when_no_try_comes_or_the_next_one_dies(
    instance: dg.DagsterInstance, database: Database, look: Look, receiver: Receiver, asked: Callable[[], str]
) -> None:
    """As `emag-pipeline sync`, killed: Dagster does not repeat it, the sensor does after its interval."""
    dead = _dead_run(instance, **{"dagster/max_retries": "0"})
    lease = begin(database, run_id=dead.run_id)
    ledger.end(database, lease, "failed", error_class="OwnerDied", message="its process is gone", remedy="Wait")
    look()
    assert asked().startswith("main: next try in ")
    assert (open_incidents(database), receiver.taken) == ([], [])
    with patch.object(time, "time", lambda at=time.time: at() + 901):  # no try for an interval and two looks more
        execute(database, "UPDATE emag_offer_syncs SET completed_at = completed_at - interval '901 seconds'")
        look()
    (alert,) = receiver.taken
    assert (alert["kind"], alert["error_class"]) == ("failing", "OwnerDied")


def test_a_retry_that_begins_amid_a_look_counts_as_under_way(
    instance: dg.DagsterInstance, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin_and_fail(database, instance)

    def retried(*given: Any) -> PastRuns:
        """Dagster's daemon repeats the run between two of the look's questions."""
        (dead,) = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]))
        retry = instance.create_run_for_job(
            defs.resolve_job_def("refresh_offers"),
            status=dg.DagsterRunStatus.STARTED,
            tags={"dagster/partition": "main", "dagster/retry_number": "1"},
        )
        instance.add_run_tags(dead.run_id, {"dagster/auto_retry_run_id": retry.run_id})
        return past_runs(*given)

    monkeypatch.setattr(dagster, "past_runs", retried)
    one = dagster.account_states(database, instance, settings.model_copy(update={"accounts": settings.accounts[:1]}))[0]
    assert one.is_under_way
    assert one.cause is None


def begin_and_fail(database: Database, instance: dg.DagsterInstance) -> None:
    """A sync of a run that died, both of them over."""
    dead = _dead_run(instance)
    lease = begin(database, run_id=dead.run_id)
    ledger.end(database, lease, "failed", error_class="OwnerDied", message="its process is gone", remedy="Wait")


def test_marts_that_a_killed_sync_left_are_told_only_if_no_sensor_computes_them(
    instance: dg.DagsterInstance, look: Look, receiver: Receiver
) -> None:
    job = defs.resolve_job_def("refresh_marts")

    def of_main(status: dg.DagsterRunStatus, **tags: str) -> dg.DagsterRun:
        return instance.create_run_for_job(job, status=status, tags={"dagster/partition": "main", **tags})

    dead = of_main(dg.DagsterRunStatus.STARTED, **{"dagster/max_retries": "0"})
    instance.report_run_failed(dead, "terminated by signal 9")
    look()
    assert receiver.taken == [], "the sensor stale_marts requests it within its interval"
    again = of_main(dg.DagsterRunStatus.STARTED)
    with patch.object(time, "time", lambda at=time.time: at() + 901):
        look()
        assert receiver.taken == [], "another run is under way"
        instance.report_run_failed(again, "terminated by signal 9")
        look()
    (alert,) = receiver.taken
    assert (alert["subject"], alert["run_url"].rsplit("/", 1)[1]) == ("refresh_marts of main", again.run_id)


def test_a_secret_in_dagsters_words_is_not_told(instance: dg.DagsterInstance, look: Look, receiver: Receiver) -> None:
    _twice_dead(instance, said="no connection to postgresql://me:s3cret@db/emag")
    look()
    assert "no connection to postgresql://me:***@db/emag" in receiver.taken[0]["text"]


def test_words_that_a_database_cannot_hold_do_not_keep_an_alert_from_being_told(
    instance: dg.DagsterInstance, look: Look, receiver: Receiver
) -> None:
    _twice_dead(instance, said="it said \u0000 \ud800 \x1b[31mno")
    look()
    assert receiver.taken[0]["cause"].endswith(": it said   [31mno")
