"""Sandboxes without limits, measured shapes and PHP's quirks unless a test asks for them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from emag_pipeline.sandbox import SandboxServer

PLAIN: dict[str, Any] = {
    "requests_per_second": 0,
    "requests_per_minute": 0,
    "quirk_share": 0,
    "shape_share": 0,
    "accounts": {"main": 250},
}
OpenSandbox = Callable[..., SandboxServer]


@contextmanager
def opening() -> Iterator[OpenSandbox]:
    """Within, what starts sandboxes, each with settings of its own over the plain ones; at the end all are stopped."""
    with ExitStack() as opened:

        def start(**settings: Any) -> SandboxServer:
            return opened.enter_context(SandboxServer(**PLAIN | settings))

        yield start
