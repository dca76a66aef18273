"""A scenario's marketplace: a sandbox without rate limits in its own process, which can be stopped and restarted."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from emag_pipeline.errors import TransientError
from emag_pipeline.sandbox import SandboxControl
from emag_pipeline.sync.status import SyncProgress

SEED = 1


class Market:
    """Listens on a free port once constructed, and on the same port after each `start_again`.

    Raises TransientError if the process does not start.
    """

    def __init__(self, offers: int, log: Path) -> None:
        self._offers = offers
        self._log = log
        self._process, self.url = self._start(0)

    @property
    def control(self) -> SandboxControl:
        """The client for faults, edits and truth."""
        return SandboxControl(self.url)

    def stop(self) -> None:
        """Kill the process: connections break, new ones are refused, edits and faults are lost."""
        self._process.kill()
        self._process.wait()

    def start_again(self) -> None:
        """Restart with the original catalogue."""
        port = int(self.url.rpartition(":")[2].partition("/")[0])
        self._process, self.url = self._start(port)

    def _start(self, port: int) -> "tuple[subprocess.Popen[str], str]":
        options = ("--port", str(port), "--seed", str(SEED), "--offers", f"main={self._offers}")
        unlimited = ("--requests-per-second", "0", "--requests-per-minute", "0", "--parameters", "top")
        with self._log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "emag_pipeline.sandbox", *options, *unlimited],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=output,
                text=True,
                start_new_session=True,
            )
        with process.stdout as pipe:  # type: ignore[union-attr]  # stdout is a pipe
            said = pipe.readline()
        if not said.startswith("sandbox: "):
            process.kill()
            process.wait()
            raise TransientError("the drill's sandbox did not start", remedy=f"Its log is {self._log}")
        return process, said.removeprefix("sandbox: ").strip()


# Runs of a drill: processes that run the real job, and how they ended.

ACCOUNT = "main"


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


class DrillRun:
    """A run of the account, started on construction."""

    def __init__(self, variables: Mapping[str, str], directory: Path) -> None:
        self.run_id = str(uuid4())
        self._said = directory / f"{self.run_id}.said"
        with self._said.open("wb") as said, (directory / f"{self.run_id}.log").open("wb") as log:
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

    def kill(self) -> None:
        """Send SIGKILL and wait for the end."""
        self.process.kill()
        self.process.wait()
