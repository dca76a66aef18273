"""A command that is forked from a loaded program does what one does that is started."""

import subprocess
import sys
from pathlib import Path

import pytest

from emag_pipeline_tests.cli import preloaded
from emag_pipeline_tests.cli.commands import emag_pipeline, environment, hurried


@pytest.mark.parametrize(("arguments", "code"), [(["roles"], 0), (["status"], 1), (["destroy"], 2)])
def test_output_errors_and_exit_code_are_the_same(arguments: list[str], code: int, tmp_path: Path) -> None:
    given = environment(tmp_path, EMAG_SYNC_MAXPAGES="1")
    started = subprocess.run(
        [sys.executable, "-m", "emag_pipeline", *arguments],
        env=given, cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    forked = emag_pipeline(tmp_path, *arguments, EMAG_SYNC_MAXPAGES="1")
    assert (forked.returncode, forked.stdout, forked.stderr) == (code, started.stdout, started.stderr)


def test_one_that_does_not_end_is_killed(tmp_path: Path) -> None:
    given = environment(tmp_path)
    with pytest.raises(subprocess.TimeoutExpired):
        preloaded.run(["sandbox", "--port", "0"], given, tmp_path, 1.0, {})


def test_a_constant_that_there_is_not_fails_the_command(tmp_path: Path) -> None:
    name = "emag_pipeline.sync.locks.NOTABLE_SECONDS"
    assert hurried(tmp_path, {name: 1}, "roles").returncode == 0
    failed = hurried(tmp_path, {f"{name}_OF_OLD": 1}, "roles")
    assert (failed.returncode, "NOTABLE_SECONDS_OF_OLD" in failed.stderr) == (1, True)
