"""Whom the sandbox answers: callers that name it by a loopback address or one of its own names.

A web page can let a browser call any address of this machine, and a name of the page's own can be made to mean it; what
the browser then sends as `Host` and `Origin` is the page's, not the sandbox's.
"""

from collections.abc import Iterable
from email.message import Message
from ipaddress import ip_address
from urllib.parse import urlsplit


class Hosts:
    """The names that are answered, beside loopback's; compared without case and port."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = {name.strip().lower() for name in names if name.strip()}

    def refusal(self, headers: Message) -> str | None:
        """Why a request is not answered; None where it is. One without `Host`, as no browser sends it, is answered."""
        host = headers.get("Host")
        if host is not None and not self._is_known(f"//{host}"):
            return f"The sandbox does not answer to the host {host!r}; EMAG_SANDBOX_HOSTS names those it answers to"
        origin = headers.get("Origin")
        if origin is not None and not self._is_known(origin):
            return f"The sandbox does not answer pages of {origin!r}"
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
