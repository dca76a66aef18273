import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emag_pipeline import running_up
from emag_pipeline.errors import TransientError
from emag_pipeline.local.child import Program
from emag_pipeline.local.stop_signals import StopSignals
from emag_pipeline.local.supervisor import Supervisor, end_left_behind


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(tmp_path: Path, said: list[str]) -> Iterator[Supervisor]:
    with StopSignals() as signals:
        supervisor = Supervisor(tmp_path, dict(os.environ), signals, said.append)
        yield supervisor
        supervisor.stop()


def _program(script: str, is_ready: Callable[[], bool] = lambda: True) -> Program:
    return Program("program", (sys.executable, "-c", script), is_ready)


def _wait_until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_start_sets_the_programs_own_log_aside_and_no_other_one(supervisor: Supervisor, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    for name in ("program", "sync-main", "backfill"):
        (logs / f"{name}.log").write_text("before\n")
    supervisor.start(_program("import time; print('now', flush=True); time.sleep(60)"))
    assert (logs / "program.log.1").read_text() == "before\n"
    _wait_until(lambda: (logs / "program.log").read_text() == "now\n")
    assert sorted(log.name for log in logs.iterdir()) == [
        "backfill.log", "program.log", "program.log.1", "sync-main.log",
    ]  # fmt: skip


def test_a_program_that_dies_at_its_start_is_an_error_with_its_last_lines(supervisor: Supervisor) -> None:
    with pytest.raises(TransientError) as caught:
        supervisor.start(_program("print('no such file'); raise SystemExit(3)", is_ready=lambda: False))
    assert "the program ended with code 3" in caught.value.message
    assert "no such file" in caught.value.message
    assert "program.log" in caught.value.remedy


_HARMLESS = "2026-11-27 09:00:00 +0000 - dagster-webserver - INFO - Serving on http://127.0.0.1:3000 in process 7"


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([_HARMLESS], "its log names no error"),
        (['{"level": "warning", "event": "line_printed", "message": "old"}'], "its log names no error"),
        (["Traceback (most recent call last):", "  File x", "OSError: no room", _HARMLESS], "OSError: no room"),
        ([_HARMLESS.replace("INFO", "ERROR").replace("Serving", "No"), _HARMLESS], "ERROR - No on http"),
        (
            ['{"level": "error", "event": "crashed", "exception": "Traceback…\\nOSError: full"}'],
            "crashed: OSError: full",
        ),
    ],
)
def test_a_program_that_is_not_ready_quotes_errors_of_its_log_and_nothing_else(
    supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: list[str], why: str
) -> None:
    def is_ready() -> bool:  # never, and its time is over once it has said all
        _wait_until(lambda: "the end" in (tmp_path / "logs" / "program.log").read_text())
        return False

    monkeypatch.setattr("emag_pipeline.local.child.START_SECONDS", 0.0)
    said = "\n".join([*lines, "the end"])
    with pytest.raises(TransientError) as caught:
        supervisor.start(_program(f"print({said!r}, flush=True); import time; time.sleep(60)", is_ready))
    assert caught.value.what == "the program is not ready after 0 s"
    assert caught.value.why.startswith(why) or why in caught.value.why
    assert "Serving" not in caught.value.message
    assert "program.log" in caught.value.remedy


def test_a_program_that_was_killed_is_started_again(supervisor: Supervisor, tmp_path: Path, said: list[str]) -> None:
    supervisor.start(_program("import time; time.sleep(60)"))
    (first,) = running_up.members(tmp_path)
    os.kill(first.pid, signal.SIGKILL)
    _wait_until(lambda: bool(supervisor.repair() or said))
    assert said[0] == "program was killed by signal 9; restarting it", "no log is named that it did not write to"
    assert [process.pid for process in running_up.members(tmp_path)] != [first.pid]


def test_a_program_that_was_stopped_is_told_once_and_once_when_it_goes_on(
    supervisor: Supervisor, said: list[str]
) -> None:
    supervisor.start(_program("import time; time.sleep(600)"))
    (process,) = [child.process for child in supervisor._children.values()]
    process.send_signal(signal.SIGSTOP)
    _wait_until(lambda: not supervisor.repair() and bool(said))
    supervisor.repair()
    lets = f"`kill -CONT {process.pid}` resumes it; after `kill -KILL {process.pid}`, `up` restarts it"
    assert said == [f"program (process {process.pid}) is suspended (SIGSTOP) and does not respond: {lets}"]
    process.send_signal(signal.SIGCONT)
    _wait_until(lambda: not supervisor.repair() and len(said) == 2)
    assert said[1:] == ["program is running again"]


def test_a_program_that_dies_again_and_again_is_given_up(supervisor: Supervisor, said: list[str]) -> None:
    supervisor.start(_program("raise SystemExit(1)"))

    def mend_for_ever() -> None:
        while True:
            supervisor.repair()
            time.sleep(0.05)

    with pytest.raises(TransientError, match="ended with code 1, for the 5th time in ten minutes") as caught:
        mend_for_ever()
    assert caught.value.remedy == "It wrote nothing to its log; start again"
    assert len(said) == 4


def test_a_program_that_dies_while_its_database_recovers_is_not_given_up(
    supervisor: Supervisor, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emag_pipeline.local.supervisor._EXCUSED_SECONDS", 0.0)
    supervisor.start(_program("raise SystemExit(1)"))
    _wait_until(lambda: bool(supervisor.repair(lambda: True) and len(said) >= 6))


def test_a_stop_leaves_nothing_not_even_what_ignores_sigterm(supervisor: Supervisor, tmp_path: Path) -> None:
    script = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    supervisor.start(_program(script))
    supervisor.stop()
    assert running_up.members(tmp_path) == []


def test_what_a_killed_supervisor_left_is_ended(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start(_program("import time; time.sleep(60)"))
    assert end_left_behind(tmp_path) == 1
    assert running_up.members(tmp_path) == []
