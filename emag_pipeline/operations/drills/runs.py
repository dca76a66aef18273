"""Runs of a drill: real processes of the real job, and how they ended."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from emag_pipeline.db.status import SyncProgress

ACCOUNT = "main"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended: its exit code, what it said, and its sync, if it ever held the account's lease."""

    exit_code: int
    said: str
    sync: SyncProgress | None

    @property
    def error_class(self) -> str:
        """The error in the ledger; empty where there is none, or no ledger row."""
        return (self.sync.error_class or "") if self.sync else ""

    @property
    def words(self) -> str:
        """The ending in a few words."""
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


class Run:
    """A run of the account under way, from its construction on."""

    def __init__(self, variables: Mapping[str, str], directory: Path) -> None:
        self.run_id = str(uuid4())
        self._said = directory / f"{self.run_id}.said"
        with self._said.open("wb") as said, (directory / f"{self.run_id}.log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "emag_pipeline.runs", ACCOUNT, self.run_id],
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
        """The line that it printed at its end."""
        return self._said.read_text(errors="replace").strip()

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        self.process.kill()
        self.process.wait()
