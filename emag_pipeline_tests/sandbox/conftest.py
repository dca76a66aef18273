"""A sandbox of its own for each test, without limits, measured shapes and PHP's quirks unless a test asks for them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from emag_pipeline.sandbox import SandboxServer
from emag_pipeline_tests.sandbox.reader import Reader

PLAIN: dict[str, Any] = {
    "requests_per_second": 0,
    "requests_per_minute": 0,
    "quirk_share": 0,
    "shape_share": 0,
    "accounts": {"main": 250},
}
OpenSandbox = Callable[..., SandboxServer]


@pytest.fixture
def open_sandbox() -> Iterator[OpenSandbox]:
    """Starts sandboxes that end with the test."""
    with ExitStack() as opened:

        def start(**settings: Any) -> SandboxServer:
            return opened.enter_context(SandboxServer(**PLAIN | settings))

        yield start


@pytest.fixture
def sandbox(open_sandbox: OpenSandbox) -> SandboxServer:
    """One account `main` with 250 offers: two full pages and a half one."""
    return open_sandbox()


@pytest.fixture
def reader(sandbox: SandboxServer) -> Reader:
    return Reader(sandbox)
