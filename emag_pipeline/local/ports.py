"""Checks whether a port is free, and which process uses it."""

import errno
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from emag_pipeline.errors import SettingsError
from emag_pipeline.processes import is_stopped
from emag_pipeline.running_up import home_of
from emag_pipeline.settings import Settings

HOST = "127.0.0.1"

#: Command lines of our listening programs (commands of `emag-pipeline`, or modules and scripts), and their names.
_PROGRAMS = (
    ("sandbox", {"emag_pipeline.sandbox"}, "the sandbox"),
    ("exporter", set[str](), "the exporter"),
    ("", {"dagster_webserver", "dagster-webserver"}, "Dagster's webserver"),
)


def require_free(port: int, variable: str, purpose: str, host: str = HOST) -> None:
    """Raise SettingsError with the variable, and the holder if it is known, unless the port is free."""
    if _is_free(port, host):
        return
    raise _taken(port, variable, purpose, holder(port))


def require_not_stopped(port: int, variable: str, purpose: str) -> None:
    """Raise SettingsError if the port belongs to a stopped process (SIGSTOP), which does not respond."""
    who = holder(port)
    if who is not None and who.is_stopped:
        raise _taken(port, variable, purpose, who)


def _taken(port: int, variable: str, purpose: str, who: "Holder | None") -> SettingsError:
    what, or_else = f"{variable} is {port}, and that port is taken", f"set {variable} to another port for {purpose}"
    return taken(what, or_else, who)


def taken(what: str, or_else: str, who: "Holder | None") -> SettingsError:
    """The error of a port in use: `what` describes it, `or_else` is the remedy if its holder is to keep it."""
    stop = who.how_to_resume if who and who.is_stopped else "Stop what uses it"
    if who and who.home and not who.is_stopped:
        stop = f"If that one is meant, set EMAG_HOME to {who.home}; else stop it"
    return SettingsError(what, why=who.words if who else "", remedy=f"{stop}, or {or_else}")


def answers(port: int, host: str = HOST) -> bool:
    """Whether something accepts connections on the port."""
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def answers_on(path: Path) -> bool:
    """Whether something accepts connections on a Unix socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def _is_free(port: int, host: str) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections in TIME_WAIT do not count
        try:
            probe.bind((host, port))
            probe.listen()
        except OSError as error:  # an address of another machine proves nothing about the port
            return error.errno not in (errno.EADDRINUSE, errno.EACCES)
    return True


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that listens on a port. `program` is its name if it is one of ours, else empty.

    `home` is the home of this user's `up` that started it, if any. `is_stopped`: by SIGSTOP, Ctrl-Z or a debugger; it
    holds the port and does nothing until it is continued.
    """

    pid: int
    name: str
    program: str
    is_stopped: bool
    home: Path | None = None

    @property
    def words(self) -> str:
        """A description of the process; only names, since command lines may contain secrets."""
        of_home = f" of the `up` in EMAG_HOME {self.home}" if self.home else ""
        who = f"{self.program} (process {self.pid}{of_home})" if self.program else f"process {self.pid} ({self.name})"
        return f"{who} listens there" + (" and is suspended (SIGSTOP): it does not respond" if self.is_stopped else "")

    @property
    def how_to_resume(self) -> str:
        """How to continue or end a stopped process."""
        return f"`kill -CONT {self.pid}` resumes it, `kill -KILL {self.pid}` ends it"


def holder(port: int) -> Holder | None:
    """The process that listens on the port; None if there is none, or it cannot be determined."""
    try:
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
            if listens and connection.pid is not None:
                return _holder(psutil.Process(connection.pid))
    except psutil.Error:
        pass
    return None


def stopped_sandbox(settings: Settings) -> Holder | None:
    """The stopped process on the sandbox's port, if this machine's sandbox is in use."""
    who = holder(settings.sandbox_port) if settings.starts_sandbox else None
    return who if who is not None and who.is_stopped else None


def _holder(process: psutil.Process) -> Holder:
    return Holder(process.pid, process.name(), _program(process.cmdline()), is_stopped(process), home_of(process))


def _program(arguments: Sequence[str]) -> str:
    """Which of our programs this command line starts; empty for none."""
    words = {argument.rsplit("/", 1)[-1] for argument in arguments}
    is_command = not words.isdisjoint({"emag-pipeline", "emag_pipeline"})
    for command, modules, program in _PROGRAMS:
        if not words.isdisjoint(modules) or (is_command and command in words):
            return program
    return ""
