"""Values as people write them: hosts, ports and web addresses, and what is wrong with a value in words."""

import re
from collections.abc import Mapping
from datetime import date
from ipaddress import AddressValueError, IPv6Address
from typing import Any, Literal, get_args, get_origin
from urllib.parse import urlsplit

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from emag_pipeline.errors import SettingsError
from emag_pipeline.wording import shortened

# Hosts, ports and web addresses of settings, judged strictly before anything takes them apart.
#
# A password with `@ : / ? # [ ]` that is not percent-encoded moves the borders of a URL: its pieces come to stand where
# host, port and path are, and those are shown. So what is not unmistakable is refused.

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


# What is wrong with a value and what would be right, in words, from what a field of the settings demands.

_EXAMPLES = {
    "EMAG_LANGUAGE": "en",
    "EMAG_LOG_FORMAT": "json",
    "EMAG_HOME": "/srv/emag",
    "EMAG_ALERT_WEBHOOK_URL": "https://hooks.example.com/services/T0/B0/key",
}
_SECRET = {"EMAG_ALERT_WEBHOOK_URL"}


def wrong_value(problem: Mapping[str, Any], fields: Mapping[str, FieldInfo], given: Mapping[str, str]) -> SettingsError:
    """The error for one thing that the model's validation found: variable, value, what is allowed, an example."""
    variable = str(problem["loc"][0])
    info = next((one for one in fields.values() if one.alias == variable), None)
    shown = "***" if variable in _SECRET else shortened(given.get(variable, ""))
    said = str(problem["msg"])
    needed = said.removeprefix("Value error, ") if problem["type"] == "value_error" or info is None else _needed(info)
    example = _example(variable, info)
    remedy = f"Set it like {variable}={example}" if example else ".env.example explains it"
    return SettingsError(f"{variable} is {shown}", why=needed, remedy=remedy)


def _needed(info: FieldInfo) -> str:
    kinds = get_args(info.annotation) if get_origin(info.annotation) not in (None, Literal) else (info.annotation,)
    for kind in kinds:
        if get_origin(kind) is Literal:
            return f"it is one of {', '.join(get_args(kind))}"
    if bool in kinds:
        return "it is 1 for yes or 0 for no"
    if date in kinds:
        return "a day is needed"
    if int in kinds or float in kinds:
        what = "a whole number" if int in kinds else "a number"
        return f"{what}{_range(info)} is needed"
    return "another value is needed"


def _range(info: FieldInfo) -> str:
    low = high = ""
    for one in info.metadata:
        if isinstance(one, Ge):
            low = f"from {one.ge:g}"
        elif isinstance(one, Gt):
            low = f"above {one.gt:g}"
        elif isinstance(one, Le):
            high = f"to {one.le:g}" if low.startswith("from") else f"up to {one.le:g}"
        elif isinstance(one, Lt):
            high = f"below {one.lt:g}"
    if low.startswith("from") and not high:
        high = "on"
    return "".join(f" {part}" for part in (low, "and" if low.startswith("above") and high else "", high) if part)


def _example(variable: str, info: FieldInfo | None) -> str:
    if variable in _EXAMPLES or info is None:
        return _EXAMPLES.get(variable, "")
    default = info.default
    if isinstance(default, bool):
        return str(int(default))
    if isinstance(default, float):
        return f"{default:g}"
    return str(default) if isinstance(default, int | str | date) else ""
