"""HTTP connections that another thread can abort, in whatever operation they are blocked.

A read timeout limits the time between two bytes, not the whole call: a server that sends one byte per second could
block its caller for ever. So a duplicate of the socket (below TLS) is kept from before it connects until the call ends;
shutting it down ends connect, handshake, send and receive.
"""

import socket
import threading
from collections.abc import Callable
from typing import Any

from urllib3 import PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError


class HttpLine:
    """One thread's connection. `cut` may be called from any thread, the other methods only from its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._handle: socket.socket | None = None
        self._is_cut = False
        self._is_done = False
        #: called once connected, just before the request is written
        self.before_sending: Callable[[], None] = lambda: None
        #: called when the request has been written to the socket
        self.after_sending: Callable[[], None] = lambda: None

    def connect(self, host: str, port: int, timeout_seconds: float) -> socket.socket:
        """Connect to the first of the host's addresses that accepts. Raises OSError like socket.create_connection."""
        problem = OSError("the host has no address")
        for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            connection = socket.socket(family, kind, protocol)
            try:
                connection.settimeout(timeout_seconds)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._hold(connection.dup())
                connection.connect(address)
                return connection
            except OSError as error:
                connection.close()
                problem = error
        raise problem

    def _hold(self, handle: socket.socket) -> None:
        handle.setblocking(False)  # like the socket itself, which has a timeout
        with self._lock:
            if self._is_cut:
                handle.close()
                raise OSError("the line is cut")
            if self._handle is not None:
                self._handle.close()
            self._handle = handle
            self._is_done = False

    def is_open(self) -> bool:
        """Whether the connection has not been closed by the other side, as far as is known here."""
        try:
            return self._handle is not None and self._handle.recv(1, socket.MSG_PEEK) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False

    def cut(self) -> None:
        """End the operation that the line's thread is blocked in; no connection is possible until `repair`."""
        with self._lock:
            self._is_cut = True
            if self._handle is not None:
                try:
                    self._handle.shutdown(socket.SHUT_RDWR)
                except OSError:
                    return  # no longer connected

    def repair(self) -> None:
        """Allow connections again."""
        with self._lock:
            self._is_cut = False

    def finish(self) -> None:
        """The connection is closed, though a response may still be read from it."""
        self._is_done = True

    def hang_up(self) -> None:
        """The call has ended: release the duplicate if the connection is closed."""
        with self._lock:
            if self._is_done and self._handle is not None:
                self._handle.close()
                self._handle = None


class _Http(HTTPConnection):
    line: HttpLine

    def _new_conn(self) -> socket.socket:
        try:
            return self.line.connect(self._dns_host.strip("[]"), self.port, float(self.timeout or 0.0))
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(self, "timed out") from error
        except OSError as error:
            raise NewConnectionError(self, str(error)) from error

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Connect before waiting for the slot, so that connecting does not delay the call."""
        for _ in range(2):
            if not self._tunnel_host and (self.sock is None or not self.line.is_open()):
                self.close()
                self.connect()
            self.line.before_sending()
            if self.line.is_open():
                break  # else it was closed during the wait: reconnect and take a new slot
        super().request(*args, **kwargs)
        self.line.after_sending()

    def close(self) -> None:
        """Close, and mark the line as finished."""
        super().close()
        self.line.finish()


class _Https(_Http, HTTPSConnection):
    pass


def pool_manager_on(line: HttpLine, manager: PoolManager) -> PoolManager:
    """Make the manager's connections use the line."""
    http = type("LineHttp", (_Http,), {"line": line})
    https = type("LineHttps", (_Https,), {"line": line})
    manager.pool_classes_by_scheme = {
        "http": type("LinePool", (HTTPConnectionPool,), {"ConnectionCls": http}),
        "https": type("LineTlsPool", (HTTPSConnectionPool,), {"ConnectionCls": https}),
    }
    return manager
