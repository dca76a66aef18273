"""A sandbox of its own for each test."""

from collections.abc import Iterator

import pytest

from emag_pipeline.sandbox import SandboxServer
from emag_pipeline_tests.sandbox.reader import Reader
from emag_pipeline_tests.sandbox.sandboxes import OpenSandbox, opening


@pytest.fixture
def open_sandbox() -> Iterator[OpenSandbox]:
    """Starts sandboxes that end with the test."""
    with opening() as start:
        yield start


@pytest.fixture
def sandbox(open_sandbox: OpenSandbox) -> SandboxServer:
    """One account `main` with 250 offers: two full pages and a half one."""
    return open_sandbox()


@pytest.fixture
def reader(sandbox: SandboxServer) -> Reader:
    return Reader(sandbox)
