"""Sandboxes in this process: unlimited ones, and plain ones, which have no measured shapes and no PHP quirks either."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from emag_pipeline.sandbox import SandboxServer

OpenSandbox = Callable[..., SandboxServer]


def unlimited_sandbox(port: int = 0, **options: Any) -> SandboxServer:
    """A sandbox without rate limits; `with` starts and stops it. `options` are those of SandboxServer and win."""
    limits = {"requests_per_second": 0, "requests_per_minute": 0}
    return SandboxServer(port, **limits | options)


def plain_sandbox(**options: Any) -> SandboxServer:
    """An unlimited sandbox with 250 offers of `main`, two full pages and a half one, as the vendor's document says."""
    return unlimited_sandbox(0, **{"accounts": {"main": 250}, "quirk_share": 0, "shape_share": 0, **options})


@contextmanager
def opening() -> Iterator[OpenSandbox]:
    """Within, what starts plain sandboxes, each with options of its own; at the end all are stopped."""
    with ExitStack() as opened:
        yield lambda **options: opened.enter_context(plain_sandbox(**options))
