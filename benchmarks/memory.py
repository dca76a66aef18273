"""Peak memory of a whole sync at 10,000 and at 100,000 offers, each in a process of its own."""

import resource
import subprocess
import sys
from collections.abc import Iterator

from benchmarks.report import Outcome
from benchmarks.surroundings import context, fresh_database, sandbox
from emag_pipeline.db.engine import Database
from emag_pipeline.sync import audit_scan, publish_scan, stage_account

_FAST = {"EMAG_API_REQUESTS_PER_SECOND": "1000", "EMAG_API_REQUESTS_PER_MINUTE": "60000"}


def measure() -> Iterator[Outcome]:
    """The larger catalogue's peak as a multiple of the smaller one's."""
    small, large = _peak_mebibytes(10_000), _peak_mebibytes(100_000)
    details = f"{small:.0f} MiB at 10,000 offers, {large:.0f} MiB at 100,000"
    yield Outcome("memory: peak at 100,000 offers as a multiple of 10,000", large / small, "1.0", details)


def _peak_mebibytes(offers: int) -> float:
    with fresh_database() as url, sandbox(offers, requests_per_second=0, requests_per_minute=0) as market:
        child = subprocess.run(
            [sys.executable, "-m", "benchmarks.memory", url, market], check=True, capture_output=True, text=True
        )
    return float(child.stdout)


def _sync(url: str, market: str) -> float:
    database = Database(url)
    run = context(database, market, **_FAST)
    stage_account(run)
    audit_scan(run)
    publish_scan(run)
    database.close()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.stdout.write(f"{_sync(sys.argv[1], sys.argv[2]):.1f}")
