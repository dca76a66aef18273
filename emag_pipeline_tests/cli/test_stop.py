"""`emag-pipeline stop --all` where nothing runs, and where an `up` does."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from emag_pipeline import embedded
from emag_pipeline.admin.doctor import Verdict
from emag_pipeline.local.embedded_use import in_use
from emag_pipeline.running_up import claimed
from emag_pipeline_tests.admin.doctors import diagnosed, found
from emag_pipeline_tests.cli.commands import emag_pipeline
from emag_pipeline_tests.embedded import homes


@pytest.fixture
def asleep(home: Path) -> Iterator[Path]:
    """A home whose embedded database was set up, and sleeps."""
    yield homes.migrated(home)
    assert embedded.running(home) is None


def test_where_nothing_runs_it_does_not_say_that_schedules_go_on_and_tells_each_cause_once(asleep: Path) -> None:
    done = emag_pipeline(asleep, "stop", "--all")
    assert "schedules and sensors keep running" not in done.stdout
    assert "neither `emag-pipeline up` nor Dagster's daemon runs" in done.stdout
    (cause,) = done.stderr.splitlines()
    assert "Dagster was never started here" in cause


def test_where_an_up_runs_it_says_which_one_goes_on(asleep: Path) -> None:
    with in_use(asleep), claimed(asleep, "http://127.0.0.1:1"):
        done = emag_pipeline(asleep, "stop", "--all")
    goes_on = "schedules and sensors keep running and start runs when they are due"
    assert f"{goes_on}: stop `emag-pipeline up` (process {os.getpid()}) to prevent that" in done.stdout


def test_a_home_without_a_database_is_one_cause(home: Path) -> None:
    done = emag_pipeline(home, "stop", "--all")
    assert done.returncode == 1
    assert done.stderr.count("the embedded PostgreSQL is not running") == 1


@pytest.mark.parametrize("command", ["stuck", "recover"])
def test_other_commands_wake_the_embedded_database_too(asleep: Path, command: str) -> None:
    done = emag_pipeline(asleep, command)
    assert (done.returncode, done.stdout) == (0, "nothing is stuck\n")
    assert "is not running" not in done.stderr


def test_where_dagsters_database_is_away_it_does_not_say_that_no_daemon_runs(asleep: Path) -> None:
    (asleep / "dagster").mkdir()
    done = emag_pipeline(asleep, "stop", "--all", DAGSTER_PG_URL="postgresql://me@127.0.0.1:1/emag_dagster")
    assert done.returncode == 1
    assert "Connection refused" in done.stderr
    assert "neither" not in done.stdout
    assert "it is unknown whether Dagster's daemon runs: if it does, schedules and sensors keep running" in done.stdout


def test_a_frozen_server_does_not_cost_the_report(asleep: Path) -> None:
    postmaster = embedded.start(asleep).postmaster()
    postmaster.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    try:
        done = emag_pipeline(asleep, "stop", "--all")
        assert time.monotonic() - began < 60
    finally:
        postmaster.send_signal(signal.SIGCONT)
    assert done.returncode == 1
    assert "main: nothing was running, as far as could be seen" in done.stdout
    assert "does not end within" not in done.stderr
    server = embedded.running(asleep)
    assert server is not None
    server.stop()


def test_the_doctor_wakes_it_and_says_that_nothing_keeps_it_running(asleep: Path) -> None:
    diagnosis = diagnosed(asleep)
    finding = found(diagnosis, "database", "answers: PostgreSQL")
    assert finding.verdict is Verdict.WARNING
    assert finding.what.endswith("; it was stopped and was started only for this check")
    assert "`emag-pipeline up` keeps it running" in finding.remedy
    assert not [one for one in diagnosis.findings if "the embedded PostgreSQL is not running" in one.what]
