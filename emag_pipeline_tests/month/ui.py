"""`python -m emag_pipeline_tests.month.ui DIR [--port N]`: Dagster's UI over a month that was kept; Ctrl-C ends it.

Only the UI: `emag-pipeline up` would start a sandbox that knows nothing of that month, and sync from it.
"""

import argparse
import contextlib
import subprocess
from pathlib import Path

from emag_pipeline.local import programs
from emag_pipeline.local.surroundings import surroundings
from emag_pipeline.settings import load_settings


def main() -> None:
    """Serve until it is interrupted."""
    parser = argparse.ArgumentParser(prog="python -m emag_pipeline_tests.month.ui")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--port", type=int, default=3333)
    asked = parser.parse_args()
    variables = {"EMAG_HOME": str(asked.directory), "EMAG_UI_PORT": str(asked.port)}
    settings = load_settings(variables, env_file=None)
    with surroundings(settings, print) as around, contextlib.suppress(KeyboardInterrupt):
        command = programs.webserver(settings, around.dagster).command
        subprocess.run(command, env=around.environment, check=False)


if __name__ == "__main__":
    main()
