"""Dagster's daemon without its database: its log says so, and not a thousand times."""

import json
import subprocess
from pathlib import Path

from emag_pipeline.operations import dagster_home, programs
from emag_pipeline.settings import load_settings
from emag_pipeline_tests.cli.commands import environment

_PATIENCE_SECONDS = 300.0


def test_a_database_that_is_away_is_told_twice_however_often_it_is_asked(tmp_path: Path) -> None:
    home = dagster_home.prepare(tmp_path)
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
    assert "since it was last told" not in told[0]
    assert told[1].endswith("times since it was last told)")
    crash = next(line for line in lines if line["event"] == "crashed")
    assert "too many retries for DB connection" in crash["exception"]
    assert len(lines) < 10, done.stdout
