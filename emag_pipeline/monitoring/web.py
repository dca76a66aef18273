"""A small HTTP server for pages that machines read: GET and HEAD, a few paths, a bounded number of callers."""

import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socket import AF_INET6
from socketserver import TCPServer, ThreadingMixIn
from typing import Any

from emag_pipeline.errors import SettingsError
from emag_pipeline.logs import logger

log = logger(__name__)

#: A caller that says nothing for so long is cut off.
_CALLER_SECONDS = 10.0
#: Prometheus comes once; more than these at once are sent away, so that no crowd can eat the machine.
_MOST_CALLERS = 16
_BUSY = b"HTTP/1.0 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class WebPage:
    """An answer."""

    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    status: int = HTTPStatus.OK


#: Makes a page for a request with this `Accept` header.
Route = Callable[[str], WebPage]


class Server(ThreadingMixIn, TCPServer):
    """Listens at construction, answers from threads once `start` is called."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = _MOST_CALLERS

    def __init__(self, host: str, port: int, variable: str, routes: Mapping[str, Route]) -> None:
        """`routes` by path; `variable` is the setting that gave the port (0: any free one).

        Raises SettingsError when the address cannot be used.
        """
        self.routes = routes
        self._places = threading.BoundedSemaphore(_MOST_CALLERS)
        if ":" in host:
            self.address_family = AF_INET6
        try:
            super().__init__((host, port), _Handler)
        except OSError as error:
            raise SettingsError(
                f"{variable} is {port}, and nothing can listen there",
                where=f"EMAG_SYNC_BIND {host}",
                why=(error.strerror or str(error)).lower(),
                remedy=f"Stop what uses the port, or set {variable} or EMAG_SYNC_BIND to another one",
            ) from error

    @property
    def url(self) -> str:
        """Where the pages are, without a path."""
        host, port = self.server_address[:2]
        return f"http://[{host!s}]:{port}" if self.address_family == AF_INET6 else f"http://{host!s}:{port}"

    def start(self) -> None:
        """Answer from now on, until the process ends."""
        threading.Thread(target=self.serve_forever, name=self.url, daemon=True).start()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give the caller a thread, if there is a place."""
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
            return
        try:
            request.sendall(_BUSY)
        finally:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, then free the place."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that hangs up is nobody's error; anything else is a defect, and costs that answer only."""
        if not isinstance(sys.exception(), OSError):
            log.exception("answer_failed")


class _Handler(BaseHTTPRequestHandler):
    timeout = _CALLER_SECONDS
    server: Server

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _refuse(self) -> None:
        self.send_response(HTTPStatus.METHOD_NOT_ALLOWED)
        self.send_header("Allow", "GET, HEAD")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _refuse

    def _answer(self, *, with_body: bool) -> None:
        route = self.server.routes.get(self.path.split("?")[0])
        page = self._missing() if route is None else route(self.headers.get("Accept", ""))
        self.send_response(page.status)
        self.send_header("Content-Type", page.content_type)
        self.send_header("Content-Length", str(len(page.body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if with_body:
            self.wfile.write(page.body)

    def _missing(self) -> WebPage:
        known = " ".join(self.server.routes)
        return WebPage(f"There is no such page; here are {known}\n".encode(), status=HTTPStatus.NOT_FOUND)

    def version_string(self) -> str:
        return "emag-pipeline"

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: a line for each scrape is noise."""
