"""A sandbox a test: without limits, without quirks, with a login of its own."""

from collections.abc import Iterator

import pytest

from emag_pipeline.sandbox import SandboxServer
from emag_pipeline_tests.marketplace.clients import PASSWORD, USERNAME, Client, client_of
from emag_pipeline_tests.sandbox.sandboxes import unlimited_sandbox


@pytest.fixture
def sandbox() -> Iterator[SandboxServer]:
    users = {"main": (USERNAME, PASSWORD)}
    with unlimited_sandbox(accounts={"main": 250}, users=users) as server:
        yield server


@pytest.fixture
def client(sandbox: SandboxServer) -> Iterator[Client]:
    with client_of(sandbox.url, attempts=2) as client:
        yield client
