"""What Dagster's own storage says of daemon and automation, written with Dagster's own means."""

import os
import time
from pathlib import Path

import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import (
    InProcessCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    SensorInstigatorData,
    TickData,
    TickStatus,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._daemon.types import DaemonHeartbeat
from dagster._utils.error import SerializableErrorInfo
from dagster_postgres import PostgresRunStorage, PostgresScheduleStorage

from emag_pipeline import embedded
from emag_pipeline.admin.doctor import Diagnosis, Verdict
from emag_pipeline.monitoring.silence import SENSORS
from emag_pipeline.running_up import claimed
from emag_pipeline.store import monitoring_tables
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.admin.doctors import diagnosed, found
from emag_pipeline_tests.sync.syncs import execute

Storages = tuple[PostgresRunStorage, PostgresScheduleStorage]


@pytest.fixture(scope="module")
def dagster_url(cluster: embedded.EmbeddedServer) -> str:
    return cluster.url("doctor_dagster")


@pytest.fixture(scope="module")
def made(dagster_url: str) -> Storages:
    """Dagster makes its tables, which takes seconds: once."""
    return PostgresRunStorage(dagster_url), PostgresScheduleStorage(dagster_url)


@pytest.fixture
def storages(made: Storages) -> Storages:
    """The daemon has never recorded a heartbeat."""
    made[0].wipe_daemon_heartbeats()
    return made


def _beat(storages: Storages, seconds_ago: float, part: str = "SENSOR", error: str | None = None) -> None:
    errors = [SerializableErrorInfo(error, [], None)] if error else None
    storages[0].add_daemon_heartbeat(DaemonHeartbeat(time.time() - seconds_ago, part, "one", errors))


def _diagnosed(home: Path, database_url: str, dagster_url: str) -> Diagnosis:
    return diagnosed(home, DATABASE_SYNC_URL=database_url, DAGSTER_PG_URL=dagster_url)


def test_a_daemon_that_never_ran_is_broken(
    storages: Storages, database_url: str, dagster_url: str, tmp_path: Path
) -> None:
    finding = found(_diagnosed(tmp_path, database_url, dagster_url), "daemon")
    assert (finding.verdict, finding.what) == (Verdict.BROKEN, "Dagster's daemon has never run here")
    assert "emag-pipeline up" in finding.remedy


def test_after_a_stop_of_up_nothing_runs_although_the_last_heartbeat_and_ticks_are_young(
    storages: Storages, database: Database, database_url: str, dagster_url: str, tmp_path: Path
) -> None:
    for sensor in SENSORS:
        monitoring_tables.note_tick(database, sensor)
    _beat(storages, 130)
    with claimed(tmp_path, "http://127.0.0.1:1"):
        pass
    os.utime(tmp_path / "up.lock", (time.time() - 70,) * 2)
    execute(database, "UPDATE emag_sensor_ticks SET ticked_at = now() - interval '130 seconds'")
    diagnosis = _diagnosed(tmp_path, database_url, dagster_url)
    finding = found(diagnosis, "daemon")
    assert finding.verdict is Verdict.BROKEN
    assert finding.what.startswith("Dagster's daemon is not running: `up` was stopped 1 minute ago, so nothing is ")
    assert "Start it: `emag-pipeline up`" in finding.remedy
    assert "sensors" not in {one.subject for one in diagnosis.findings}


def test_a_daemon_that_was_heard_after_a_stop_of_up_is_another_one_and_runs(
    storages: Storages, database: Database, database_url: str, dagster_url: str, tmp_path: Path
) -> None:
    with claimed(tmp_path, "http://127.0.0.1:1"):
        pass
    os.utime(tmp_path / "up.lock", (time.time() - 86400,) * 2)
    for sensor in SENSORS:
        monitoring_tables.note_tick(database, sensor)
    _beat(storages, 10)
    diagnosis = _diagnosed(tmp_path, database_url, dagster_url)
    assert [found(diagnosis, one).verdict for one in ("daemon", "sensors")] == [Verdict.OK, Verdict.OK]


def test_a_daemon_that_is_silent_does_not_run(
    storages: Storages, database_url: str, dagster_url: str, tmp_path: Path
) -> None:
    _beat(storages, 7200)
    finding = found(_diagnosed(tmp_path, database_url, dagster_url), "daemon")
    assert (finding.verdict, "its last heartbeat was 2 hours ago" in finding.what) == (Verdict.BROKEN, True)


def test_a_daemon_that_was_stopped_is_one_line_and_not_one_of_each_sensor_too(
    storages: Storages, database: Database, database_url: str, dagster_url: str, tmp_path: Path
) -> None:
    for sensor in SENSORS:
        monitoring_tables.note_tick(database, sensor)
    execute(database, "UPDATE emag_sensor_ticks SET ticked_at = now() - interval '2 hours'")
    _beat(storages, 7200)
    diagnosis = _diagnosed(tmp_path, database_url, dagster_url)
    assert "its last heartbeat was 2 hours ago" in found(diagnosis, "daemon").what
    assert not [one for one in diagnosis.findings if one.subject == "sensors"]
    _beat(storages, 5)
    silent = found(_diagnosed(tmp_path, database_url, dagster_url), "sensors")
    said = "no sensor of Dagster's daemon has ticked for 2 hours: nothing is refreshed or recovered automatically"
    assert (silent.verdict, silent.what) == (Verdict.BROKEN, said)
    with claimed(tmp_path, "http://127.0.0.1:1"):  # started again a moment ago
        begun = found(_diagnosed(tmp_path, database_url, dagster_url), "sensors")
    assert (begun.verdict, "has just started; each sensor has 15 minutes" in begun.what) == (Verdict.OK, True)


def test_a_daemon_that_is_heard_is_well(
    storages: Storages, database_url: str, dagster_url: str, tmp_path: Path
) -> None:
    _beat(storages, 5)
    diagnosis = _diagnosed(tmp_path, database_url, dagster_url)
    assert found(diagnosis, "daemon").verdict is Verdict.OK
    assert found(diagnosis, "automation").verdict is Verdict.OK


def test_a_silent_part_and_a_complaint_of_the_daemon_are_warnings(
    storages: Storages, database_url: str, dagster_url: str, tmp_path: Path
) -> None:
    _beat(storages, 5, error="\n  RuntimeError: no code server\n  more")
    _beat(storages, 4000, part="SCHEDULER")
    diagnosis = _diagnosed(tmp_path, database_url, dagster_url)
    assert "SCHEDULER" in found(diagnosis, "daemon", "are silent").what
    assert found(diagnosis, "daemon", "SENSOR reports").what.endswith("RuntimeError: no code server")


def _look(storages: Storages, sensor: str, seconds_ago: float, error: str | None = None) -> None:
    """A look of a sensor that is on, and ended well or with an error."""
    location = InProcessCodeLocationOrigin(LoadableTargetOrigin(module_name="emag_pipeline.definitions"))
    origin = RemoteInstigatorOrigin(RemoteRepositoryOrigin(location, "__repository__"), sensor)
    state = InstigatorState(origin, InstigatorType.SENSOR, InstigatorStatus.RUNNING, SensorInstigatorData())
    if storages[1].get_instigator_state(state.instigator_origin_id, state.selector_id) is None:
        storages[1].add_instigator_state(state)
    failed = SerializableErrorInfo(error, [], "DagsterUserCodeUnreachableError") if error else None
    storages[1].create_tick(
        TickData(
            state.instigator_origin_id, sensor, InstigatorType.SENSOR,
            TickStatus.FAILURE if failed else TickStatus.SKIPPED, time.time() - seconds_ago,
            selector_id=state.selector_id, error=failed, skip_reason=None if failed else "nothing is due",
        )
    )  # fmt: skip


def test_what_a_sensor_complained_of_is_told_with_its_name_and_no_more_once_it_has_looked_again(
    storages: Storages, database_url: str, dagster_url: str, tmp_path: Path
) -> None:
    error = "Could not reach user code server. gRPC Error code: UNAVAILABLE"
    _beat(storages, 5, error=f"DagsterUserCodeUnreachableError: {error}")
    _look(storages, "stale_marts", 200)
    _look(storages, "stale_marts", 90, error)
    diagnosis = _diagnosed(tmp_path, database_url, dagster_url)
    named = found(diagnosis, "automation", "sensor stale_marts: its tick at ")
    assert (named.verdict, named.what.endswith("does not answer or is being restarted")) == (Verdict.WARNING, True)
    assert "SENSOR" not in str(diagnosis.findings)
    _look(storages, "stale_marts", 30)
    diagnosis = _diagnosed(tmp_path, database_url, dagster_url)
    assert not [one for one in diagnosis.findings if "SENSOR" in one.what or "stale_marts" in one.what]


def test_a_sensor_that_was_switched_off_is_named(
    storages: Storages, database_url: str, dagster_url: str, tmp_path: Path
) -> None:
    _beat(storages, 5)
    location = InProcessCodeLocationOrigin(LoadableTargetOrigin(module_name="emag_pipeline.definitions"))
    origin = RemoteInstigatorOrigin(RemoteRepositoryOrigin(location, "__repository__"), "stuck_syncs")
    state = InstigatorState(origin, InstigatorType.SENSOR, InstigatorStatus.STOPPED, SensorInstigatorData())
    storages[1].add_instigator_state(state)
    finding = found(_diagnosed(tmp_path, database_url, dagster_url), "automation")
    assert (finding.verdict, finding.what) == (Verdict.BROKEN, "switched off in the UI: stuck_syncs")
