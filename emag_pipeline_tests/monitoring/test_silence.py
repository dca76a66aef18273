import os
from pathlib import Path

from emag_pipeline.cli.monitoring import status_document
from emag_pipeline.monitoring import silence
from emag_pipeline.monitoring.health import health_page, health_status
from emag_pipeline.monitoring.incidents import open_incidents
from emag_pipeline.settings import Settings, load_settings
from emag_pipeline.store import monitoring_tables
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.admin.doctors import diagnosed, found, up_since_yesterday
from emag_pipeline_tests.monitoring.receiver import Receiver

_LONG = 3600.0


def _tick(database: Database, *, minutes_ago: float = 0.0) -> None:
    for sensor in silence.SENSORS:
        monitoring_tables.note_tick(database, sensor)
    with database.transaction() as tx:
        tx.run(
            "UPDATE emag_sensor_ticks SET ticked_at = ticked_at - :minutes * interval '1 minute'",
            minutes=minutes_ago,
        )


def test_sensors_that_tick_are_not_silent(database: Database, settings: Settings) -> None:
    _tick(database, minutes_ago=14)
    assert silence.silent_sensors(database, settings) == []


def test_a_sensor_is_silent_after_three_intervals(database: Database, settings: Settings) -> None:
    _tick(database, minutes_ago=16)
    monitoring_tables.note_tick(database, "stuck_syncs")
    ((first, seconds), *others) = silence.silent_sensors(database, settings)
    assert [first, *(sensor for sensor, _ in others)] == [one for one in silence.SENSORS if one != "stuck_syncs"]
    assert 960 <= seconds < 1200


def test_the_bound_is_a_minute_at_least() -> None:
    assert silence.bound_seconds(load_settings({"EMAG_SYNC_MONITOR_INTERVAL": "5"}, env_file=None)) == 60


def test_a_sensor_that_never_ticked_is_silent_for_ever(database: Database, settings: Settings) -> None:
    assert dict(silence.silent_sensors(database, settings)) == dict.fromkeys(silence.SENSORS, float("inf"))


def test_a_silent_daemon_is_told_once_and_once_when_it_speaks_again(
    database: Database, settings: Settings, receiver: Receiver
) -> None:
    _tick(database, minutes_ago=20)
    for _ in range(2):
        silence.watch(database, settings, _LONG)
    (incident,) = open_incidents(database)
    assert (incident.subject, incident.kind) == ("daemon", "silent")
    _tick(database)
    silence.watch(database, settings, _LONG)
    assert open_incidents(database) == []
    alert, end = receiver.taken
    assert "no sensor of Dagster's daemon has ticked for 20 minutes" in alert["text"]
    assert end["text"].startswith("daemon recovered after ")


def test_who_has_just_begun_to_listen_says_nothing_yet(
    database: Database, settings: Settings, receiver: Receiver
) -> None:
    silence.watch(database, settings, silence.bound_seconds(settings) - 1)
    assert (open_incidents(database), receiver.taken) == ([], [])


def test_a_silence_is_one_sentence_everywhere_and_its_remedy_fits_a_living_up(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    _tick(database, minutes_ago=120)
    settings = load_settings({"EMAG_HOME": str(tmp_path), "DATABASE_SYNC_URL": database_url}, env_file=None)
    said = "no sensor of Dagster's daemon has ticked for 2 hours: nothing is refreshed or recovered automatically"
    log = tmp_path / "logs" / "daemon.log"
    log.parent.mkdir()
    log.write_text("a word\n")
    with up_since_yesterday(tmp_path):
        silence.watch(database, settings, _LONG)
        (incident,) = open_incidents(database)
        status = status_document(database, settings).daemon
        health = health_page(health_status(database, settings))["problems"][0]
        doctor = found(diagnosed(tmp_path, DATABASE_SYNC_URL=database_url, DAGSTER_PG_URL=database_url), "daemon")
    assert status is not None
    assert {incident.message, status.said, health["what"]} == {said}
    (remedy,) = {incident.remedy, status.remedy, health["remedy"], doctor.remedy}
    assert f"`emag-pipeline up` (process {os.getpid()}) runs, and restarts the daemon if it ends" in remedy
    assert str(log) in remedy
    assert "Start it" not in remedy
