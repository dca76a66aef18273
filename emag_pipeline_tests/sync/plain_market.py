"""Fixtures of the rooms `sync` and `reference`: a sandbox without limits, and contexts of runs against it."""

from collections.abc import Iterator

import pytest

from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.sandbox.sandboxes import unlimited_sandbox
from emag_pipeline_tests.sync.refresh import Contexts, context_for


@pytest.fixture
def market() -> Iterator[SandboxServer]:
    with unlimited_sandbox(accounts={"main": 520, "fbe": 130}) as server:
        yield server


@pytest.fixture
def main(market: SandboxServer, database: Database) -> Contexts:
    """Makes contexts of runs for the account `main`; keywords are environment variables."""
    return lambda **environ: context_for(database, market.url, **environ)
