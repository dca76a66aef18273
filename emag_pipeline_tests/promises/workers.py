"""The real job as processes of their own (`python -m emag_pipeline.local.run`, what `emag-pipeline sync` starts)."""

import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from emag_pipeline.local import surroundings
from emag_pipeline.local.surroundings import environment as shared_environment
from emag_pipeline.settings import load_settings
from emag_pipeline_tests.cli.commands import environment

#: Of every worker, so that a killed one is dead soon; its heart then beats three times a second.
HEARTBEAT_TIMEOUT_SECONDS = 2.0
_ANOTHER_SYNC_RUNNING = 4


def environment_of(home: Path, market_url: str, database_url: str, dagster_url: str) -> dict[str, str]:
    """What a run of the account `main` needs, at a rate that tests can wait for."""
    given = environment(
        home,
        EMAG_API_BASE_URL=market_url,
        EMAG_API_USERNAME="main@sandbox.example",
        EMAG_API_PASSWORD="sandbox",
        EMAG_API_REQUESTS_PER_SECOND="100",
        EMAG_API_REQUESTS_PER_MINUTE="6000",
        EMAG_SYNC_HEARTBEAT_TIMEOUT=str(HEARTBEAT_TIMEOUT_SECONDS),
        DATABASE_SYNC_URL=database_url,
    )
    dagster = surroundings.prepare(home)
    settings, today = load_settings(given, env_file=None), datetime.now(UTC).date()
    return shared_environment(settings, dagster, database_url, dagster_url, today, given)


@dataclass(frozen=True, slots=True)
class Worker:
    """One run under way."""

    run_id: str
    process: "subprocess.Popen[bytes]"
    output: Path

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        self.process.kill()
        self.process.wait()

    def wait(self, seconds: float = 60) -> int:
        """The exit code."""
        return self.process.wait(seconds)

    def said(self) -> str:
        """What it printed."""
        return self.output.read_text(errors="replace")


class Workers:
    """Starts runs in one environment."""

    def __init__(self, home: Path, variables: dict[str, str]) -> None:
        self._home = home
        self._variables = variables
        self._started: list[Worker] = []

    def start(self, **variables: str) -> Worker:
        """Start a run of `main`; keywords are environment variables."""
        run_id = str(uuid4())
        output = self._home / f"{run_id}.txt"
        with output.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "emag_pipeline.local.run", "main", run_id],
                env=self._variables | variables,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
            )
        self._started.append(Worker(run_id, process, output))
        return self._started[-1]

    def publish(self, **variables: str) -> None:
        """A run that must publish; as long as a dead run's lease is in force, it is repeated."""
        until = time.monotonic() + HEARTBEAT_TIMEOUT_SECONDS + 15
        while (code := (worker := self.start(**variables)).wait()) == _ANOTHER_SYNC_RUNNING:
            assert time.monotonic() < until, "the dead run's lease was never taken over"
        assert code == 0, worker.said()

    def end(self) -> None:
        """Kill what still lives."""
        for worker in self._started:
            worker.kill()
