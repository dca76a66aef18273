"""HTTP connections: one thread each, kept alive, every request stamped with the arrival of its first byte."""

import socket
import sys
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from threading import Event, Lock
from typing import Any

from emag_pipeline.sandbox import delivery
from emag_pipeline.sandbox.answers import Answer, plain
from emag_pipeline.sandbox.calls import Call
from emag_pipeline.sandbox.faults import Fault
from emag_pipeline.sandbox.gateway import Gateway
from emag_pipeline.sandbox.hosts import Hosts

CONTROL_PATH = "/_control/"
ControlAnswer = Callable[[str, bytes], Answer]


class Listener(ThreadingMixIn, TCPServer):
    """The listening socket, and all open connections so that they can be ended at once."""

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
        """Accept a caller and remember the connection."""
        connection, address = super().get_request()
        with self._lock:
            self._open.add(connection)
        return connection, address

    def close_request(self, request: Any) -> None:
        """Forget a connection that is over."""
        with self._lock:
            self._open.discard(request)
        super().close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that goes away in the middle is no event; anything else is a fault of the sandbox."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def end_connections(self) -> None:
        """Wake every thread that reads from or waits on a connection."""
        with self._lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # it ended by itself


class Connection(BaseHTTPRequestHandler):
    """One caller's connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Listener
    connection: socket.socket

    def handle_one_request(self) -> None:
        """Wait for a request's first byte, note the time, then read and answer it."""
        try:
            if not self.rfile.peek(1):  # type: ignore[attr-defined]  # it is a BufferedReader
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
            self.server.gateway.leave(visit)  # before the caller can know: its next request is not "at once" with this
            self._send(visit.answer, visit.headers)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

    def _send(self, answer: Answer, headers: dict[str, str]) -> None:
        promised = answer.headers.get("Content-Length")
        if promised is not None and int(promised) != len(answer.body):
            self.close_connection = True
        head = delivery.head(answer, headers, keep_alive=not self.close_connection)
        self.connection.sendall(head + answer.body)

    def _send_badly(self, fault: Fault, answer: Answer | None, headers: dict[str, str]) -> None:
        self.close_connection = True
        if fault.kind == "hang":
            delivery.hang(self.connection, fault.options["seconds"])
        elif answer is None:
            delivery.reset(self.connection, b"")
        else:
            head = delivery.head(answer, headers, keep_alive=False)
            if fault.kind == "reset":
                delivery.reset(self.connection, head + answer.body[: fault.options["after_bytes"]])
            else:
                delivery.dribble(self.connection, head, answer.body, fault, self.server.stopping)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are counted in the statistics, not printed."""
