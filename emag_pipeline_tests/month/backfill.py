"""All days of the assortment, from history, as a person asks for them: `emag-pipeline backfill`."""

import subprocess
import sys
from datetime import UTC

from emag_pipeline_tests.cli.commands import environment
from emag_pipeline_tests.month.past import Past
from emag_pipeline_tests.month.stage import Stage


def backfill(stage: Stage, past: Past) -> int:
    """Compute every day since the first publish. Returns how many runs that took; raises RuntimeError on failure."""
    first = min(publishes[0].at for publishes in past.publishes.values()).astimezone(UTC).date()
    done = subprocess.run(
        [sys.executable, "-m", "emag_pipeline", "backfill", "--from", str(first)],
        env=environment(stage.settings.home, **stage.variables),
        cwd=stage.settings.home,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"backfill ended with {done.returncode}: {done.stdout}{done.stderr}")
    return sum(" offers, " in line for line in done.stdout.splitlines())
