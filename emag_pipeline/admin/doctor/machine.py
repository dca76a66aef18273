"""This machine: disk space, memory, ports, and programs of ours that are stopped by a signal."""

import http.client
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from emag_pipeline.admin.doctor.finding import Finding, broken, not_examined, ok, warning
from emag_pipeline.local import ports
from emag_pipeline.running_up import left_behind, stopped_programs
from emag_pipeline.settings import Settings

DISK = "disk"
MEMORY = "memory"
PROGRAMS = "programs"
PORTS = "ports"

_GIB = 2**30
#: PostgreSQL stops when its disk is full; logs and a publish need at least some hundred megabytes.
_NO_ROOM_BYTES = 500 * 2**20
_LITTLE_ROOM_BYTES = 3 * _GIB
_LITTLE_SHARE = 0.05
#: A run needs some 120 MB, all of `up` some 700.
_LITTLE_MEMORY_BYTES = 500 * 2**20


def disk(settings: Settings) -> Iterator[Finding]:
    """Is there free space for logs, Dagster's files and an embedded database?"""
    home = _existing(settings.home)
    usage = shutil.disk_usage(home)
    holds = "logs and the embedded database" if settings.uses_embedded_database else "logs"
    what = f"{usage.free / _GIB:,.1f} of {usage.total / _GIB:,.1f} GiB free on the disk of {home} ({holds})"
    if usage.free < _NO_ROOM_BYTES:
        yield broken(DISK, what, f"Free some space now: check {home / 'logs'}, or move EMAG_HOME to a larger disk")
    elif usage.free < _LITTLE_ROOM_BYTES or usage.free < usage.total * _LITTLE_SHARE:
        yield warning(DISK, what, "Free some space, or run `emag-pipeline prune`")
    else:
        yield ok(DISK, what)


def programs(settings: Settings) -> Iterator[Finding]:
    """Is a program of this home's `up` stopped by a signal, or was `up` itself killed?"""
    left = left_behind(settings.home)
    if left is not None:
        yield broken(PROGRAMS, left.said, left.remedy)
    stopped = stopped_programs(settings.home)
    for one in stopped:
        yield broken(PROGRAMS, one.said, one.remedy)
    if not stopped and left is None:
        yield ok(PROGRAMS, "no program of `emag-pipeline up` is stopped by a signal")


def memory() -> Iterator[Finding]:
    """Is there enough memory for another run?"""
    available = psutil.virtual_memory().available
    what = f"{available / _GIB:,.1f} GiB of memory available"
    if available < _LITTLE_MEMORY_BYTES:
        yield warning(MEMORY, what, "Stop other programs that use it; a run needs 120 MB, all of `up` 700 MB")
    else:
        yield ok(MEMORY, what)


def _existing(path: Path) -> Path:
    """The directory, or the nearest one above it that exists."""
    path = path.resolve()
    while not path.exists():
        path = path.parent
    return path


# Ports: free, ours, or used by another program.

_TIMEOUT_SECONDS = 4.0
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where to look, not where to listen


@dataclass(frozen=True, slots=True)
class Listener:
    """One of our programs, and a page that identifies it by a text that no other program returns."""

    name: str
    variable: str
    host: str
    port: int
    page: str
    mark: str
    #: the home that it should belong to; None for any
    home: Path | None = None


def examine(one: Listener) -> Iterator[Finding]:
    """Who listens on the port that one of our programs wants."""
    answer = _answer(one)
    if answer is None:
        yield ok(PORTS, f"port {one.port} is free: {one.name} is not running")
    elif one.mark.encode() in answer:
        yield _answers(one, ports.holder(one.port))
    else:
        yield _wrong(one, ports.holder(one.port), is_silent=not answer)


def _answers(one: Listener, holder: ports.Holder | None) -> Finding:
    what = f"port {one.port}: {one.name} answers"
    if one.home is None or holder is None or holder.home in (None, one.home.resolve()):
        return ok(PORTS, what)
    remedy = f"To use that one, set EMAG_HOME to {holder.home}; otherwise set {one.variable} to another port"
    return warning(PORTS, f"{what}, but it belongs to the `up` in EMAG_HOME {holder.home}", remedy)


def _wrong(one: Listener, holder: ports.Holder | None, *, is_silent: bool) -> Finding:
    """What is there instead. A program of ours that is silent, or an unknown one, may just be busy."""
    or_else = f"set {one.variable} to another port"
    if holder is not None and holder.is_stopped:
        return broken(PORTS, f"port {one.port}: {holder.words}", f"{holder.how_to_resume}; or {or_else}")
    if is_silent and (holder is None or holder.program):
        who = holder.words if holder else "the process that listens there is unknown"
        what = f"port {one.port}: no answer from {one.name} within {_TIMEOUT_SECONDS:g} seconds; {who}"
        return not_examined(PORTS, what, f"end that process, or {or_else}")
    how = "does not answer" if is_silent else "is a different one"
    who = f" ({holder.words})" if holder else ""
    what = f"port {one.port} is in use: the program there, where {one.name} should be, {how}{who}"
    return broken(PORTS, what, f"Stop that program, or {or_else}")


def listeners(settings: Settings) -> Iterator[Listener]:
    """The ports that `up` or a service listens on."""
    bind = _ANYWHERE.get(settings.bind, settings.bind)
    home = settings.home
    yield Listener(
        "Dagster's UI", "EMAG_UI_PORT", ports.HOST, settings.ui_port, "/server_info", "dagster_webserver", home
    )
    yield Listener("/metrics", "EMAG_SYNC_METRICS_PORT", bind, settings.metrics_port, "/metrics", "emag_sync_", home)
    yield Listener("/health", "EMAG_SYNC_HEALTH_PORT", bind, settings.health_port, "/health", '"accounts"', home)
    if settings.starts_sandbox:
        yield Listener(
            "the sandbox",
            "EMAG_SANDBOX_PORT",
            settings.sandbox_host,
            settings.sandbox_port,
            "/api-3/product_offer/count",
            "isError",
            home,
        )


def _answer(one: Listener) -> bytes | None:
    """Its response; empty if it hangs or does not speak HTTP, None if nothing listens."""
    connection = http.client.HTTPConnection(one.host, one.port, timeout=_TIMEOUT_SECONDS)
    try:
        connection.connect()
    except TimeoutError:  # something listens but accepts no more connections
        return b""
    except OSError:
        return None
    try:
        connection.request("GET", one.page)
        return connection.getresponse().read(2**20)
    except (OSError, http.client.HTTPException):
        return b""
    finally:
        connection.close()
