"""Runs as real processes of the real job (`python -m emag_pipeline.local.run`), and how they ended."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from emag_pipeline.local.surroundings import DagsterHome, environment
from emag_pipeline.settings import load_settings
from emag_pipeline.sync.status import SyncProgress

ACCOUNT = "main"
_FOREIGN = ("EMAG_", "DATABASE_", "DB_", "DAGSTER_")


def run_variables(
    home: Path, dagster: DagsterHome, market_url: str, database_url: str, dagster_url: str, given: Mapping[str, str]
) -> dict[str, str]:
    """The environment of a run of the sandbox's account: the places and the settings given, none of the user's.

    `home` is its EMAG_HOME, `dagster` the directory prepared there, `dagster_url` Dagster's own database.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    own = {
        "EMAG_HOME": str(home),
        "EMAG_API_BASE_URL": market_url,
        "EMAG_API_USERNAME": f"{ACCOUNT}@sandbox.example",
        "EMAG_API_PASSWORD": "sandbox",
    }
    wanted = {**inherited, **own, **given}
    settings = load_settings(wanted, env_file=None)
    return environment(settings, dagster, database_url, dagster_url, settings.first_day, wanted)


class RunProcess:
    """A run of the account, started on construction. Its output goes to files in `directory`."""

    def __init__(self, variables: Mapping[str, str], directory: Path) -> None:
        self.run_id = str(uuid4())
        self._said = directory / f"{self.run_id}.said"
        self._log = directory / f"{self.run_id}.log"
        with self._said.open("wb") as said, self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "emag_pipeline.local.run", ACCOUNT, self.run_id],
                env=dict(variables),
                cwd="/",  # no .env
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=log,
                start_new_session=True,
            )

    @property
    def is_over(self) -> bool:
        """Whether its process has ended."""
        return self.process.poll() is not None

    def said(self) -> str:
        """The line that it printed when it ended."""
        return self._said.read_text(errors="replace").strip()

    def log(self) -> str:
        """What it has logged so far."""
        return self._log.read_text(errors="replace")

    def kill(self) -> None:
        """Send SIGKILL and wait for the end."""
        self.process.kill()
        self.process.wait()


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended: its exit code, its message, and its sync if it held the account's lease."""

    exit_code: int
    said: str
    sync: SyncProgress | None

    @property
    def error_class(self) -> str:
        """The error class in the ledger; empty if there is none, or no ledger row."""
        return (self.sync.error_class or "") if self.sync else ""

    @property
    def words(self) -> str:
        """A short description of the ending."""
        if self.exit_code:
            return f"exit {self.exit_code} {self.error_class}".strip()
        if self.sync is None:
            return "exit 0 without a sync"
        parts = [
            f"attempt {self.sync.attempt}" if self.sync.attempt > 1 else "",
            f"{self.sync.round} readings" if self.sync.round > 1 else "",
            f"{self.sync.offers_rejected:,} quarantined" if self.sync.offers_rejected else "",
            f"{self.sync.offers_deleted:,} deleted" if self.sync.offers_deleted else "",
        ]
        return ", ".join(["published", *filter(None, parts)])
