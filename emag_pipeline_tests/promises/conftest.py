"""A marketplace without limits; syncs of it in this process, and as processes that can be killed."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from emag_pipeline import embedded
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.marketplace.back_off import short_back_off
from emag_pipeline_tests.promises.workers import Workers, environment_of
from emag_pipeline_tests.sandbox.sandboxes import unlimited_sandbox
from emag_pipeline_tests.sync.plain_market import already_published, database_url
from emag_pipeline_tests.sync.published import published_once
from emag_pipeline_tests.sync.refresh import Contexts, context_for

__all__ = ["already_published", "database_url", "short_back_off"]

_SMALL = {"main": 320}


@pytest.fixture
def market() -> Iterator[SandboxServer]:
    """Ten pages, the last one half full."""
    with unlimited_sandbox(accounts={"main": 950}) as server:
        yield server


@pytest.fixture
def small() -> Iterator[SandboxServer]:
    """Four pages, the last one short."""
    with unlimited_sandbox(accounts=_SMALL) as server:
        yield server


@pytest.fixture(scope="session")
def published_template(cluster: embedded.EmbeddedServer, template: str) -> Iterator[str]:
    """The name of a database in which the small market's `main` is published."""
    with published_once(cluster, template, "template_small", _SMALL) as name:
        yield name


@pytest.fixture
def main(small: SandboxServer, database: Database) -> Contexts:
    """Makes contexts of runs for the small market's account; keywords are environment variables."""
    return lambda **options: context_for(database, small.url, **options)


@pytest.fixture
def market_main(market: SandboxServer, database: Database) -> Contexts:
    """The same for the market of ten pages."""
    return lambda **options: context_for(database, market.url, **options)


@pytest.fixture(scope="session")
def dagster_url(cluster: embedded.EmbeddedServer) -> str:
    """A database in which Dagster's tables stand: two first runs at once would be in each other's way."""
    url = cluster.url("dagster")
    with tempfile.TemporaryDirectory(prefix="emag-dagster-") as home:
        variables = environment_of(Path(home), "http://127.0.0.1:1/api-3", url, url)
        subprocess.run([sys.executable, "-m", "dagster", "instance", "migrate"], env=variables, check=True)
    return url


@pytest.fixture
def workers(market: SandboxServer, database_url: str, dagster_url: str, tmp_path: Path) -> Iterator[Workers]:
    """Starts runs of `main` as processes, and leaves none."""
    workers = Workers(tmp_path, environment_of(tmp_path, market.url, database_url, dagster_url))
    yield workers
    workers.end()
