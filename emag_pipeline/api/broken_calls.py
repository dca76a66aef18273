"""Calls without a complete answer, in words. Whatever it was, a rerun can help.

What may be due to the size of the answer (slow, or cut off) is worth one more try at that size, no more.
"""

from collections.abc import Iterator
from urllib.parse import SplitResult

import requests
from urllib3.exceptions import NameResolutionError, ReadTimeoutError

from emag_pipeline.api.timeouts import Timeouts
from emag_pipeline.errors import SLOW_TRIES, ApiUnavailable

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_NETWORK = "It is tried again; if it persists, look at this machine's network and at the marketplace's status"
_NO_WAY = (
    "It is tried again; if it persists, nothing listens there or a firewall drops the packets: check the base URL and "
    "this machine's network"
)
#: of what listens on this machine, and says nothing
_SILENT = (
    "It is tried again; if it persists, the sandbox on this machine does not answer: if it was stopped, `kill -CONT` "
    "lets it go on; else restart `emag-pipeline up` or `emag-pipeline sandbox`"
)
_NO_WAY_HERE = (
    "It is tried again; if it persists, what listens there was stopped (`kill -CONT` lets it go on), or a firewall "
    "drops the packets: check the base URL"
)
_SANDBOX = "The sandbox may not be running: start it with `emag-pipeline sandbox` or `emag-pipeline up`"


def too_slow(total_seconds: float, host: str | None) -> ApiUnavailable:
    """The call's whole time is over, though bytes may still have come."""
    what = f"the response was not complete after {total_seconds:g} s (total timeout)"
    return ApiUnavailable(what, remedy=_if_silent(host), is_late=True, page_tries=SLOW_TRIES)


def in_words(error: Exception, timeouts: Timeouts, address: SplitResult) -> ApiUnavailable:
    """The error for a broken call. Nothing of the library's own text is kept: it may show what was sent."""
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
    if caused_by(requests.exceptions.ConnectTimeout):  # a machine that is only slow takes the connection at once
        port = address.port or (443 if address.scheme == "https" else 80)
        what = f"no connection to {host} port {port} within {timeouts.connect_seconds:g} s (connect timeout)"
        return ApiUnavailable(what, remedy=_NO_WAY_HERE if host in LOOPBACK else _NO_WAY)
    if caused_by(requests.exceptions.ReadTimeout, ReadTimeoutError):
        what = f"no data received for {timeouts.read_seconds:g} s (read timeout)"
        return ApiUnavailable(what, remedy=_if_silent(host), is_late=True, page_tries=SLOW_TRIES)
    what = "the connection broke off before the answer was complete"
    return ApiUnavailable(what, remedy=_NETWORK, page_tries=SLOW_TRIES)


def _if_silent(host: str | None) -> str:
    return _SILENT if host in LOOPBACK else _NETWORK


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and everything that it was made of: libraries chain by cause, by argument or by `reason`."""
    pending: list[object] = [error]
    seen: set[int] = set()
    while pending:
        found = pending.pop()
        if isinstance(found, BaseException) and id(found) not in seen:
            seen.add(id(found))
            yield found
            pending += [found.__cause__, found.__context__, getattr(found, "reason", None), *found.args]
