"""The sandbox as a program of its own."""

import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from emag_pipeline.sandbox.face import Users
from emag_pipeline.sandbox.like.likeness import Likeness
from emag_pipeline.sandbox.server import DEFAULT_ACCOUNTS, DEFAULT_SEED, SandboxServer


def run(
    port: int,
    *,
    host: str = "127.0.0.1",
    hosts: Sequence[str] = (),
    seed: int = DEFAULT_SEED,
    accounts: Mapping[str, int] = DEFAULT_ACCOUNTS,
    users: Users | None = None,
    like: Likeness | None = None,
    ready: Callable[[SandboxServer], None] | None = None,
    **settings: Any,
) -> None:
    """Serve until SIGTERM or SIGINT, then end the process at once with code 0.

    `ready` is called when calls can come. Raises PortTaken when it cannot listen. Main thread only.
    """
    server = SandboxServer(
        port, host=host, hosts=hosts, seed=seed, accounts=accounts, users=users, like=like, **settings
    )
    sys.setswitchinterval(0.001)  # arrivals are stamped on time even while another thread renders a page
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, _end)
    if ready is not None:
        ready(server)
    server.serve()


def _end(number: int, frame: object) -> None:
    """Nothing is kept, so nothing needs tidying up: leave without waiting for open calls."""
    sys.stdout.flush()
    os._exit(0)
