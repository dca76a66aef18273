"""The command line as a person has it: a process of its own, with an environment of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from emag_pipeline_tests.cli import preloaded

#: What the interpreter and the C library read when they start.
_OF_A_START = ("PYTHON", "LANG", "LC_", "LD_")
_MOST_SECONDS = 120
#: For a sync whose pace is not what a test is about.
FAST = {"EMAG_API_REQUESTS_PER_SECOND": "100", "EMAG_API_REQUESTS_PER_MINUTE": "6000"}


def environment(home: Path, **variables: str) -> dict[str, str]:
    """Nothing of the machine's settings, but those given.

    Port 1 is where tests expect that nothing listens; root's commands can, so none is given it.
    """
    assert not [name for name, value in variables.items() if name.endswith("_PORT") and value == "1"], variables
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("EMAG_", "DATABASE_", "DB_"))}
    return {**kept, "EMAG_HOME": str(home), "PYTHONWARNINGS": "default", "COLUMNS": "200", **variables}


def emag_pipeline(home: Path, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end, in an empty directory (no `.env`)."""
    if not any(name.startswith(_OF_A_START) for name in variables):
        return hurried(home, {}, *arguments, **variables)
    home.mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, "-m", "emag_pipeline", *arguments],
        env=environment(home, **variables), cwd=home, capture_output=True, text=True, timeout=_MOST_SECONDS,
        check=False,
    )  # fmt: skip


def hurried(
    home: Path, constants: Mapping[str, float], *arguments: str, **variables: str
) -> "subprocess.CompletedProcess[str]":
    """The same, with other values of constants, e.g. of how long it waits: emag_pipeline.local.child.START_SECONDS."""
    home.mkdir(exist_ok=True)
    return preloaded.run(arguments, environment(home, **variables), home, _MOST_SECONDS, constants)
