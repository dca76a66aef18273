"""Identifies processes, so that it can be decided later whether one has certainly ended; and ends processes.

A process id is not enough: ids are reused, and each container has its own. The kernel's boot id identifies the machine
and its boot, the namespaces the container, and the start time the process among those that had the id. Without all of
these, a process never counts as ended.
"""

import os
import platform
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

_PROC = Path("/proc")
#: The process name of a fork for a Dagster run, which its command line does not show.
RUN = "emag-run"
#: The namespaces of process ids and of start times.
_NAMESPACES = ("pid", "time")
#: Fields of /proc/PID/stat, counted after the name, which is in brackets and may contain anything.
_STATE, _START_TICKS = 0, 19


@dataclass(frozen=True, slots=True)
class ProcessMark:
    """The identity of a process. If the system does not provide it, `boot_id` is None and it never counts as gone.

    `start_ticks` are the kernel's ticks from its boot to the start of the process.
    """

    host: str
    process_id: int
    boot_id: str | None = None
    namespaces: str | None = None
    start_ticks: int | None = None

    @property
    def is_gone(self) -> bool:
        """Whether the process has certainly ended: it ran under this boot of this kernel, and no longer exists."""
        if self.boot_id is None or self.namespaces is None or self.start_ticks is None:
            return False
        here = own_mark()
        if (here.boot_id, here.namespaces) != (self.boot_id, self.namespaces):
            return False
        try:
            os.kill(self.process_id, 0)
        except ProcessLookupError:
            return True
        except OSError:  # another user's
            pass
        found = _stat(self.process_id)
        if found is None:  # it has just ended, or cannot be examined
            return False
        state, start_ticks = found
        return state in "ZX" or start_ticks != self.start_ticks


def is_worker(process: psutil.Process) -> bool:
    """Whether a code server started it for a Dagster run: ours (`dagster_runs.code_server`) forks, Dagster's spawns."""
    with suppress(psutil.Error):
        return process.name() == RUN or any("spawn_main" in argument for argument in process.cmdline())
    return False


def variable_of(process: psutil.Process, name: str) -> str | None:
    """A variable of its environment; None for a process of another user."""
    try:
        return process.environ().get(name) if process.uids().effective == os.geteuid() else None
    except (psutil.Error, OSError):
        return None  # another user's, or just gone


def is_stopped(process: psutil.Process) -> bool:
    """Whether it is stopped by SIGSTOP. Raises psutil.Error if it has ended.

    False if a debugger or profiler holds it: that is short, and SIGCONT would not end it.
    """
    return bool(process.status() == psutil.STATUS_STOPPED)


def own_mark() -> ProcessMark:
    """This process."""
    bare = ProcessMark(platform.node(), os.getpid())
    try:
        if str((_PROC / "self").readlink()) != str(bare.process_id):  # the /proc of another namespace
            return bare
        boot_id = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespaces = " ".join(str((_PROC / "self/ns" / name).readlink()) for name in _existing_namespaces())
    except OSError:
        return bare
    found = _stat(bare.process_id)
    if found is None or not boot_id or not namespaces:
        return bare
    return ProcessMark(bare.host, bare.process_id, boot_id, namespaces, found[1])


def _existing_namespaces() -> list[str]:
    return [name for name in _NAMESPACES if name == "pid" or (_PROC / "self/ns" / name).exists()]


def _stat(process_id: int) -> tuple[str, int] | None:
    with suppress(OSError, ValueError, IndexError):
        text = (_PROC / str(process_id) / "stat").read_text(encoding="utf-8", errors="replace")
        fields = text.rpartition(")")[2].split()
        return fields[_STATE], int(fields[_START_TICKS])
    return None


# Ending processes, children or not. None is reaped here, because a parent needs its child's exit status.

_LOOK_SECONDS = 0.1


def lives(process: psutil.Process) -> bool:
    """Whether it is running, i.e. exists and is not a zombie."""
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def end(
    processes: Iterable[psutil.Process], seconds: float, hurried: Callable[[], bool] = lambda: False
) -> list[psutil.Process]:
    """Send SIGTERM and wait at most this long or until `hurried`. Returns those still running."""
    signalled = list(processes)
    for process in signalled:
        with suppress(psutil.Error):
            process.terminate()
    return _outlived(signalled, seconds, hurried)


def kill(
    processes: Iterable[psutil.Process], seconds: float = 5.0, *, with_children: bool = False
) -> list[psutil.Process]:
    """Send SIGKILL. Returns those that cannot be killed or are still running afterwards.

    `with_children` for a process that executes a run, whose helpers are its own. Without it for programs: runs are
    descendants of a code server and outlive it.
    """
    killed = list(processes)
    for process in killed:
        with suppress(psutil.Error):
            for child in process.children(recursive=True) if with_children else ():
                child.kill()
        with suppress(psutil.Error):
            process.kill()
    return _outlived(killed, seconds, lambda: False)


def _outlived(processes: Iterable[psutil.Process], seconds: float, hurried: Callable[[], bool]) -> list[psutil.Process]:
    until = time.monotonic() + seconds
    while (alive := [one for one in processes if lives(one)]) and time.monotonic() < until and not hurried():
        time.sleep(_LOOK_SECONDS)
    return alive
