"""All processes that an `up` has brought into the world, however deep and wherever they were adopted.

Code servers and run workers outlive their parents and are then the init process's children, so no walk down the
tree finds them. They do inherit the environment: a variable in it marks the family of a home directory.
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil

from emag_pipeline.processes import is_worker
from emag_pipeline.running_up import MARK, home_of


def mark(home: Path) -> dict[str, str]:
    """The variable that makes a process, and all that it starts, a member."""
    return {MARK: str(home.resolve())}


def is_member() -> bool:
    """Whether this process is one, of whatever home."""
    return MARK in os.environ


def members(home: Path) -> list[psutil.Process]:
    """The living processes of this home's family, without this process."""
    wanted = home.resolve()
    return [process for process in psutil.process_iter() if process.pid != os.getpid() and home_of(process) == wanted]


def run_workers(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Those that execute a Dagster run: a code server begins one a run (its helpers end with it)."""
    return [process for process in processes if is_worker(process)]


def end(
    processes: Iterable[psutil.Process], seconds: float, hurried: Callable[[], bool] = lambda: False
) -> list[psutil.Process]:
    """Send SIGTERM and wait for the end, at most so long or until `hurried`. Returns those that still live."""
    alive = list(processes)
    for process in alive:
        _quietly(process.terminate)
    until = time.monotonic() + seconds
    while alive and time.monotonic() < until and not hurried():
        _, alive = psutil.wait_procs(alive, timeout=0.1)
    return alive


def kill(processes: Iterable[psutil.Process]) -> None:
    """Send SIGKILL and wait until the processes are gone."""
    killed = list(processes)
    for process in killed:
        _quietly(process.kill)
    psutil.wait_procs(killed, timeout=5)


def _quietly(action: Callable[[], None]) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        action()
