"""Runs of the real job in this process, on a real database and a real sandbox."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.settings import Settings, load_settings
from emag_pipeline_tests.dagster.runs import Run, RunJob, executed
from emag_pipeline_tests.sandbox.sandboxes import unlimited_sandbox


@pytest.fixture
def market() -> Iterator[SandboxServer]:
    with unlimited_sandbox(accounts={"main": 320, "fbe": 130}) as server:
        yield server


@pytest.fixture
def settings(market: SandboxServer, database_url: str, tmp_path: Path) -> Settings:
    """Both accounts on the sandbox, at a rate that tests can wait for."""
    return load_settings(
        {
            "EMAG_HOME": str(tmp_path),
            "DATABASE_SYNC_URL": database_url,
            "EMAG_API_BASE_URL": market.url,
            "EMAG_API_USERNAME": "main@sandbox.example",
            "EMAG_API_PASSWORD": "sandbox",
            "EMAG_FBE_API_USERNAME": "fbe@sandbox.example",
            "EMAG_FBE_API_PASSWORD": "sandbox",
            "EMAG_API_REQUESTS_PER_SECOND": "1000",
            "EMAG_API_REQUESTS_PER_MINUTE": "60000",
            "EMAG_SYNC_PROGRESS_INTERVAL": "0.000001",
        },
        env_file=None,
    )


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def run(settings: Settings, instance: dg.DagsterInstance) -> Run:
    """Executes `refresh_offers` for an account."""
    return lambda account: executed("refresh_offers", account, settings, instance)


@pytest.fixture
def run_job(settings: Settings, instance: dg.DagsterInstance) -> RunJob:
    """Executes a job for a partition."""
    return lambda job, partition: executed(job, partition, settings, instance)
