"""HTTP for pages that machines read: starlette on uvicorn, with the limits on callers that uvicorn leaves to a proxy.

uvicorn waits for ever for a request (its `timeout_keep_alive` begins with the first answer) and for a caller that reads
nothing, and its `limit_concurrency` refuses whole requests only, not connections. Nothing stands in front of these
ports, so `_Caller` limits connections and both times.
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

#: A caller has so long to send its request, and then so long to receive the whole answer.
_REQUEST_SECONDS = 10.0
_ANSWER_SECONDS = 30.0
#: Prometheus needs one connection; more than these at once are turned away, so that no crowd can exhaust the machine.
_MOST_CALLERS = 16
_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
#: One request per connection: an idle one would only take a place.
_HEADERS = [("Server", "emag-pipeline"), ("Cache-Control", "no-store"), ("Connection", "close")]
#: At the end of the process, for answers that are on their way.
_END_SECONDS = 0.5

#: Makes the answer to a request with this `Accept` header; called in a thread of its own.
Page = Callable[[str], Response]


class Server:
    """Listens at construction, answers once `start` is called."""

    def __init__(self, host: str, port: int, variable: str, pages: Mapping[str, Page]) -> None:
        """`pages` by path; `variable` is the setting that gave the port (0: any free one).

        Raises SettingsError when the address cannot be used.
        """
        self._socket = _listening(host, port, variable)
        is_debugging = logging.getLogger().isEnabledFor(logging.DEBUG)
        config = uvicorn.Config(
            _application(pages), interface="asgi3", lifespan="off", ws="none", http=_Caller, loop="asyncio", workers=1,
            proxy_headers=False, server_header=False, headers=_HEADERS, timeout_keep_alive=1, backlog=_MOST_CALLERS,
            log_config=None, access_log=False,
            # what is wrong with a request is the caller's business
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
        """Where the pages are, without a path."""
        host, port = self.address
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def start(self) -> None:
        """Answer from now on, until `stop` or the end of the process."""
        self._thread.start()

    def stop(self, *, waits: bool = True) -> None:
        """Take no more callers; with `waits`, answers that are on their way have half a second to arrive."""
        self._server.should_exit = True
        if waits:
            self._thread.join(_END_SECONDS)


def _listening(host: str, port: int, variable: str) -> socket.socket:
    """A socket for `::` takes IPv4 callers too, where the system can."""
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
    """One connection: turned away where there are too many, cut off where it takes too long."""

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
    """Closing while the caller still sends would reset the connection, and the answer with it."""
    with suppress(ClientDisconnect):
        async for _ in request.stream():
            pass


def _endpoint(page: Page) -> Callable[[Request], Response]:
    """A plain function: starlette calls it in a thread, so that a slow database delays only its own callers."""

    def answer(request: Request) -> Response:
        try:
            return page(request.headers.get("Accept", ""))
        except Exception:  # a defect; it costs this answer only
            log.exception("answer_failed")
            return PlainTextResponse("The answer failed; the exporter's log says why\n", 500)

    return answer
