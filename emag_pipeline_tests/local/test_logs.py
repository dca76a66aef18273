"""What processes log: a whole sync at the debug level, and how level and format are honoured."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from emag_pipeline import embedded
from emag_pipeline_tests.cli.commands import emag_pipeline, environment
from emag_pipeline_tests.sandbox.sandboxes import unlimited_sandbox

pytestmark = pytest.mark.services


@dataclass(frozen=True, slots=True)
class Logged:
    """A sync that met a server error and a 429: its process's log, and its run's log in Dagster."""

    entries: list[dict[str, Any]]
    run_log: list[str]


@pytest.fixture(scope="module")
def logged(cluster: embedded.EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Logged:
    home = tmp_path_factory.mktemp("logs") / "home"
    with unlimited_sandbox(accounts={"main": 350}) as market:
        market.add_fault("server_error", pages=[2], count=1)
        market.add_fault("storm_429", pages=[3], count=1, retry_after=0)
        done = emag_pipeline(
            home, "sync",
            EMAG_API_BASE_URL=market.url,
            EMAG_API_USERNAME="main@sandbox.example",
            EMAG_API_PASSWORD="sandbox",
            EMAG_API_REQUESTS_PER_SECOND="50",
            EMAG_API_REQUESTS_PER_MINUTE="3000",
            EMAG_LOG_LEVEL="debug",
            DATABASE_SYNC_URL=cluster.url("logs"),
        )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    entries = [json.loads(line) for line in (home / "logs" / "sync-main.log").read_text().splitlines()]
    return Logged(entries, list(_run_log(cluster.url("logs_dagster"))))


def _run_log(url: str) -> Iterator[str]:
    connection = psycopg2.connect(url.replace("+psycopg2", ""))
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT event FROM event_logs WHERE dagster_event_type IS NULL ORDER BY id")
        yield from (json.loads(event)["user_message"] for (event,) in cursor.fetchall())
    connection.close()


def test_every_line_of_a_sync_is_an_object_that_names_account_and_sync(logged: Logged) -> None:
    ours = [entry for entry in logged.entries if entry["logger"].startswith("emag_pipeline.")]
    first = ours[0]["run_id"]
    of_the_sync = [entry for entry in ours if entry["run_id"] == first]
    assert {entry["account"] for entry in of_the_sync} == {"main"}
    assert len({entry["sync_id"] for entry in of_the_sync}) == 1
    after = [entry for entry in ours if entry["run_id"] != first]
    assert after, "the reference data, which was missing, is read in a run of its own"
    assert not [entry for entry in after if "sync_id" in entry]


def test_the_story_is_told_in_order(logged: Logged) -> None:
    story = ["sync_started", "scan_planned", "scan_staged", "audit_accepted", "offers_published"]
    assert list(dict.fromkeys(entry["event"] for entry in logged.entries if entry["event"] in story)) == story
    assert sum(entry["event"] == "request_answered" for entry in logged.entries) >= 4


def test_what_went_wrong_in_a_readers_thread_names_its_page(logged: Logged) -> None:
    told = [(entry["event"], entry["level"], entry["page"], entry["status"]) for entry in logged.entries
            if entry["event"] in ("request_failed", "rate_limited")]  # fmt: skip
    assert sorted(told) == [("rate_limited", "warning", 3, 429), ("request_failed", "warning", 2, 503)]


def test_the_runs_own_log_has_the_story_and_the_warnings_once(logged: Logged) -> None:
    told = [message.split()[0] for message in logged.run_log]
    assert told[:2] == ["sync_started", "scan_planned"]
    assert {"request_failed", "rate_limited"} < set(told)
    assert told.count("offers_published") == 1
    assert not {"pages_staged", "request_answered"} & set(told)
    printed = [entry for entry in logged.entries if entry["event"] == "line_printed"]
    assert [entry["message"] for entry in printed if "offers_published " in entry["message"]] == []


_PROGRAM = """
import logging, sys, warnings
from emag_pipeline.logs import logger
from emag_pipeline.logs.configure import configure_service
from emag_pipeline.settings import load_settings
configure_service(load_settings(env_file=None))
log = logger("emag_pipeline.example")
log.debug("at_debug"); log.info("at_info"); log.warning("at_warning")
logging.getLogger("library").info("library info"); logging.getLogger("library").warning("library warning")
warnings.warn("a warning")
print("printed")
raise RuntimeError("broken with geheim-1")
"""


def _output(tmp_path: Path, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        env=environment(tmp_path, EMAG_API_USERNAME="u", EMAG_API_PASSWORD="geheim-1", **variables),
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    return done.stderr + done.stdout


def test_where_json_is_asked_for_every_line_is_an_object_crashes_included(tmp_path: Path) -> None:
    output = _output(tmp_path, EMAG_LOG_FORMAT="json")
    entries = [json.loads(line) for line in output.splitlines()]
    assert [entry["event"] for entry in entries] == [
        "at_info", "at_warning", "library_said", "library_said", "crashed", "line_printed",
    ]  # fmt: skip
    assert "RuntimeError: broken with ***" in entries[4]["exception"]


@pytest.mark.parametrize(
    ("level", "shown"),
    [
        ("debug", ["at_debug", "at_info", "at_warning", "library info", "library warning"]),
        ("info", ["at_info", "at_warning", "library warning"]),
        ("warning", ["at_warning", "library warning"]),
        ("error", []),
    ],
)
def test_the_level_is_honoured_and_a_console_line_is_readable(tmp_path: Path, level: str, shown: list[str]) -> None:
    output = _output(tmp_path, EMAG_LOG_LEVEL=level, EMAG_LOG_FORMAT="console")
    everything = ("at_debug", "at_info", "at_warning", "library info", "library warning")
    assert [text for text in everything if text in output] == shown
    assert "{" not in output
