"""A sandbox for one command, such as `sync`: that of a running `up`, or one that lives as long as the command."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from emag_pipeline import wording
from emag_pipeline.errors import TransientError
from emag_pipeline.local import log_files, ports, programs
from emag_pipeline.local.supervisor import Child
from emag_pipeline.settings import Settings
from emag_pipeline.settings.home import directory

_START_SECONDS = 30.0


@contextmanager
def sandbox_beside(settings: Settings, environment: Mapping[str, str]) -> Iterator[bool]:
    """Start the sandbox unless real accounts are configured or something answers on its port; yields whether.

    It is stopped at the end. Raises TransientError when it does not start, SettingsError where what has its port is a
    program that was stopped, and would keep every call waiting.
    """
    if not settings.starts_sandbox:
        yield False
        return
    if ports.answers(settings.sandbox_port, settings.sandbox_host):
        ports.require_not_stopped(settings.sandbox_port, "EMAG_SANDBOX_PORT", "the sandbox")
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
                f"the sandbox {how or 'does not answer'}",
                why=log_files.last_errors(child.log) or (log_files.last_lines(child.log) if how else ""),
                remedy=wording.see("Its log is {log}", child.log) or "It said nothing; run the command again",
            )
        time.sleep(0.1)
