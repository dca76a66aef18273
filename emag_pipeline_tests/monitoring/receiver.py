"""A webhook's other end: a real HTTP server that takes messages, or behaves badly."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal, Self

from pydantic import SecretStr

Behaviour = Literal["takes", "refuses", "hangs", "dribbles", "hangs up", "redirects"]
#: What must appear nowhere.
SECRET = "T0ken-4711"


class Receiver:
    """Listens on a free port; `taken` holds the documents that it has accepted, `asked` counts all calls."""

    def __init__(self, behaviour: Behaviour = "takes") -> None:
        self.behaviour = behaviour
        self.taken: list[dict[str, Any]] = []
        self.asked = 0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.asked += 1
                document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                receiver._answer(self, document)

            def log_message(self, format: str, *args: Any) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._over = threading.Event()

    def _answer(self, call: BaseHTTPRequestHandler, document: dict[str, Any]) -> None:
        match self.behaviour:
            case "takes":
                self.taken.append(document)
                self._send(call, 200)
            case "refuses":
                self._send(call, 500)
            case "redirects":
                self._send(call, 302, Location=self.url.get_secret_value())
            case "hangs":
                self._over.wait(60)
            case "dribbles":
                self._dribble(call)
            case "hangs up":
                call.close_connection = True

    def _send(self, call: BaseHTTPRequestHandler, status: int, **headers: str) -> None:
        call.send_response(status)
        for name, value in {"Content-Length": "0", **headers}.items():
            call.send_header(name, value)
        call.end_headers()

    def _dribble(self, call: BaseHTTPRequestHandler) -> None:
        """A byte of the answer's head now and then, so that no single wait is long."""
        for byte in b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 2000:
            if self._over.is_set():
                return
            call.wfile.write(bytes([byte]))
            call.wfile.flush()
            time.sleep(0.05)

    @property
    def url(self) -> SecretStr:
        return SecretStr(f"http://127.0.0.1:{self._server.server_address[1]}/services/{SECRET}")

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
