import os
import subprocess
import sys
from pathlib import Path

from emag_pipeline import processes, running_up

_ORPHAN = "import os, subprocess, sys; print(subprocess.Popen(['sleep', '60'], start_new_session=True).pid, flush=True)"
_STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
)


def _marked(home: Path, script: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, **running_up.mark(home)}
    return subprocess.Popen([sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE, text=True)


def test_a_grandchild_whose_parent_ended_is_found_and_ended(tmp_path: Path) -> None:
    parent = _marked(tmp_path, _ORPHAN)
    assert parent.stdout is not None
    orphan = int(parent.stdout.readline())
    parent.wait()
    found = running_up.members(tmp_path)
    assert [process.pid for process in found] == [orphan]
    assert processes.end(found, 10) == []
    assert running_up.members(tmp_path) == []


def test_processes_of_another_home_are_none_of_its_own(tmp_path: Path) -> None:
    with _marked(tmp_path / "other", "import time; print('up', flush=True); time.sleep(60)") as other:
        assert other.stdout is not None
        other.stdout.readline()
        assert running_up.members(tmp_path) == []
        other.kill()


def test_what_does_not_heed_sigterm_is_returned_and_can_be_killed(tmp_path: Path) -> None:
    stubborn = _marked(tmp_path, _STUBBORN)
    assert stubborn.stdout is not None
    stubborn.stdout.readline()
    left = processes.end(running_up.members(tmp_path), 0.3)
    assert [process.pid for process in left] == [stubborn.pid]
    processes.kill(left)
    assert running_up.members(tmp_path) == []


def test_hurry_ends_the_waiting(tmp_path: Path) -> None:
    with _marked(tmp_path, _STUBBORN) as stubborn:
        assert stubborn.stdout is not None
        stubborn.stdout.readline()
        assert len(processes.end(running_up.members(tmp_path), 3600, hurried=lambda: True)) == 1
        stubborn.kill()
