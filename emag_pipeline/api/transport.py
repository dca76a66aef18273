"""Calls over HTTP: one connection a thread, kept; every call bounded in time and size; all of them can be cut off.

Credentials go to the account's address only: redirects are not followed, `.netrc` is not read. Proxies and CA
bundles from the environment are used (HTTPS_PROXY, NO_PROXY, REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE), since that is
how a machine in a company reaches the network; never for a loopback address.
"""

import base64
import os
import threading
from typing import Any
from urllib.parse import SplitResult, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3.exceptions import HTTPError

from emag_pipeline.accounts import Account
from emag_pipeline.api import broken_calls
from emag_pipeline.api.deadline import Deadline
from emag_pipeline.api.exchange import Exchange
from emag_pipeline.api.pacing import Pacer, stopped
from emag_pipeline.api.timeouts import Timeouts
from emag_pipeline.api.wire import Line, pool_manager_on
from emag_pipeline.errors import ApiUnavailable

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
        """Send a request and fill in the exchange. The pacer says when the request may leave.

        Raises ApiUnavailable when no complete answer came, CallAborted; what the pacer raises passes through.
        """
        channel = self._channel()
        deadline = Deadline(self._timeouts.total_seconds, channel.line.cut)

        def leave() -> None:
            with deadline.paused():
                pacer.wait_for_slot()
            exchange.begin()

        channel.line.mend()
        channel.line.before_sending = leave
        channel.line.after_sending = pacer.note_sent
        if self._aborted.is_set():  # after mending: an abort from now on cuts the line again
            raise stopped()
        try:
            with deadline.running():
                self._exchange(channel.session, resource, body, exchange)
        except (requests.RequestException, HTTPError, OSError) as error:
            self._raise_if_cut(deadline)
            raise broken_calls.in_words(error, self._timeouts, self._address) from error
        finally:
            exchange.end()
            channel.line.hang_up()
        self._raise_if_cut(deadline)  # an answer without a length ends where the line was cut

    def abort(self) -> None:
        """Cut off all calls, now and later."""
        self._aborted.set()
        with self._lock:
            for channel in self._channels:
                channel.line.cut()

    def close(self) -> None:
        """Close all connections; calls must be over."""
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
                        f"the answer is larger than {self._largest_answer_bytes:,} bytes",
                        remedy="A page has some 1 MB: check that the base URL leads to the marketplace",
                    )

    @property
    def _address(self) -> SplitResult:
        return urlsplit(self._account.base_url)

    def _raise_if_cut(self, deadline: Deadline) -> None:
        if self._aborted.is_set():
            raise stopped()
        if deadline.has_passed:
            raise broken_calls.too_slow(self._timeouts.total_seconds, self._address.hostname)

    def _channel(self) -> "_Channel":
        """The calling thread's connection."""
        channel: _Channel | None = getattr(self._own, "channel", None)
        if channel is None:
            channel = self._own.channel = _Channel(self._account)
            with self._lock:
                self._channels.append(channel)
        return channel


class _Channel:
    """A session over a line of its own."""

    def __init__(self, account: Account) -> None:
        self.line = Line()
        self.session = requests.Session()
        self.session.trust_env = False
        login = f"{account.username}:{account.password.get_secret_value()}".encode()  # requests would say latin-1
        self.session.headers["Authorization"] = f"Basic {base64.b64encode(login).decode()}"
        if urlsplit(account.base_url).hostname not in broken_calls.LOOPBACK:
            self.session.proxies = get_environ_proxies(account.base_url)
        self.session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
        adapter = _LineAdapter(self.line)
        self.session.mount("http://", adapter)
        self.session.mount("https://", adapter)


class _LineAdapter(HTTPAdapter):
    def __init__(self, line: Line) -> None:
        self._line = line
        super().__init__(pool_connections=1, pool_maxsize=1)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        pool_manager_on(self._line, self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        return pool_manager_on(self._line, super().proxy_manager_for(proxy, **kwargs))
