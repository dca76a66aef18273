"""The command line as a person has it: a process of its own, with an environment of its own."""

import os
import subprocess
import sys
from pathlib import Path


def environment(home: Path, **variables: str) -> dict[str, str]:
    """Nothing of the machine's settings, but those given.

    Port 1 is where tests expect that nothing listens; root's commands can, so none is given it.
    """
    assert not [name for name, value in variables.items() if name.endswith("_PORT") and value == "1"], variables
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("EMAG_", "DATABASE_", "DB_"))}
    return {**kept, "EMAG_HOME": str(home), "PYTHONWARNINGS": "default", "COLUMNS": "200", **variables}


def emag_pipeline(home: Path, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end, in an empty directory (no `.env`)."""
    home.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "emag_pipeline", *arguments]
    return subprocess.run(
        command, env=environment(home, **variables), cwd=home, capture_output=True, text=True, timeout=120, check=False
    )
