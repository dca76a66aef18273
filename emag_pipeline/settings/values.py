"""Values as people write them: addresses, cron expressions, and what is wrong with a value in words."""

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


# Cron expressions of the settings: five fields of numbers, as cron(8) knows them, and `H` for a minute.
#
# `H` is Jenkins' notation for "a minute of its own": each account gets another one, always the same, so that accounts
# do not begin together nor on round times. `H * * * *` is hourly, `H/15 * * * *` four times an hour.

_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day of month", 1, 31), ("month", 1, 12), ("day of week", 0, 7))
_PART = re.compile(r"(?:\*|(?P<from>\d{1,2})(?:-(?P<to>\d{1,2}))?)(?:/(?P<step>\d{1,2}))?", re.ASCII)
_OWN_MINUTE = re.compile(r"H(?:/(?P<step>\d{1,2}))?", re.ASCII)
_LONGEST_MONTHS = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}


def checked(expression: str) -> str:
    """The expression with single spaces. Raises ValueError saying which field is wrong and what is allowed there."""
    fields = expression.split()
    if len(fields) != len(_FIELDS):
        raise ValueError("five fields are needed: minute, hour, day of month, month, day of week, e.g. `H 3 * * *`")
    for text, (name, low, high) in zip(fields, _FIELDS, strict=True):
        own_minute = name == "minute" and _OWN_MINUTE.fullmatch(text)
        if not (_is_step(own_minute["step"], high) if own_minute else _is_field(text, low, high)):
            letters = " and `H`" if name == "minute" else ""
            raise ValueError(f"{text!r} is no {name}: `*`{letters}, numbers from {low} to {high}, `1-5`, `*/2`, `1,3`")
    _require_day(fields)
    return " ".join(fields)


def with_minute(expression: str, minute: int) -> str:
    """The checked expression as plain cron, with `minute` for its `H`."""
    first, rest = expression.split(" ", 1)
    own = _OWN_MINUTE.fullmatch(first)
    if own is None:
        return expression
    if own["step"] is None:
        return f"{minute} {rest}"
    step = int(own["step"])
    return f"{minute % step}-59/{step} {rest}"


def _is_field(text: str, low: int, high: int) -> bool:
    return all(_is_part(part, low, high) for part in text.split(","))


def _is_part(text: str, low: int, high: int) -> bool:
    part = _PART.fullmatch(text)
    if part is None or not _is_step(part["step"], high):
        return False
    if part["from"] is None:
        return True
    first = int(part["from"])
    last = first if part["to"] is None else int(part["to"])
    is_range = part["to"] is not None
    return low <= first <= last <= high and (is_range or part["step"] is None)


def _is_step(text: str | None, high: int) -> bool:
    return text is None or 1 <= int(text) <= high


def _require_day(fields: list[str]) -> None:
    """Refuse a day that no month has: 30 February never comes."""
    _, _, day, month, weekday = fields
    if weekday == "*" and day.isdigit() and month.isdigit() and int(day) > _LONGEST_MONTHS.get(int(month), 31):
        raise ValueError(f"month {month} has no day {day}")
