"""`python -m benchmarks.capacity [--offers N …]`: one account of any size, end to end, step by step.

The marketplace's limits are raised, so that what is measured is this side of it. Each step is the command that a person
or a timer gives, in a database that the steps before it have left.
"""

import argparse
import json
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import processes
from benchmarks.machine import described
from benchmarks.processes import Used
from benchmarks.surroundings import Fresh, fresh_database, rate, unlimited_sandbox, variables
from emag_pipeline.sandbox import SandboxControl
from emag_pipeline.store.engine import Database

_CALLS_A_SECOND = 200.0
_CHANGED = 0.01
#: What takes longer than this is in the server's log, with its words.
_SLOW_SECONDS = 1.0
_SLOW = re.compile(r"duration: (\d+\.\d+) ms\s+\S[^:]*: (.*)")
#: Letters of such a statement that are shown.
_WORDS = 70


@dataclass(frozen=True, slots=True)
class Step:
    """What one command took. `disk_bytes` is the database after it; `temporary_bytes` what sorts and joins wrote aside.

    `statement` is the slowest one of at least a second, if there was any.
    """

    offers: int
    what: str
    seconds: float
    around_seconds: float
    calls: int
    cpu_here: float
    cpu_postgresql: float
    peak_mebibytes: float
    wal_bytes: int
    disk_bytes: int
    temporary_bytes: int
    statement_seconds: float
    statement: str


class _Account:
    """The account `main` of so many offers, its database and its marketplace."""

    def __init__(self, fresh: Fresh, market: str, offers: int) -> None:
        self.offers = offers
        self._fresh = fresh
        self._market = market
        self._given = variables(market, **rate(_CALLS_A_SECOND), EMAG_SYNC_TIMEOUT_HOURS="6")
        self._log = fresh.server.data / "server.log"

    def step(self, what: str, *command: str) -> Step:
        """Give the command, and tell what it took."""
        logged, temporary = self._log.stat().st_size, self._temporary()
        used = processes.command(command, self._fresh, self._market, self._given)
        return self._told(what, used, logged, temporary)

    def change(self, share: float) -> None:
        """So many of the offers move on: prices, stocks, verdicts."""
        SandboxControl(self._market, timeout_seconds=600).advance(changes=round(self.offers * share))

    def an_offer(self) -> str:
        """The id of an offer that exists."""
        return str(self._fresh.ask("SELECT emag_offer_id FROM emag_product_offers LIMIT 1"))

    def _told(self, what: str, used: Used, logged: int, temporary: int) -> Step:
        seconds, statement = max(self._slow(logged), default=(0.0, ""))
        return Step(
            offers=self.offers,
            what=what,
            seconds=used.seconds,
            around_seconds=used.around_seconds,
            calls=used.calls,
            cpu_here=used.process_cpu,
            cpu_postgresql=used.server.sessions + used.server.background,
            peak_mebibytes=used.peak_mebibytes,
            wal_bytes=used.wal_bytes,
            disk_bytes=self._fresh.ask("SELECT pg_database_size(current_database())"),
            temporary_bytes=self._temporary() - temporary,
            statement_seconds=seconds,
            statement=statement,
        )

    def _slow(self, after: int) -> Iterator[tuple[float, str]]:
        with self._log.open(encoding="utf-8", errors="replace") as log:
            log.seek(after)
            for found in _SLOW.finditer(log.read()):
                yield float(found[1]) / 1000, " ".join(found[2].split())[:_WORDS]

    def _temporary(self) -> int:
        return self._fresh.ask("SELECT temp_bytes FROM pg_stat_database WHERE datname = current_database()")


def measure(offers: int, told: Callable[[Step], None]) -> list[Step]:
    """All steps of an account of so many offers; each is told when it is over."""
    steps: list[Step] = []

    def taken(step: Step) -> None:
        steps.append(step)
        told(step)

    with fresh_database() as fresh, unlimited_sandbox(offers) as market:
        _log_slow_statements(fresh)
        main = _Account(fresh, market, offers)
        taken(main.step("first publish", "sync", "--account", "main"))
        taken(main.step("unchanged", "sync", "--account", "main"))
        main.change(_CHANGED)
        began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        taken(main.step("1 % changed", "sync", "--account", "main"))
        one = main.an_offer()
        taken(main.step("status", "status"))
        taken(main.step("explain", "explain", "main", one))
        taken(main.step("history of an offer", "history", "main", one))
        taken(main.step("report", "report", "main"))
        taken(main.step("export, Parquet", "export", "emag_current_offers", "--format", "parquet", "-o", "now.parquet"))
        taken(
            main.step(
                "export as of before the change",
                "export",
                "emag_product_offers",
                "--account",
                "main",
                "--as-of",
                began,
                "-o",
                "then.csv",
            )
        )
        taken(main.step("prune", "prune"))
    return steps


def _log_slow_statements(fresh: Fresh) -> None:
    database = Database(fresh.url, pool_size=1)
    try:
        with database.transaction() as tx:
            tx.run(f"ALTER DATABASE bench SET log_min_duration_statement = {round(_SLOW_SECONDS * 1000)}")
    finally:
        database.close()


def _shown(step: Step) -> str:
    return (
        f"{step.what:<32} {step.seconds:8.1f} s ({step.around_seconds:6.1f} around {step.calls:6} calls)  "
        f"CPU {step.cpu_here:7.1f} + {step.cpu_postgresql:7.1f}  {step.peak_mebibytes:5.0f} MiB  "
        f"WAL {step.wal_bytes / 1e6:8.1f} MB  disk {step.disk_bytes / 1e9:6.2f} GB  "
        f"aside {step.temporary_bytes / 1e6:7.1f} MB  {step.statement_seconds:5.1f} s {step.statement}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what the command line asks for, print it, and write the raw figures where it says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.capacity", description=__doc__)
    parser.add_argument("--offers", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--json", type=Path, help="where the raw figures go")
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # server and sandbox are stopped then
    steps: list[Step] = []
    for name, value in described():
        sys.stdout.write(f"{name}: {value}\n")
    for offers in given.offers:
        sys.stdout.write(f"{offers:,} offers\n")
        sys.stdout.flush()
        steps += measure(offers, lambda step: print(_shown(step), flush=True))  # noqa: T201
    if given.json:
        given.json.write_text(json.dumps([asdict(step) for step in steps], indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
