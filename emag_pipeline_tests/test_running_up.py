import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from emag_pipeline.databases import silence
from emag_pipeline.errors import SettingsError
from emag_pipeline.running_up import MARK, claimed, elsewhere, ended_ago, left_behind, mark, running

_HOLDER = """
import sys, time
from pathlib import Path
from emag_pipeline.running_up import claimed
with claimed(Path(sys.argv[1]), "http://127.0.0.1:1") as other:
    print(other, flush=True)
    time.sleep(60)
"""


def _holder(home: Path) -> "subprocess.Popen[str]":
    given = {**os.environ, MARK: str(home)}
    holder = subprocess.Popen([sys.executable, "-c", _HOLDER, str(home)], stdout=subprocess.PIPE, text=True, env=given)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "None\n"
    return holder


def test_the_second_learns_who_is_the_first(tmp_path: Path) -> None:
    with _holder(tmp_path) as holder:
        with claimed(tmp_path, "http://127.0.0.1:2") as other:
            holder.kill()
        assert other is not None
        assert (other.pid, other.ui) == (holder.pid, "http://127.0.0.1:1")


def test_others_may_ask_whether_one_runs(tmp_path: Path) -> None:
    assert running(tmp_path) is None
    with _holder(tmp_path) as holder:
        found = running(tmp_path)
        holder.kill()
    assert found is not None
    assert found.pid == holder.pid
    assert running(tmp_path) is None


def test_who_has_named_no_home_learns_where_one_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "here"))
    here, there = tmp_path / "here" / "emag_pipeline", tmp_path / "there"
    with _holder(there) as holder:
        found, said = elsewhere(here), silence(here).message
        assert str(there) not in silence(tmp_path / "named").message, "which is meant, whatever runs elsewhere"
        assert there not in elsewhere(there)
        holder.kill()
    assert found[there].pid == holder.pid
    assert "set EMAG_HOME to that of an `up` of yours that runs: " in said
    assert f"{there} (process {holder.pid})" in said
    assert there not in elsewhere(here)


def test_a_file_left_by_a_killed_first_blocks_nobody(tmp_path: Path) -> None:
    with _holder(tmp_path) as holder:
        os.kill(holder.pid, signal.SIGKILL)
    assert str(holder.pid) in (tmp_path / "up.lock").read_text()
    with claimed(tmp_path, "http://127.0.0.1:2") as other:
        assert other is None


def test_what_a_killed_up_has_left_running_is_told_until_it_ends(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "input()"]
    given = {**os.environ, **mark(tmp_path)}
    assert left_behind(tmp_path) is None
    with _holder(tmp_path) as holder, subprocess.Popen(command, stdin=subprocess.PIPE, env=given) as program:
        assert left_behind(tmp_path) is None, "it is supervised"
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        found = left_behind(tmp_path)
        program.communicate(b"\n")
    assert found is not None
    assert found.said == f"`up` (process {holder.pid}) was killed; its programs (1 process) run unsupervised"
    assert found.remedy == "Run `emag-pipeline up` again, which ends them first"
    assert left_behind(tmp_path) is None


def test_how_long_ago_one_was_stopped_is_known_unless_it_runs_or_was_killed(tmp_path: Path) -> None:
    assert ended_ago(tmp_path) is None
    with claimed(tmp_path, "http://127.0.0.1:1"):
        assert ended_ago(tmp_path) is None
    os.utime(tmp_path / "up.lock", (0, 0))
    assert (ended_ago(tmp_path) or 0) > 1_000_000_000
    with _holder(tmp_path) as holder:
        os.kill(holder.pid, signal.SIGKILL)
    assert ended_ago(tmp_path) is None


def test_it_can_be_claimed_again_after_its_end(tmp_path: Path) -> None:
    for _ in range(2):
        with claimed(tmp_path, "http://127.0.0.1:1") as other:
            assert other is None


def test_a_home_that_cannot_be_made_is_a_wrong_setting(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="EMAG_HOME is"), claimed(tmp_path / "file" / "home", ""):
        pass
