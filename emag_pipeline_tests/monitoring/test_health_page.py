"""What `/health` says, and when it wants a person."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import Response

from emag_pipeline.errors import DatabaseUnavailable
from emag_pipeline.monitoring.exporter import json_page
from emag_pipeline.monitoring.health import health_page, health_status, ready_page, unreadable_page
from emag_pipeline.monitoring.silence import SENSORS
from emag_pipeline.running_up import claimed
from emag_pipeline.settings import load_settings
from emag_pipeline.store import monitoring_tables
from emag_pipeline.store.calls import no_answer
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import ledger
from emag_pipeline_tests.store.ageing import published_ago
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import begin, stage, sync

#: a home of its own: an `up` of the default one would answer for this test's sensors
_SETTINGS = load_settings({"EMAG_ACCOUNTS": "main", "EMAG_HOME": "/nonexistent/emag"}, env_file=None)
_AWAY = DatabaseUnavailable("cannot be reached", where="database", why="connection refused", remedy="Start it")


@pytest.fixture
def fresh(database: Database) -> Database:
    """Published just now, with sensors that tick."""
    sync(database, [offer(1)])
    for sensor in SENSORS:
        monitoring_tables.note_tick(database, sensor)
    return database


def _page(database: Database) -> Response:
    return json_page(health_page(health_status(database, _SETTINGS)))


def _problems(page: Response) -> list[Any]:
    problems = json.loads(page.body)["problems"]
    assert page.status_code == (503 if problems else 200)
    assert all(problem["what"] and problem["remedy"] for problem in problems)
    return [problem["subject"] for problem in problems]


def test_a_fresh_account_and_ticking_sensors_need_nobody(fresh: Database) -> None:
    page = _page(fresh)
    document = json.loads(page.body)
    assert (page.status_code, document["healthy"], document["problems"]) == (200, True, [])
    assert document["sensors_tick"] is True
    assert (document["accounts"]["main"]["state"], document["accounts"]["main"]["error"]) == ("completed", None)
    assert datetime.fromisoformat(document["at"]).tzinfo == UTC


def test_an_account_that_was_never_published_does_and_says_how_to_begin(database: Database) -> None:
    for sensor in SENSORS:
        monitoring_tables.note_tick(database, sensor)
    page = _page(database)
    assert _problems(page) == ["main"]
    assert b"emag-pipeline sync --account main" in page.body


def test_a_running_sync_shows_its_phase(fresh: Database) -> None:
    stage(fresh, begin(fresh), [offer(1)])
    page = _page(fresh)
    assert _problems(page) == []
    assert json.loads(page.body)["accounts"]["main"]["phase"] == "scanning"


def test_a_stale_account_needs_a_person(fresh: Database) -> None:
    published_ago(fresh, timedelta(hours=9))
    page = _page(fresh)
    assert _problems(page) == ["main"]
    assert b"published 9 hours ago" in page.body


def test_a_failure_that_a_rerun_can_mend_is_shown_and_is_no_problem(fresh: Database) -> None:
    ledger.end(fresh, begin(fresh), "failed", error_class="ApiUnavailable", message="no answer", remedy="It is retried")
    page = _page(fresh)
    assert _problems(page) == []
    assert json.loads(page.body)["accounts"]["main"]["error"] == "no answer"


@pytest.mark.parametrize("error_class", ["AccessRefused", "RefusedError", "PageBoundExceeded"])
def test_a_failure_that_no_rerun_mends_needs_a_person(error_class: str, fresh: Database) -> None:
    ledger.end(fresh, begin(fresh), "failed", error_class=error_class, message="what is wrong", remedy="Do this")
    page = _page(fresh)
    assert _problems(page) == ["main"]
    assert json.loads(page.body)["problems"][0] == {"subject": "main", "what": "what is wrong", "remedy": "Do this"}


def test_a_sync_that_stands_still_needs_a_person(fresh: Database) -> None:
    begin(fresh)
    with fresh.transaction() as tx:
        tx.run("UPDATE emag_offer_syncs SET progressed_at = now() - interval '3 hours'")
    page = _page(fresh)
    assert _problems(page) == ["main"]
    assert b"the sensor stuck_syncs ends it" in page.body
    with fresh.transaction() as tx:
        tx.run("UPDATE emag_sensor_ticks SET ticked_at = now() - interval '1 day'")
    page = _page(fresh)
    assert _problems(page) == ["daemon", "main"]
    assert b"Run `emag-pipeline recover`: the sensor stuck_syncs, which would end the sync, is silent" in page.body


def test_a_first_sync_that_stands_still_is_told_once(database: Database) -> None:
    for sensor in SENSORS:
        monitoring_tables.note_tick(database, sensor)
    begin(database)
    with database.transaction() as tx:
        tx.run("UPDATE emag_offer_syncs SET progressed_at = now() - interval '3 hours'")
    page = _page(database)
    assert _problems(page) == ["main"]
    assert "no progress for" in json.loads(page.body)["problems"][0]["what"]


def test_silent_sensors_need_a_person_before_anything_else(fresh: Database) -> None:
    with fresh.transaction() as tx:
        tx.run("UPDATE emag_sensor_ticks SET ticked_at = now() - interval '1 day'")
    page = _page(fresh)
    assert _problems(page) == ["daemon"], "one cause, one problem"
    assert b"no sensor of Dagster's daemon has ticked for 1 day" in page.body
    assert b"Start it: `emag-pipeline up`" in page.body
    monitoring_tables.note_tick(fresh, SENSORS[0])
    page = _page(fresh)
    assert _problems(page) == ["daemon"] * (len(SENSORS) - 1)
    assert b"has not ticked for 1 day" in page.body


def test_sensors_have_their_time_for_a_first_look_after_a_start_of_up(fresh: Database, tmp_path: Path) -> None:
    with fresh.transaction() as tx:
        tx.run("UPDATE emag_sensor_ticks SET ticked_at = now() - interval '1 day'")
    settings = load_settings({"EMAG_ACCOUNTS": "main", "EMAG_HOME": str(tmp_path)}, env_file=None)
    with claimed(tmp_path, "http://127.0.0.1:1"):
        page = json_page(health_page(health_status(fresh, settings)))
    assert (_problems(page), json.loads(page.body)["sensors_tick"]) == ([], False)


def test_a_database_that_is_away_is_503_with_reason_and_remedy() -> None:
    for page in (json_page(unreadable_page(_AWAY)), json_page(ready_page(_AWAY))):
        assert _problems(page) == ["database"]
        assert json.loads(page.body)["problems"][0] == {
            "subject": "database",
            "what": "cannot be reached: connection refused",
            "remedy": "Start it",
        }


def test_a_database_that_only_did_not_answer_in_time_is_not_examined() -> None:
    document = unreadable_page(no_answer(2))
    assert document["problems"][0]["what"] == "not examined: the database does not answer: no response within 2 s"


def test_a_database_that_can_be_read_is_ready() -> None:
    assert _problems(json_page(ready_page(None))) == []
