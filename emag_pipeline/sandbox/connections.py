"""HTTP connections of the sandbox: allowed hosts, reading requests, and sending responses with or without faults."""

import os
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_address
from socketserver import TCPServer, ThreadingMixIn
from threading import Event, Lock
from typing import Any
from urllib.parse import urlsplit

from emag_pipeline.sandbox.answers import Answer, plain
from emag_pipeline.sandbox.calls import Call
from emag_pipeline.sandbox.faults import Fault
from emag_pipeline.sandbox.gateway import Gateway

# Allowed hosts: a request must name the sandbox by a loopback address or a configured name.
#
# This prevents DNS rebinding: a web page can make a browser call this machine, also under the page's own host name, but
# `Host` and `Origin` then hold the page's name.


class Hosts:
    """The allowed host names, in addition to loopback; compared without case and port."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = {name.strip().lower() for name in names if name.strip()}

    def refusal(self, headers: Message) -> str | None:
        """Why a request is refused; None if it is allowed. Without `Host` it is allowed: browsers always send one."""
        host = headers.get("Host")
        if host is not None and not self._is_known(f"//{host}"):
            return f"The sandbox refuses requests for the host {host!r}; add it to EMAG_SANDBOX_HOSTS to allow it"
        origin = headers.get("Origin")
        if origin is not None and not self._is_known(origin):
            return f"The sandbox refuses requests from web pages of {origin!r}"
        return None

    def _is_known(self, address: str) -> bool:
        try:
            name = (urlsplit(address).hostname or "").lower()
        except ValueError:
            return False
        return name == "localhost" or name in self._names or _is_loopback(name)


def _is_loopback(name: str) -> bool:
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


# Sending a response: complete, one byte at a time, cut off by a reset, or never.

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


def head_of(answer: Answer, headers: Mapping[str, str], *, keep_alive: bool) -> bytes:
    """The status line and headers."""
    fields = {
        "Content-Type": answer.content_type,
        "Content-Length": str(len(answer.body)),
        "Connection": "keep-alive" if keep_alive else "close",
        **headers,
        **answer.headers,
    }
    lines = [
        f"HTTP/1.1 {answer.status} {_phrase(answer.status)}",
        *(f"{name}: {value}" for name, value in fields.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def hang(connection: socket.socket, seconds: float | None) -> None:
    """Send nothing until the caller disconnects, the time is over, or the server stops."""
    connection.settimeout(seconds)
    try:
        while connection.recv(4096):
            pass
    except OSError:
        pass  # the time is over, or the caller has disconnected


def reset(connection: socket.socket, sent_before: bytes) -> None:
    """Close with RST instead of FIN, after some bytes of the response."""
    if sent_before:
        connection.sendall(sent_before)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    os.close(connection.detach())


def dribble(connection: socket.socket, head_bytes: bytes, body: bytes, fault: Fault, stopping: Event) -> None:
    """Send one byte per interval, from the first header or from the first byte of the body on."""
    if fault.options["part"] == "body":
        connection.sendall(head_bytes)
        slow_part = body
    else:
        slow_part = head_bytes + body
    for place in range(len(slow_part)):
        if stopping.wait(fault.options["seconds"]):
            return
        connection.sendall(slow_part[place : place + 1])


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


# HTTP connections: one thread each, kept alive; a request's time is the arrival of its first byte.

CONTROL_PATH = "/_control/"
ControlAnswer = Callable[[str, bytes], Answer]


class Listener(ThreadingMixIn, TCPServer):
    """The listening socket, and all open connections, so that they can be closed at once."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(
        self, address: tuple[str, int], gateway: Gateway, control: ControlAnswer, stopping: Event, hosts: Hosts
    ) -> None:
        self.gateway = gateway
        self.control = control
        self.stopping = stopping
        self.hosts = hosts
        self._open: set[socket.socket] = set()
        self._lock = Lock()
        super().__init__(address, Connection)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection and track it."""
        connection, address = super().get_request()
        with self._lock:
            self._open.add(connection)
        return connection, address

    def close_request(self, request: Any) -> None:
        """Stop tracking a closed connection."""
        with self._lock:
            self._open.discard(request)
        super().close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore callers that disconnect; report any other error, which is a bug of the sandbox."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def end_connections(self) -> None:
        """Wake every thread that reads from or waits on a connection."""
        with self._lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # already closed


class Connection(BaseHTTPRequestHandler):
    """One caller's connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Listener
    connection: socket.socket

    def handle_one_request(self) -> None:
        """Wait for a request's first byte, note the time, then read and answer it."""
        try:
            if not self.rfile.peek(1):  # type: ignore[attr-defined]  # a BufferedReader
                self.close_connection = True
                return
        except OSError:
            self.close_connection = True
            return
        self._arrived = time.monotonic()
        super().handle_one_request()

    def _serve(self) -> None:
        length = self.headers.get("Content-Length") or "0"
        if not (length.isascii() and length.isdigit()):
            self.send_error(400, "The header Content-Length must be a number of bytes")
            return
        body = self.rfile.read(int(length))
        refusal = self.server.hosts.refusal(self.headers)
        if refusal is not None:
            self._send(plain(421, {"error": refusal}), {})
            return
        if self.path.startswith(CONTROL_PATH):
            self._send(self.server.control(self.path, body), {})
            return
        peer = str(self.client_address[0])
        call = Call.of(self._arrived, self.command, self.path, self.headers, body, peer)
        visit = self.server.gateway.receive(call)
        if visit.connection_fault is not None:
            try:
                self._send_badly(visit.connection_fault, visit.answer, visit.headers)
            finally:
                self.server.gateway.leave(visit)
        elif visit.answer is not None:
            self.server.gateway.leave(visit)  # before sending: else the caller's next request could count as concurrent
            self._send(visit.answer, visit.headers)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

    def _send(self, answer: Answer, headers: dict[str, str]) -> None:
        promised = answer.headers.get("Content-Length")
        if promised is not None and int(promised) != len(answer.body):
            self.close_connection = True
        head = head_of(answer, headers, keep_alive=not self.close_connection)
        self.connection.sendall(head + answer.body)

    def _send_badly(self, fault: Fault, answer: Answer | None, headers: dict[str, str]) -> None:
        self.close_connection = True
        if fault.kind == "hang":
            hang(self.connection, fault.options["seconds"])
        elif answer is None:
            reset(self.connection, b"")
        else:
            head = head_of(answer, headers, keep_alive=False)
            if fault.kind == "reset":
                reset(self.connection, head + answer.body[: fault.options["after_bytes"]])
            else:
                dribble(self.connection, head, answer.body, fault, self.server.stopping)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are counted in the statistics, not printed."""
