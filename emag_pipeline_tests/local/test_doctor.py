"""The doctor beside a whole `up`: all is well; then somebody switches a sensor off in the UI. And what `up` logs."""

import json
import signal
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from emag_pipeline import running_up
from emag_pipeline_tests.cli.commands import emag_pipeline
from emag_pipeline_tests.local import ups
from emag_pipeline_tests.local.ups import Up

pytestmark = pytest.mark.services


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    running = ups.start(tmp_path_factory.mktemp("up") / "home", EMAG_LOG_FORMAT="json")
    try:
        running.wait_for("all accounts are published")
        yield running
    finally:
        running.process.terminate()
        running.process.wait(60)


def _doctor(up: Up) -> tuple[int, dict[str, Any]]:
    ports = {
        "EMAG_UI_PORT": str(up.ui_port),
        "EMAG_SANDBOX_PORT": str(up.sandbox_port),
        "EMAG_SYNC_METRICS_PORT": str(up.metrics_port),
        "EMAG_SYNC_HEALTH_PORT": str(up.health_port),
    }
    done = emag_pipeline(up.home, "doctor", "--json", **ports)
    return done.returncode, json.loads(done.stdout)


def test_beside_a_running_up_all_is_well(up: Up) -> None:
    code, document = _doctor(up)
    assert [one for one in document["findings"] if one["verdict"] != "ok"] == []
    assert (code, document["verdict"]) == (0, "ok")
    assert [one["what"].split(": ")[1] for one in document["findings"] if one["subject"] == "ports"] == [
        "Dagster's UI answers", "/metrics answers", "/health answers", "the sandbox answers",
    ]  # fmt: skip


@pytest.mark.parametrize("words", [("emag_pipeline.dagster_runs.code_server",), ("dagster._daemon", "run")])
def test_a_program_that_is_stopped_is_named_by_doctor_and_health_with_what_lets_it_go_on(
    up: Up, words: tuple[str, ...]
) -> None:
    process, *_ = [one for one in running_up.members(up.home) if set(words) <= set(one.cmdline())]
    process.send_signal(signal.SIGSTOP)
    try:
        code, document = _doctor(up)
        health = requests.get(f"http://127.0.0.1:{up.health_port}/health", timeout=30)
    finally:
        process.send_signal(signal.SIGCONT)
    (finding,) = [one for one in document["findings"] if one["subject"] == "programs"]
    assert (code, finding["verdict"]) == (1, "broken")
    assert f"(process {process.pid}) is suspended (SIGSTOP) and does not respond" in finding["what"]
    assert f"`kill -CONT {process.pid}` resumes it" in finding["remedy"]
    assert (health.status_code, health.json()["healthy"]) == (503, False)
    assert f"`kill -CONT {process.pid}`" in health.json()["problems"][0]["remedy"]


def test_a_sensor_that_was_switched_off_in_the_ui_is_found(up: Up) -> None:
    up.switch_off("stale_accounts")
    code, document = _doctor(up)
    (finding,) = [one for one in document["findings"] if one["subject"] == "automation"]
    assert (code, finding["verdict"], finding["what"]) == (1, "broken", "switched off in the UI: stale_accounts")


def test_where_json_is_asked_for_every_line_of_up_and_its_programs_is_an_object(up: Up) -> None:
    logs = "".join(
        (up.home / "logs" / f"{name}.log").read_text() for name in ("code-server", "webserver", "daemon", "exporter")
    )
    # a code server's first line comes before it has loaded anything of ours
    lines = [line for line in (up.said() + logs).splitlines() if "Starting Dagster code server" not in line]
    events = {json.loads(line)["event"] for line in lines}
    assert {"line_printed", "sync_started", "offers_published"} <= events
