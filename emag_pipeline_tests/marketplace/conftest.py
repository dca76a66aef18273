"""A sandbox a test: without limits, without quirks, with a login of its own."""

from collections.abc import Iterator

import pytest

from emag_pipeline.sandbox import SandboxServer
from emag_pipeline_tests.marketplace.clients import PASSWORD, USERNAME, Client, client_of


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    users = {"main": (USERNAME, PASSWORD)}
    with SandboxServer(accounts={"main": 250}, users=users, requests_per_second=0, requests_per_minute=0) as server:
        yield server


@pytest.fixture
def client(sandbox: SandboxServer) -> Iterator[Client]:
    with client_of(sandbox.url, attempts=2) as client:
        yield client
