"""`python -m benchmarks.fleet [--accounts N]`: many accounts under one `emag-pipeline up`, at the marketplace's limits.

1,000 to 3,000 offers an account, 3 calls a second each. From the start of `up` to the first publish of all; then all
are requested again at once, as by "Materialize all" in the UI, to the next publish of all. CPU is the whole machine's,
less the sandbox's: so nothing else may run beside.
"""

import argparse
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import requests

from benchmarks.machine import described
from benchmarks.surroundings import Fresh, fresh_database, own_environment, sandbox_of
from emag_pipeline.sandbox import SandboxControl
from emag_pipeline.store.engine import Database

_LEAST, _MOST = 1_000, 3_000
_TIMEOUT_SECONDS = 1_800.0
_LOOK_SECONDS = 0.5
_UI_PORT, _METRICS_PORT, _HEALTH_PORT = 38_100, 38_102, 38_103

_PUBLISHED = """
    SELECT count(*) AS syncs, count(DISTINCT account_type) AS accounts,
           (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections
    FROM emag_publishes
"""
_LAUNCH = """mutation Launch($params: LaunchBackfillParams!) {
    launchPartitionBackfill(backfillParams: $params) { __typename ... on PythonError { message } } }"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fleet", description=__doc__)
    parser.add_argument("--accounts", type=int, default=32)
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # everything that was started is stopped then
    for name, value in described():
        sys.stdout.write(f"{name}: {value}\n")
    names = [f"a{number:02}" for number in range(given.accounts)]
    step = (_MOST - _LEAST) / max(1, given.accounts - 1)
    sizes = {name: round((_LEAST + place * step) / 100) * 100 for place, name in enumerate(names)}
    with fresh_database() as fresh, sandbox_of(sizes) as (market, sandbox):
        database = Database(fresh.url, pool_size=1)
        try:
            _measure(fresh, _Publishes(database), market, sandbox, names)
        finally:
            database.close()
    return 0


def _measure(fresh: Fresh, publishes: "_Publishes", market: str, sandbox: psutil.Process, names: Sequence[str]) -> None:
    accounts = len(names)
    with _up(fresh, market, names) as up:
        first = _Span(fresh, sandbox)
        _await(lambda: publishes.look()[1] == accounts, up)
        first.tell("first publish of all, from the start of `up`", accounts)
        _await(_is_idle, up)
        first.tell("… and its marts and checks, and up to 70 s idle", accounts)
        _calls(market)
        before = publishes.look()[0]
        again = _Span(fresh, sandbox)
        _request(names)
        _await(lambda: publishes.look()[0] - before >= accounts, up)
        again.tell("unchanged refresh of all, from the request", accounts)
        sys.stdout.write(f"connections of the server, at most: {publishes.connections}\n")
        _await(_is_idle, up)
        again.tell("… and its marts and checks, and up to 70 s idle", accounts)
        _calls(market)


class _Publishes:
    """How many there were so far, and the most connections that were seen at a look."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.connections = 0

    def look(self) -> tuple[int, int]:
        """All publishes, and the accounts that have one."""
        with self._database.transaction() as tx:
            row = tx.run(_PUBLISHED).one()
        self.connections = max(self.connections, row.connections)
        return row.syncs, row.accounts


class _Span:
    """What passes between a moment and the next ones."""

    def __init__(self, fresh: Fresh, sandbox: psutil.Process) -> None:
        self._fresh, self._sandbox = fresh, sandbox
        self._began, self._cpu, self._server = time.monotonic(), self._used(), fresh.cpu()

    def tell(self, what: str, accounts: int) -> None:
        """Print what has passed since the beginning."""
        seconds, cpu = time.monotonic() - self._began, self._used() - self._cpu
        server = self._fresh.cpu().since(self._server)
        of_server = server.sessions + server.background
        sys.stdout.write(
            f"{what}: {seconds:.0f} s, {cpu:.0f} CPU-seconds ({cpu / accounts:.2f} an account), of these PostgreSQL "
            f"{of_server:.0f}\n"
        )
        sys.stdout.flush()

    def _used(self) -> float:
        times, sandbox = psutil.cpu_times(), self._sandbox.cpu_times()
        return float(times.user + times.system + times.nice - sandbox.user - sandbox.system)


@contextmanager
def _up(fresh: Fresh, market: str, names: Sequence[str]) -> Any:
    logins = {
        f"EMAG_{name.upper()}_API_{what}": value
        for name in names
        for what, value in (
            ("USERNAME", f"{name}@sandbox.example"),
            ("PASSWORD", "sandbox"),
            ("BASE_URL", market),
        )
    }
    environment = own_environment() | {
        "EMAG_HOME": str(fresh.home / "emag"),
        "DATABASE_SYNC_URL": fresh.url,
        "EMAG_ACCOUNTS": ",".join(names),
        "EMAG_UI_PORT": str(_UI_PORT),
        "EMAG_SYNC_METRICS_PORT": str(_METRICS_PORT),
        "EMAG_SYNC_HEALTH_PORT": str(_HEALTH_PORT),
        **logins,
    }
    log = fresh.home / "up.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "emag_pipeline", "up"],
            env=environment,
            cwd=fresh.home,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            yield _Program(process, log)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(120)


class _Program:
    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self._process, self._log = process, log

    def require_alive(self) -> None:
        """Raise RuntimeError with its last words if it has ended."""
        if self._process.poll() is not None:
            raise RuntimeError(f"up ended: {self._log.read_text()[-2000:]}")


def _await(holds: Callable[[], bool], up: _Program) -> None:
    until = time.monotonic() + _TIMEOUT_SECONDS
    while not holds():
        up.require_alive()
        if time.monotonic() > until:
            raise RuntimeError(f"not within {_TIMEOUT_SECONDS:.0f} seconds")
        time.sleep(_LOOK_SECONDS)


def _is_idle() -> bool:
    """No run is queued, starting or under way, twice with some seconds in between: sensors request marts meanwhile."""
    for _ in range(2):
        found = _ask(
            "{ runsOrError(filter: {statuses: [QUEUED, NOT_STARTED, STARTING, STARTED]}, limit: 1) "
            "{ ... on Runs { results { id } } } }"
        )
        if found["runsOrError"]["results"]:
            return False
        time.sleep(35)
    return True


def _request(names: Sequence[str]) -> None:
    location = {"repositoryLocationName": "emag_pipeline", "repositoryName": "__repository__"}
    params = {
        "selector": {"partitionSetName": "refresh_offers_partition_set", "repositorySelector": location},
        "partitionNames": list(names),
    }
    said = _ask(_LAUNCH, params=params)["launchPartitionBackfill"]
    if said["__typename"] != "LaunchBackfillSuccess":
        raise RuntimeError(f"the backfill was not launched: {said}")


def _ask(query: str, **given: Any) -> Any:
    answer = requests.post(
        f"http://127.0.0.1:{_UI_PORT}/graphql", json={"query": query, "variables": given}, timeout=60
    ).json()
    if "errors" in answer:
        raise RuntimeError(answer["errors"])
    return answer["data"]


def _calls(market: str) -> None:
    stats = SandboxControl(market).command("stats", {})["accounts"].values()
    calls, refused = sum(one["requests"] for one in stats), sum(one["over_limit"] for one in stats)
    sys.stdout.write(f"  calls so far: {calls}, over the limit: {refused}\n")


if __name__ == "__main__":
    sys.exit(main())
