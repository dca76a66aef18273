"""Hosts, ports and web addresses of settings, judged strictly before anything takes them apart.

A password with `@ : / ? # [ ]` that is not percent-encoded moves the borders of a URL: its pieces come to stand where
host, port and path are, and those are shown. So what is not unmistakable is refused.
"""

import re
from ipaddress import AddressValueError, IPv6Address
from urllib.parse import urlsplit

_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_.])?")
_PORT = re.compile(r"[0-9]{1,5}")
_AUTHORITY = re.compile(r"(?P<host>[^\[\]:]*|\[[^\[\]]*\])(?::(?P<port>[^:]*))?")
_VISIBLE = re.compile(r"[!-~]+")


def is_host(text: str) -> bool:
    """Whether it can be a host's name or IPv4 address, or an IPv6 address in brackets."""
    if text.startswith("[") and text.endswith("]"):
        return _is_ipv6(text[1:-1])
    return _HOST.fullmatch(text) is not None


def is_bind(text: str) -> bool:
    """Whether a program can listen there: a host's name, or an address without brackets."""
    return _HOST.fullmatch(text) is not None or _is_ipv6(text)


def is_port(text: str) -> bool:
    """Whether it is the number of a port, from 1 to 65535."""
    return _PORT.fullmatch(text) is not None and 1 <= int(text) <= 65535


def is_place(text: str) -> bool:
    """Whether it is a host, with or without a port."""
    found = _AUTHORITY.fullmatch(text)
    return found is not None and is_host(found["host"]) and (found["port"] is None or is_port(found["port"]))


def is_web(url: str) -> bool:
    """Whether it is an http or https address, without user, in which nothing is left to guess. It may be relied upon
    by `urlsplit`, which raises ValueError for others.
    """
    if not _VISIBLE.fullmatch(url) or not re.match(r"(?i)https?://", url):
        return False
    authority = re.split(r"[/?#]", url.partition("://")[2], maxsplit=1)[0]
    if ":" in authority and "@" in url:  # user:12345/67@host: the port may be the beginning of a password
        return False
    return is_place(authority) and bool(urlsplit(url).hostname)


def _is_ipv6(text: str) -> bool:
    try:
        return IPv6Address(text).scope_id is None
    except AddressValueError:
        return False
