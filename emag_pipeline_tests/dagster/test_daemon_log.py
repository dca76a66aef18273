"""Dagster's daemon without its database: its log says so, and not a thousand times."""

import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest
from dagster._daemon.auto_run_reexecution import event_log_consumer

from emag_pipeline.local import programs, surroundings
from emag_pipeline.logs import dagster_program
from emag_pipeline.settings import load_settings
from emag_pipeline_tests.cli.commands import environment

pytestmark = pytest.mark.services

_PATIENCE_SECONDS = 300.0


def test_a_database_that_is_away_is_told_twice_however_often_it_is_asked(tmp_path: Path) -> None:
    home = surroundings.prepare(tmp_path)
    program = programs.daemon(load_settings({"EMAG_HOME": str(tmp_path)}, env_file=None), home.workspace)
    given = {
        **environment(tmp_path),
        "DAGSTER_HOME": str(home.root),
        "DAGSTER_LOGS_DIR": str(home.run_logs),
        "DAGSTER_ARTIFACTS_DIR": str(home.artifacts),
        "DAGSTER_DISABLE_TELEMETRY": "1",
        "DAGSTER_PG_URL": f"postgresql+psycopg2://postgres@/emag_dagster?host={tmp_path}",
    }
    done = subprocess.run(
        program.command,
        env=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_PATIENCE_SECONDS,
        check=False,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    told = [line["message"] for line in lines if "Retrying failed" in line.get("message", "")]
    assert len(told) == 2, done.stdout
    assert "since it was last printed" not in told[0]
    assert told[1].endswith("times since it was last printed)")
    crash = next(line for line in lines if line["event"] == "crashed")
    assert "too many retries for DB connection" in crash["exception"]
    assert len(lines) < 10, done.stdout


_FIRST_START = """
import logging, sys
from emag_pipeline.logs import dagster_program
daemon = logging.getLogger("dagster")
dagster_program._tame(daemon)
handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
daemon.addHandler(handler)
daemon.setLevel(sys.argv[1])
consumer = logging.getLogger("dagster.daemon.EventLogConsumerDaemon")
consumer.warning("No cursor for event type DagsterEventType.RUN_FAILURE, ignoring older events")
consumer.warning("the disk is full")
"""


@pytest.mark.parametrize(
    ("level", "told"),
    [
        (
            "INFO",
            [
                "INFO No cursor for event type DagsterEventType.RUN_FAILURE, ignoring older events",
                "WARNING the disk is full",
            ],
        ),
        ("WARNING", ["WARNING the disk is full"]),
    ],
)
def test_what_each_first_start_says_is_no_warning(level: str, told: list[str]) -> None:
    done = subprocess.run([sys.executable, "-c", _FIRST_START, level], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == told


def test_it_is_what_dagster_says_of_a_first_start() -> None:
    assert f'logger.warn(f"{dagster_program._FIRST_START}' in inspect.getsource(event_log_consumer)
