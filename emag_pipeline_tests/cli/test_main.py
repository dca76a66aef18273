import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from emag_pipeline.cli.main import COMMANDS
from emag_pipeline_tests.cli.commands import emag_pipeline


def test_help_names_every_command(tmp_path: Path) -> None:
    done = emag_pipeline(tmp_path, "--help")
    assert done.returncode == 0
    for command in ("up", "status", "migrate", "exporter", "sandbox"):
        assert f" {command} " in done.stdout
    assert "6 `doctor` could not examine everything" in " ".join(done.stdout.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_each_has_a_help_which_is_wrapped_once_at_the_width_that_there_is(command: str, tmp_path: Path) -> None:
    """No line ends although the next word would have found room."""
    done = emag_pipeline(tmp_path, command, "--help", COLUMNS="80")
    assert done.returncode == 0
    assert f"Usage: emag-pipeline {command}" in done.stdout
    assert not re.search(r"\{[a-z_]+\}|\[\[", done.stdout.partition("Usage:")[2].partition("\n")[0])
    text = done.stdout.partition("Usage:")[2].partition("\u256d")[0].partition("\n")[2]
    for paragraph in re.split(r"\n\s*\n", text):
        lines = [line.strip() for line in paragraph.strip().splitlines()]
        ragged = [one for one, after in pairwise(lines) if len(one) + 1 + len(after.split()[0]) <= 78]
        assert not ragged, ragged


def test_wrong_usage_is_2(tmp_path: Path) -> None:
    done = emag_pipeline(tmp_path, "destroy")
    assert done.returncode == 2
    assert "No such command 'destroy'" in done.stderr


def test_a_wrong_setting_is_2_and_a_line_each(tmp_path: Path) -> None:
    done = emag_pipeline(tmp_path, "status", EMAG_UI_PORT="http", EMAG_SYNC_MAX_PAGES="0")
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert [line.split(" is ")[0] for line in lines] == [
        "emag-pipeline: EMAG_SYNC_MAX_PAGES",
        "emag-pipeline: EMAG_UI_PORT",
    ]


def test_a_database_that_is_away_is_1_without_a_traceback_or_the_password(tmp_path: Path) -> None:
    done = emag_pipeline(tmp_path, "migrate", DATABASE_SYNC_URL="postgresql://me:s3cret@127.0.0.1:1/emag")
    assert done.returncode == 1
    assert done.stderr.startswith("emag-pipeline: database: ")
    assert len(done.stderr.splitlines()) == 1
    assert "s3cret" not in done.stderr


def test_a_signal_before_anything_has_begun_ends_it_where_nobody_listens_too() -> None:
    program = "import os, signal\nfrom emag_pipeline.cli import signals\nsignals.listen()\nos.close(2)\n"
    done = subprocess.run([sys.executable, "-c", f"{program}os.kill(os.getpid(), signal.SIGTERM)"], check=False)
    assert done.returncode == 130
