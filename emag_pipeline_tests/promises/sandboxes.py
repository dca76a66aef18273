"""The sandbox as a process of its own: in the tests' process it would stamp arrivals late."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from emag_pipeline.sandbox import SandboxControl


@contextmanager
def sandbox_process(offers: int, *, per_second: float, per_minute: float) -> Iterator[tuple[str, SandboxControl]]:
    """The API's base URL and the control of a market with the account `main`; a limit of 0 is none."""
    limits = ("--requests-per-second", str(per_second), "--requests-per-minute", str(per_minute))
    process = subprocess.Popen(
        [sys.executable, "-m", "emag_pipeline.sandbox", "--port", "0", "--offers", f"main={offers}", *limits],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().removeprefix("sandbox: ").strip()
        yield url, SandboxControl(url)
    finally:
        process.kill()
        process.communicate()
