"""HTTP calls: one persistent connection per thread; every call limited in time and size; all can be aborted.

Credentials are sent to the account's address only: redirects are not followed, `.netrc` is not read. Proxies and CA
bundles from the environment are used (HTTPS_PROXY, NO_PROXY, REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE), since machines in
company networks need them; proxies never for a loopback address.
"""

import base64
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import SplitResult, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3.exceptions import HTTPError, NameResolutionError, ReadTimeoutError

from emag_pipeline.errors import SLOW_TRIES, ApiUnavailable
from emag_pipeline.marketplace.pacing import Pacer, stopped
from emag_pipeline.marketplace.wire import HttpLine, pool_manager_on
from emag_pipeline.settings.accounts import Account

# Time limits of a call.


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Time limits of one call. `total_seconds` covers connecting to the last byte, without the wait for a slot.

    Source of the defaults: docs/marketplace-api.md, "Response times": a page of 100 offers took 156 s on an account.
    """

    connect_seconds: float = 5.0
    read_seconds: float = 60.0
    total_seconds: float = 200.0


# One HTTP attempt: when it was sent, and the response so far.


@dataclass(slots=True)
class Exchange:
    """Filled in by the transport during the attempt, so that a failed one still shows how far it got."""

    sent_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    is_sent: bool = False
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    seconds: float = 0.0
    ended_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    _began: float = field(default_factory=time.monotonic)

    def begin(self) -> None:
        """The request is sent now; the wait for its slot does not count."""
        self.is_sent = True
        self.sent_at = datetime.now(UTC)
        self._began = time.monotonic()

    def end(self) -> None:
        """The response is complete, or the attempt has failed."""
        self.ended_at = datetime.now(UTC)
        self.seconds = time.monotonic() - self._began


# A time limit for one call that is suspended while the call waits for its slot.


class Deadline:
    """Calls `expire` from another thread after `seconds` inside `running`, not counting time inside `paused`."""

    def __init__(self, seconds: float, expire: Callable[[], None]) -> None:
        self._left_seconds = seconds
        self._expire = expire
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._started = 0.0
        self.has_passed = False

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the clock."""
        self._start()
        try:
            yield
        finally:
            self._stop()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Stop the clock; only within `running`."""
        self._stop()
        try:
            yield
        finally:
            self._start()

    def _start(self) -> None:
        self._started = time.monotonic()
        timer = threading.Timer(max(0.0, self._left_seconds), self._ring)
        timer.daemon = True
        self._timer = timer
        timer.start()

    def _stop(self) -> None:
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = None
        self._left_seconds -= time.monotonic() - self._started

    def _ring(self) -> None:
        with self._lock:  # a timer that fires while it is being stopped must not abort the next call
            if self._timer is threading.current_thread():
                self.has_passed = True
                self._expire()


# Errors of calls without a complete response. A retry can help with all of them.
#
# A failure that may be caused by the size of the response (slow or truncated) is retried only once at that size.

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_NETWORK = "It is retried; if it persists, check this machine's network and the marketplace's status"
_NO_WAY = (
    "It is retried; if it persists, nothing listens there or a firewall drops the packets: check the base URL and "
    "this machine's network"
)
#: for a program on this machine that accepts connections but does not respond
_SILENT = (
    "It is retried; if it persists, the sandbox on this machine does not respond: if it was stopped, `kill -CONT` "
    "resumes it; else restart `emag-pipeline up` or `emag-pipeline sandbox`"
)
_NO_WAY_HERE = (
    "It is retried; if it persists, the program on that port was stopped (`kill -CONT` resumes it), or a firewall "
    "drops the packets: check the base URL"
)
_SANDBOX = "The sandbox may not be running: start it with `emag-pipeline sandbox` or `emag-pipeline up`"


def too_slow(total_seconds: float, host: str | None) -> ApiUnavailable:
    """The error of a call that exceeded its total time, even if it was still receiving data."""
    what = f"the response was not complete after {total_seconds:g} s (total timeout)"
    return ApiUnavailable(what, remedy=_if_silent(host), is_late=True, page_tries=SLOW_TRIES)


def in_words(error: Exception, timeouts: Timeouts, address: SplitResult) -> ApiUnavailable:
    """The error for a failed call. The library's own message is dropped: it may show what was sent."""
    host = address.hostname
    causes = tuple(_causes(error))

    def caused_by(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    if caused_by(requests.exceptions.ProxyError):
        return ApiUnavailable("the proxy does not let the call through", remedy="Check HTTPS_PROXY and NO_PROXY")
    if caused_by(requests.exceptions.SSLError):
        return ApiUnavailable(
            f"the TLS connection to {host} failed",
            remedy="Check this machine's clock, and REQUESTS_CA_BUNDLE if a company's proxy is in between",
        )
    if caused_by(NameResolutionError):
        return ApiUnavailable(f"the name {host} cannot be resolved", remedy="Check the base URL and this machine's DNS")
    if caused_by(ConnectionRefusedError):
        remedy = _SANDBOX if host in LOOPBACK else _NETWORK
        return ApiUnavailable(f"{host} refuses connections", remedy=remedy)
    if caused_by(requests.exceptions.ConnectTimeout):  # a machine that is merely slow accepts connections at once
        port = address.port or (443 if address.scheme == "https" else 80)
        what = f"no connection to {host} port {port} within {timeouts.connect_seconds:g} s (connect timeout)"
        return ApiUnavailable(what, remedy=_NO_WAY_HERE if host in LOOPBACK else _NO_WAY)
    if caused_by(requests.exceptions.ReadTimeout, ReadTimeoutError):
        what = f"no data received for {timeouts.read_seconds:g} s (read timeout)"
        return ApiUnavailable(what, remedy=_if_silent(host), is_late=True, page_tries=SLOW_TRIES)
    what = "the connection was lost before the response was complete"
    return ApiUnavailable(what, remedy=_NETWORK, page_tries=SLOW_TRIES)


def _if_silent(host: str | None) -> str:
    return _SILENT if host in LOOPBACK else _NETWORK


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and all errors it wraps: libraries chain them by cause, by argument or by `reason`."""
    pending: list[object] = [error]
    seen: set[int] = set()
    while pending:
        found = pending.pop()
        if isinstance(found, BaseException) and id(found) not in seen:
            seen.add(id(found))
            yield found
            pending += [found.__cause__, found.__context__, getattr(found, "reason", None), *found.args]


LARGEST_ANSWER_BYTES = 64 * 2**20
_CHUNK_BYTES = 65_536


class Transport:
    """Posts JSON for one account. Thread-safe; after `abort` every call raises CallAborted."""

    def __init__(self, account: Account, timeouts: Timeouts, largest_answer_bytes: int = LARGEST_ANSWER_BYTES) -> None:
        self._account = account
        self._timeouts = timeouts
        self._largest_answer_bytes = largest_answer_bytes
        self._own = threading.local()
        self._lock = threading.Lock()
        self._channels: list[_Channel] = []
        self._aborted = threading.Event()

    def post(self, resource: str, body: bytes, exchange: Exchange, pacer: Pacer) -> None:
        """Send a request and fill in the exchange. The pacer decides when the request may be sent.

        Raises CallAborted, and ApiUnavailable without a complete response; errors of the pacer pass through.
        """
        channel = self._channel()
        deadline = Deadline(self._timeouts.total_seconds, channel.line.cut)

        def leave() -> None:
            with deadline.paused():
                pacer.wait_for_slot()
            exchange.begin()

        channel.line.repair()
        channel.line.before_sending = leave
        channel.line.after_sending = pacer.note_sent
        if self._aborted.is_set():  # checked after `repair`: an abort from now on cuts the line again
            raise stopped()
        try:
            with deadline.running():
                self._exchange(channel.session, resource, body, exchange)
        except (requests.RequestException, HTTPError, OSError) as error:
            self._raise_if_cut(deadline)
            raise in_words(error, self._timeouts, self._address) from error
        finally:
            exchange.end()
            channel.line.hang_up()
        self._raise_if_cut(deadline)  # a response without a length seems complete when the line is cut

    def abort(self) -> None:
        """Abort all calls, now and later."""
        self._aborted.set()
        with self._lock:
            for channel in self._channels:
                channel.line.cut()

    def close(self) -> None:
        """Close all connections; no call may be in progress."""
        with self._lock:
            for channel in self._channels:
                channel.session.close()
                channel.line.finish()
                channel.line.hang_up()

    def _exchange(self, session: requests.Session, resource: str, body: bytes, exchange: Exchange) -> None:
        with session.post(
            f"{self._account.base_url}/{resource}",
            data=body,
            headers={"Content-Type": "application/json", "Accept": "application/json"},
            timeout=(self._timeouts.connect_seconds, self._timeouts.read_seconds),
            allow_redirects=False,
            stream=True,
        ) as response:
            exchange.status, exchange.headers = response.status_code, response.headers
            for chunk in response.iter_content(_CHUNK_BYTES):
                exchange.body += chunk
                if len(exchange.body) > self._largest_answer_bytes:
                    raise ApiUnavailable(
                        f"the response is larger than {self._largest_answer_bytes:,} bytes",
                        remedy="A page has about 1 MB: check that the base URL is that of the marketplace",
                    )

    @property
    def _address(self) -> SplitResult:
        return urlsplit(self._account.base_url)

    def _raise_if_cut(self, deadline: Deadline) -> None:
        if self._aborted.is_set():
            raise stopped()
        if deadline.has_passed:
            raise too_slow(self._timeouts.total_seconds, self._address.hostname)

    def _channel(self) -> "_Channel":
        """The calling thread's connection."""
        channel: _Channel | None = getattr(self._own, "channel", None)
        if channel is None:
            channel = self._own.channel = _Channel(self._account)
            with self._lock:
                self._channels.append(channel)
        return channel


class _Channel:
    """A session over its own line."""

    def __init__(self, account: Account) -> None:
        self.line = HttpLine()
        self.session = requests.Session()
        self.session.trust_env = False
        login = f"{account.username}:{account.password.get_secret_value()}".encode()  # requests uses latin-1
        self.session.headers["Authorization"] = f"Basic {base64.b64encode(login).decode()}"
        if urlsplit(account.base_url).hostname not in LOOPBACK:
            self.session.proxies = get_environ_proxies(account.base_url)
        self.session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
        adapter = _LineAdapter(self.line)
        self.session.mount("http://", adapter)
        self.session.mount("https://", adapter)


class _LineAdapter(HTTPAdapter):
    def __init__(self, line: HttpLine) -> None:
        self._line = line
        super().__init__(pool_connections=1, pool_maxsize=1)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        pool_manager_on(self._line, self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        return pool_manager_on(self._line, super().proxy_manager_for(proxy, **kwargs))
