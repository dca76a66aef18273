"""G10: memory does not grow with the catalogue: a page at a time on every path, publish in the database."""

import os
from pathlib import Path

import pytest

from emag_pipeline.drills.market import Market
from emag_pipeline.embedded import EmbeddedServer
from emag_pipeline_tests.databases import copied
from emag_pipeline_tests.promises.workers import Workers, environment_of

#: As fast as it can be stored: the most that can be under way at once, and the least to wait for.
_PACE = {
    "EMAG_API_REQUESTS_PER_SECOND": "1000",
    "EMAG_API_REQUESTS_PER_MINUTE": "60000",
    "EMAG_SYNC_MAX_PAGES": "2000",
    "EMAG_SYNC_HEARTBEAT_TIMEOUT": "120",
}


def _peak_mebibytes(directory: Path, offers: int, database_url: str, dagster_url: str) -> float:
    """The largest resident size of a whole run, Dagster included."""
    with Market(offers, directory / "sandbox.log") as market:
        variables = environment_of(directory, market.url, database_url, dagster_url)
        worker = Workers(directory, variables | _PACE).start()
        _, status, usage = os.wait4(worker.process.pid, 0)
        worker.process.returncode = os.waitstatus_to_exitcode(status)
        assert worker.process.returncode == 0, worker.printed()
    return usage.ru_maxrss / 1024


@pytest.mark.slow
@pytest.mark.timeout(900)  # a hundred thousand offers beside another test: no claim about time
def test_g10_a_run_of_100000_offers_needs_hardly_more_memory_than_one_of_1000(
    cluster: EmbeddedServer, template: str, dagster_url: str, tmp_path: Path
) -> None:
    peaks = []
    for offers in (1_000, 100_000):
        with copied(cluster, template, f"memory_{offers}") as url:
            peaks.append(_peak_mebibytes(tmp_path, offers, url, dagster_url))
    few, many = peaks
    assert many - few < 50, f"{few:.0f} MiB for 1,000 offers, {many:.0f} for 100,000"
