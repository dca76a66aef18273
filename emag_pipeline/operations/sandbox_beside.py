"""A sandbox for one command, such as `sync`: that of a running `up`, or one that lives as long as the command."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from emag_pipeline.errors import TransientError
from emag_pipeline.home import directory
from emag_pipeline.operations import ports, programs
from emag_pipeline.operations.child import Child
from emag_pipeline.settings import Settings

_START_SECONDS = 30.0


@contextmanager
def sandbox_beside(settings: Settings, environment: Mapping[str, str]) -> Iterator[bool]:
    """Start the sandbox unless real accounts are configured or something answers on its port; yields whether.

    It is stopped at the end. Raises TransientError when it does not start.
    """
    if not settings.starts_sandbox or ports.answers(settings.sandbox_port, settings.sandbox_host):
        yield False
        return
    logs = directory(settings.home, "logs")
    child = Child(programs.sandbox(settings), environment, logs)
    try:
        _wait(child)
        yield True
    finally:
        child.process.terminate()
        child.process.wait()


def _wait(child: Child) -> None:
    until = time.monotonic() + _START_SECONDS
    while not child.program.is_ready():
        how = child.died()
        if how or time.monotonic() > until:
            raise TransientError(
                f"the sandbox {how or 'does not answer'}", why=child.last_lines(), remedy=f"Its log is {child.log}"
            )
        time.sleep(0.1)
