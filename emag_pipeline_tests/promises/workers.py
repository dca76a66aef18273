"""Runs of `main` as processes of their own, at a rate that tests can wait for, with a lease that ends soon."""

import time
from pathlib import Path

from emag_pipeline.drills.runs import RunProcess, run_variables
from emag_pipeline.errors import AnotherSyncRunning
from emag_pipeline.local import surroundings

#: Of every worker, so that a killed one is dead soon; its heart then beats three times a second.
HEARTBEAT_TIMEOUT_SECONDS = 2.0
_QUICK = {
    "EMAG_API_REQUESTS_PER_SECOND": "100",
    "EMAG_API_REQUESTS_PER_MINUTE": "6000",
    "EMAG_SYNC_HEARTBEAT_TIMEOUT": str(HEARTBEAT_TIMEOUT_SECONDS),
    "PYTHONWARNINGS": "default",
}


def environment_of(home: Path, market_url: str, database_url: str, dagster_url: str) -> dict[str, str]:
    """What a worker needs."""
    return run_variables(home, surroundings.prepare(home), market_url, database_url, dagster_url, _QUICK)


class Worker(RunProcess):
    """One run under way."""

    def wait(self, seconds: float = 120) -> int:
        """The exit code. A run takes a few seconds on a quiet machine, and over a minute next to other test runs."""
        return self.process.wait(seconds)

    def printed(self) -> str:
        """Its log, and what it said at its end."""
        return self.log() + self.said()


class Workers:
    """Starts runs in one environment."""

    def __init__(self, home: Path, variables: dict[str, str]) -> None:
        self._home = home
        self._variables = variables
        self._started: list[Worker] = []

    def start(self, **variables: str) -> Worker:
        """Start a run of `main`; keywords are environment variables."""
        self._started.append(Worker(self._variables | variables, self._home))
        return self._started[-1]

    def publish(self, **variables: str) -> None:
        """A run that must publish; as long as a dead run's lease is in force, it is repeated."""
        until = time.monotonic() + HEARTBEAT_TIMEOUT_SECONDS + 15
        while (code := (worker := self.start(**variables)).wait()) == AnotherSyncRunning.exit_code:
            assert time.monotonic() < until, "the dead run's lease was never taken over"
        assert code == 0, worker.printed()

    def end(self) -> None:
        """Kill what still lives."""
        for worker in self._started:
            worker.kill()
