"""Is a port free, and who has it?"""

import errno
import socket
from pathlib import Path

import psutil

from emag_pipeline.errors import SettingsError

HOST = "127.0.0.1"


def require_free(port: int, variable: str, purpose: str, host: str = HOST) -> None:
    """Raise SettingsError naming the variable, and the holder where the system tells, unless the port is free."""
    if _is_free(port, host):
        return
    raise SettingsError(
        f"{variable} is {port}, and that port is taken",
        why=holder(port),
        remedy=f"Stop what uses it, or set {variable} to another port for {purpose}",
    )


def answers(port: int, host: str = HOST) -> bool:
    """Whether something accepts connections there."""
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
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that fade away do not count
        try:
            probe.bind((host, port))
            probe.listen()
        except OSError as error:  # an address that is not this machine's says nothing about the port
            return error.errno not in (errno.EADDRINUSE, errno.EACCES)
    return True


def holder(port: int) -> str:
    """Who listens there; only names, since command lines may hold secrets. Empty where the system keeps it back."""
    try:
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
            if listens and connection.pid is not None:
                return f"process {connection.pid} ({psutil.Process(connection.pid).name()}) listens there"
    except psutil.Error:
        pass
    return ""
