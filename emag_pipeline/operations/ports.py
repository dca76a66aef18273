"""Is a port free, and who has it?"""

import socket

import psutil

from emag_pipeline.errors import SettingsError

HOST = "127.0.0.1"


def require_free(port: int, variable: str, purpose: str) -> None:
    """Raise SettingsError naming the variable, and the holder where the system tells, unless the port is free."""
    if _is_free(port):
        return
    raise SettingsError(
        f"{variable} is {port}, and that port is taken",
        why=_holder(port),
        remedy=f"Stop what uses it, or set {variable} to another port for {purpose}",
    )


def answers(port: int) -> bool:
    """Whether something accepts connections there."""
    try:
        with socket.create_connection((HOST, port), timeout=1):
            return True
    except OSError:
        return False


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that fade away do not count
        try:
            probe.bind((HOST, port))
            probe.listen()
        except OSError:
            return False
    return True


def _holder(port: int) -> str:
    """Who listens there; only names, since command lines may hold secrets. Empty where the system keeps it back."""
    try:
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
            if listens and connection.pid is not None:
                return f"process {connection.pid} ({psutil.Process(connection.pid).name()}) listens there"
    except psutil.Error:
        pass
    return ""
