"""What is known of ticks whose end Dagster could not store: the daemon's own code, on PostgreSQL."""

import logging
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import psycopg2
import pytest
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.events import DagsterEvent, JobFailureData
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.scheduler.instigation import TickStatus
from dagster._core.test_utils import InProcessTestWorkspaceLoadTarget, create_test_daemon_workspace_context
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._daemon.sensor import execute_sensor_iteration
from dagster._grpc.client import DagsterGrpcClient
from dagster._utils.error import serializable_error_info_from_exc_info
from dagster_shared.error import SerializableErrorInfo

from emag_pipeline.dagster_runs import daemon
from emag_pipeline.dagster_runs.daemon import LastTick
from emag_pipeline.dagster_runs.past_runs import cause_of
from emag_pipeline.embedded import EmbeddedServer
from emag_pipeline.monitoring import dagster_incidents
from emag_pipeline_tests.dagster.stored_instance import instance_in

_DATABASE = "dagster_ticks"
#: Dagster's database refuses to store how a look ended, and nothing else.
_REFUSE = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no room'; END $$;
    CREATE TRIGGER refuse BEFORE UPDATE ON job_ticks FOR EACH ROW
    WHEN (new.tick_body LIKE '%all is well%') EXECUTE FUNCTION refuse();
"""


@dg.sensor(minimum_interval_seconds=1, default_status=dg.DefaultSensorStatus.RUNNING)
def looks(_: dg.SensorEvaluationContext) -> dg.SkipReason:
    return dg.SkipReason("all is well")


@dg.op
def nothing() -> None: ...


@dg.job
def work() -> None:
    nothing()


@dg.sensor(job=work, minimum_interval_seconds=1, default_status=dg.DefaultSensorStatus.RUNNING)
def asks_again(_: dg.SensorEvaluationContext) -> dg.RunRequest:
    return dg.RunRequest("the same work")


defs = dg.Definitions(sensors=[looks, asks_again])


@pytest.fixture
def instance(cluster: EmbeddedServer, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with instance_in(cluster, _DATABASE, tmp_path / "dagster") as instance:
        yield instance


@pytest.fixture
def tick(instance: dg.DagsterInstance) -> Iterator[Callable[[], LastTick | None]]:
    """Lets the daemon's code look once more; what is known of the newest look afterwards."""
    origin = LoadableTargetOrigin(python_file=__file__, attribute="defs")
    target = InProcessTestWorkspaceLoadTarget(InProcessCodeLocationOrigin(origin, location_name="test"))

    def look() -> LastTick | None:
        before = len(_stored(instance))
        while len(_stored(instance)) == before:
            list(execute_sensor_iteration(workspace, logging.getLogger("test"), None, None))
            time.sleep(0.3)
        return next(iter(daemon.ticks_of_instance(instance, ["looks"])), None)

    with create_test_daemon_workspace_context(target, instance) as workspace:
        yield look


def _stored(instance: dg.DagsterInstance) -> list[TickStatus]:
    """Those of `looks`, the newest first."""
    return _ticks(instance, "looks")


def _ticks(instance: dg.DagsterInstance, name: str) -> list[TickStatus]:
    return [
        tick.status
        for state in instance.all_instigator_state()
        if state.instigator_name == name
        for tick in instance.get_ticks(state.instigator_origin_id, state.selector_id)
    ]


def test_a_look_that_asks_for_what_was_asked_for_before_is_well(
    instance: dg.DagsterInstance, tick: Callable[[], LastTick | None]
) -> None:
    while len(_ticks(instance, "asks_again")) < 3:
        tick()
    assert _ticks(instance, "asks_again")[:2] == [TickStatus.SKIPPED] * 2
    (newest,) = daemon.ticks_of_instance(instance, ["asks_again"])
    assert (newest.failures, newest.error) == (0, None)


def _administer(cluster: EmbeddedServer, sql: str) -> None:
    connection = psycopg2.connect(host=str(cluster.socket_directory), user="postgres", dbname=_DATABASE)
    connection.autocommit = True
    connection.cursor().execute(sql)
    connection.close()


def test_a_look_whose_end_is_never_stored_fails(
    cluster: EmbeddedServer, instance: dg.DagsterInstance, tick: Callable[[], LastTick | None]
) -> None:
    """What the sensor itself notes at its end says that all is well; Dagster puts such a tick down as skipped."""
    well = tick()
    assert well is not None
    assert dagster_incidents.tick_finding(well) is None
    _administer(cluster, _REFUSE)
    tick()
    once = tick()
    assert once is not None
    assert dagster_incidents.tick_finding(once) is None, "the first one may pass"
    tick()
    again = tick()
    assert TickStatus.SKIPPED in _stored(instance)
    assert again is not None
    found = dagster_incidents.tick_finding(again)
    assert found is not None
    assert (found.subject, found.kind) == ("sensor looks", "failing")
    assert "Dagster could not store how it ended" in found.message
    _administer(cluster, "DROP TRIGGER refuse ON job_ticks")
    well = tick()
    assert well is not None
    assert dagster_incidents.tick_finding(well) is None


def _unreachable(tmp_path: Path) -> SerializableErrorInfo:
    """What the daemon stores of a look at which its code server was gone."""
    try:
        try:
            DagsterGrpcClient(socket=str(tmp_path / "gone")).ping("")
        except DagsterUserCodeUnreachableError as error:
            raise DagsterUserCodeUnreachableError("Unable to reach the user code server for sensor looks.") from error
    except DagsterUserCodeUnreachableError:
        return serializable_error_info_from_exc_info(sys.exc_info())
    pytest.fail("nothing listens there")


def test_a_code_server_that_is_gone_is_told_as_such_and_passes_once(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    error, now = _unreachable(tmp_path), datetime.now(UTC)
    assert dagster_incidents.tick_finding(LastTick("sensor", "looks", now, error, 1)) is None, (
        "it is being started again"
    )
    wrong = dagster_incidents.tick_finding(LastTick("sensor", "looks", now, error, 2))
    assert wrong is not None
    assert wrong.error_class == "DagsterUserCodeUnreachableError"
    assert ": the code server could not be reached (gRPC UNAVAILABLE): it has stopped" in wrong.message
    beneath = daemon.said(daemon.innermost(error).cause or error)
    assert beneath.startswith("gRPC UNAVAILABLE: failed to connect to all addresses")
    run = instance.create_run_for_job(work, status=dg.DagsterRunStatus.STARTED)
    event = DagsterEvent("PIPELINE_FAILURE", run.job_name, event_specific_data=JobFailureData(error=error))
    instance.report_dagster_event(event, run_id=run.run_id)
    assert "the code server could not be reached (gRPC UNAVAILABLE)" in cause_of(instance, run).message
