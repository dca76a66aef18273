"""This machine: room on its disk, memory, and programs that somebody has stopped."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil

from emag_pipeline.operations.doctor.finding import Finding, broken, ok, warning
from emag_pipeline.settings import Settings
from emag_pipeline.stopped_programs import stopped_programs

DISK = "disk"
MEMORY = "memory"
PROGRAMS = "programs"

_GIB = 2**30
#: PostgreSQL stops when its disk is full; logs and a publish need some hundred megabytes at least
_NO_ROOM_BYTES = 500 * 2**20
_LITTLE_ROOM_BYTES = 3 * _GIB
_LITTLE_SHARE = 0.05
#: a run needs some 120 MB, all of `up` some 700
_LITTLE_MEMORY_BYTES = 500 * 2**20


def disk(settings: Settings) -> Iterator[Finding]:
    """Is there room where logs, Dagster's files and an embedded database live?"""
    home = _existing(settings.home)
    usage = shutil.disk_usage(home)
    holds = "logs and the embedded database" if settings.uses_embedded_database else "logs"
    what = f"{usage.free / _GIB:,.1f} of {usage.total / _GIB:,.1f} GiB are free on the disk of {home} ({holds})"
    if usage.free < _NO_ROOM_BYTES:
        yield broken(DISK, what, f"Free space now: look into {home / 'logs'}, or move EMAG_HOME to a larger disk")
    elif usage.free < _LITTLE_ROOM_BYTES or usage.free < usage.total * _LITTLE_SHARE:
        yield warning(DISK, what, "Free space, or run `emag-pipeline prune`")
    else:
        yield ok(DISK, what)


def programs(settings: Settings) -> Iterator[Finding]:
    """Is a program of this home's `up` stopped?"""
    stopped = stopped_programs(settings.home)
    for one in stopped:
        yield broken(PROGRAMS, one.said, one.remedy)
    if not stopped:
        yield ok(PROGRAMS, "none that `emag-pipeline up` has started here is stopped")


def memory() -> Iterator[Finding]:
    """Is there memory for another run?"""
    available = psutil.virtual_memory().available
    what = f"{available / _GIB:,.1f} GiB of memory are available"
    if available < _LITTLE_MEMORY_BYTES:
        yield warning(MEMORY, what, "Stop what uses it; a run needs 120 MB, everything together 700 MB")
    else:
        yield ok(MEMORY, what)


def _existing(path: Path) -> Path:
    """The directory, or the nearest one above it that exists."""
    path = path.resolve()
    while not path.exists():
        path = path.parent
    return path
