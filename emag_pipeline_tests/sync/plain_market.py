"""Fixtures of the rooms `sync` and `reference`: a sandbox without limits, and contexts of runs against it."""

import itertools
from collections.abc import Iterator

import pytest

from emag_pipeline.embedded import EmbeddedServer
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.databases import copied
from emag_pipeline_tests.sandbox.sandboxes import unlimited_sandbox
from emag_pipeline_tests.sync.published import published_once
from emag_pipeline_tests.sync.refresh import Contexts, context_for

_ACCOUNTS = {"main": 520, "fbe": 130}
_serial = itertools.count(1)


@pytest.fixture
def market() -> Iterator[SandboxServer]:
    with unlimited_sandbox(accounts=_ACCOUNTS) as server:
        yield server


@pytest.fixture
def main(market: SandboxServer, database: Database) -> Contexts:
    """Makes contexts of runs for the account `main`; keywords are environment variables."""
    return lambda **environ: context_for(database, market.url, **environ)


@pytest.fixture(scope="session")
def published_template(cluster: EmbeddedServer, template: str) -> Iterator[str]:
    """The name of a database in which the market's `main` is published. A room with another market has its own."""
    with published_once(cluster, template, "template_market", _ACCOUNTS) as name:
        yield name


@pytest.fixture
def already_published() -> None:
    """To be named by tests whose database is to begin with the market's `main` published once."""


@pytest.fixture
def database_url(request: pytest.FixtureRequest, cluster: EmbeddedServer, template: str) -> Iterator[str]:
    """The URL of a database with the schema, and nothing in it unless the test asks for `already_published`."""
    start = request.getfixturevalue("published_template") if "already_published" in request.fixturenames else template
    with copied(cluster, start, f"of_sync_{next(_serial)}") as url:
        yield url
