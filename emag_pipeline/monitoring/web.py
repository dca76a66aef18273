"""HTTP for machine-readable pages: starlette on uvicorn, with limits on clients that uvicorn leaves to a proxy.

uvicorn has no time limit for a request to arrive (its `timeout_keep_alive` starts with the first response) or for a
client to read the response, and its `limit_concurrency` refuses requests only, not connections. There is no proxy in
front of these ports, so `_Caller` limits connections and both times.
"""

import asyncio
import logging
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from emag_pipeline.errors import SettingsError
from emag_pipeline.logs import logger

log = logger(__name__)

#: Time for a client to send its request, and then to receive the whole response.
_REQUEST_SECONDS = 10.0
_ANSWER_SECONDS = 30.0
#: Prometheus needs one connection; more than this many at once are refused, to protect the machine.
_MOST_CALLERS = 16
_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
#: One request per connection: idle connections would count towards the limit.
_HEADERS = [("Server", "emag-pipeline"), ("Cache-Control", "no-store"), ("Connection", "close")]
#: Time at the end of the process for responses that are being sent.
_END_SECONDS = 0.5

#: Produces the response to a request with this `Accept` header; called in its own thread.
Page = Callable[[str], Response]


class Server:
    """Listens once constructed, responds once `start` is called."""

    def __init__(self, host: str, port: int, variable: str, pages: Mapping[str, Page]) -> None:
        """`pages` by path; `variable` is the setting that gave the port (0: any free one).

        Raises SettingsError if the address cannot be used.
        """
        self._socket = _listening(host, port, variable)
        is_debugging = logging.getLogger().isEnabledFor(logging.DEBUG)
        config = uvicorn.Config(
            _application(pages), interface="asgi3", lifespan="off", ws="none", http=_Caller, loop="asyncio", workers=1,
            proxy_headers=False, server_header=False, headers=_HEADERS, timeout_keep_alive=1, backlog=_MOST_CALLERS,
            log_config=None, access_log=False,
            # invalid requests are not logged: they are the client's problem
            log_level=logging.NOTSET if is_debugging else logging.ERROR,
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name=self.url, daemon=True
        )

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        host, port = self._socket.getsockname()[:2]
        return host, port

    @property
    def url(self) -> str:
        """The base URL of the pages."""
        host, port = self.address
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def start(self) -> None:
        """Respond until `stop` or the end of the process."""
        self._thread.start()

    def stop(self, *, waits: bool = True) -> None:
        """Stop accepting connections; with `waits`, responses being sent get half a second to finish."""
        self._server.should_exit = True
        if waits:
            self._thread.join(_END_SECONDS)


def _listening(host: str, port: int, variable: str) -> socket.socket:
    """A socket for `::` accepts IPv4 too, if the system supports it."""
    is_ipv6 = ":" in host
    try:
        return socket.create_server(
            (host, port),
            family=socket.AF_INET6 if is_ipv6 else socket.AF_INET,
            backlog=_MOST_CALLERS,
            dualstack_ipv6=is_ipv6 and socket.has_dualstack_ipv6(),
        )
    except OSError as error:
        raise SettingsError(
            f"{variable} is {port}, and nothing can listen there",
            where=f"EMAG_SYNC_BIND {host}",
            why=(error.strerror or str(error)).lower(),
            remedy=f"Stop what uses the port, or set {variable} or EMAG_SYNC_BIND to another one",
        ) from error


class _Caller(H11Protocol):
    """One connection: refused if there are too many, closed if it takes too long."""

    _deadline: asyncio.TimerHandle | None = None
    _has_asked = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > _MOST_CALLERS:
            transport.write(_BUSY)
            transport.close()
        else:
            self._allow(_REQUEST_SECONDS)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self._has_asked and self.cycle is not None and not self.cycle.more_body:
            self._has_asked = True
            self._allow(_ANSWER_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        super().connection_lost(exc)

    def _allow(self, seconds: float) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(seconds, self.transport.abort)


def _application(pages: Mapping[str, Page]) -> Starlette:
    async def missing(request: Request, _: Exception) -> Response:
        await _read_away(request)
        known = " ".join(pages)
        return PlainTextResponse(f"There is no such page; the pages are {known}\n", HTTPStatus.NOT_FOUND)

    async def refused(request: Request, _: Exception) -> Response:
        await _read_away(request)
        return Response(status_code=HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "GET, HEAD"})

    application = Starlette(
        routes=[Route(path, _endpoint(page)) for path, page in pages.items()],
        exception_handlers={HTTPStatus.NOT_FOUND: missing, HTTPStatus.METHOD_NOT_ALLOWED: refused},
    )
    application.router.redirect_slashes = False
    return application


async def _read_away(request: Request) -> None:
    """Read the rest of the request: closing earlier would reset the connection and lose the response."""
    with suppress(ClientDisconnect):
        async for _ in request.stream():
            pass


def _endpoint(page: Page) -> Callable[[Request], Response]:
    """The page as a plain function, which starlette calls in a thread: a slow database delays only this request."""

    def answer(request: Request) -> Response:
        try:
            return page(request.headers.get("Accept", ""))
        except Exception:  # a bug; only this response fails
            log.exception("answer_failed")
            return PlainTextResponse("The response failed; the exporter's log says why\n", 500)

    return answer
