"""A received call: its account, its resource and its parameters."""

import base64
import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from emag_pipeline.sandbox.answers import Refusal
from emag_pipeline.sandbox.settings import Parameters

BASE_PATH = "/api-3"
MOST_ELEMENTS = 4000
_FORM_KEY = re.compile(r"\[([^\]]*)\]")


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `arrived` is the monotonic time of its first byte, `peer` the caller's address."""

    arrived: float
    method: str
    resource: str
    language: str
    username: str
    password: str = field(repr=False)
    peer: str
    content_type: str
    body: bytes = field(repr=False)

    @classmethod
    def of(cls, arrived: float, method: str, target: str, headers: Any, body: bytes, peer: str) -> "Call":
        """Parse a request without checking it."""
        address = urlsplit(target)
        resource = address.path.removeprefix(BASE_PATH).strip("/")
        username, password = _credentials(headers.get("Authorization", ""))
        language = parse_qs(address.query).get("language", ["ro"])[0].lower()
        content_type = headers.get("Content-Type", "")
        return cls(arrived, method, resource, language, username, password, peer, content_type, body)

    def parameters(self, place: Parameters) -> dict[str, Any]:
        """Pagination and filters, from one place of the body or from both; elsewhere they are ignored.

        Raises Refusal if the body is not a JSON object or has more than 4000 elements, or if `data` is mandatory
        and is missing or not an object.
        """
        content = _form(self.body) if "form" in self.content_type else _json(self.body)
        if _elements(content) > MOST_ELEMENTS:
            raise Refusal(f"Maximum input vars of {MOST_ELEMENTS} exceeded")
        if place == "data" and (not isinstance(content, dict) or "data" not in content):
            raise Refusal("The mandatory key data is missing")
        body = _object("The body", content)
        if place == "neither":
            return {}
        top = {name: value for name, value in body.items() if name != "data"}
        if place == "top":
            return top
        data = _object("The key data", body.get("data"))
        return data if place == "data" else data | top


def whole(data: dict[str, Any], key: str, default: int | None = None) -> int | None:
    """An integer parameter, which may be given as text. Raises Refusal for any other value."""
    value = data.get(key)
    if value is None or value == "":
        return default
    if isinstance(value, bool) or not re.fullmatch(r"-?\d{1,18}", str(value)):
        raise Refusal(f"The value of {key} must be an integer")
    return int(value)


def _credentials(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        username, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return username, password


def _object(what: str, value: Any) -> dict[str, Any]:
    if value in ([], None, ""):  # PHP cannot tell an empty list from an empty object
        return {}
    if not isinstance(value, dict):
        raise Refusal(f"{what} must hold an object")
    return value


def _json(body: bytes) -> Any:
    if not body.strip():
        return {}
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise Refusal("The body is not valid JSON") from None


def _form(body: bytes) -> dict[str, Any]:
    """Parse `data[filter][id]=5` like PHP: as nested dicts, whatever the keys."""
    content: dict[str, Any] = {}
    for name, value in parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True):
        *path, last = [name.partition("[")[0], *_FORM_KEY.findall(name)]
        place = content
        for step in path:
            inner = place.setdefault(step, {})
            place = inner if isinstance(inner, dict) else {}
        place[last] = value
    return content


def _elements(content: Any) -> int:
    """The number of values in it, at any depth."""
    found, waiting = 0, [content]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict | list):
            waiting.extend(one.values() if isinstance(one, dict) else one)
        else:
            found += 1
    return found
