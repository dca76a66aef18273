"""Responses in the marketplace's format, and refusals."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from emag_pipeline.sandbox.faults import Fault

#: a gateway's web page
HTML = (
    "<!DOCTYPE html>\n<html><head><title>Mentenanță</title></head><body><h1>Revenim imediat</h1></body></html>\n"
).encode()


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP response before it is sent. `offers` is the number of offers in it, which determines the latency."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    offers: int = 0


class Refusal(Exception):
    """The marketplace refuses a call with a message."""

    def __init__(self, message: str, status: int = 200) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


def success(results: object) -> Answer:
    """A good response. Like PHP's encoder, this one escapes all characters beyond ASCII."""
    return Answer(200, b'{"isError":false,"messages":[],"results":' + encode(results) + b"}")


def success_rows(rows: Iterable[object]) -> Answer:
    """A good response with many rows, encoded one by one so that other threads can run in between."""
    return Answer(200, b'{"isError":false,"messages":[],"results":[' + b",".join(map(encode, rows)) + b"]}")


def refused(refusal: Refusal) -> Answer:
    """A response with isError true."""
    return plain(refusal.status, {"isError": True, "messages": [refusal.message], "results": []})


def plain(status: int, content: Any) -> Answer:
    """Any content as JSON, without the marketplace's envelope."""
    return Answer(status, encode(content))


def encode(content: object) -> bytes:
    """Compact ASCII JSON."""
    return json.dumps(content, separators=(",", ":")).encode("ascii")


# Refused callers, with the messages and forms seen from the marketplace.
#
# Source: docs/marketplace-api.md, "Errors and refusals".

#: also the response to an unknown user
NOT_ALLOWED = "You are not allowed to use this API"
#: tells an unknown user's response from a fault with the same message; the marketplace sends no such header
UNKNOWN_USER = {"X-Sandbox-User": "unknown"}
_WORDS = {
    "wrong_credentials": "Invalid username or password",
    "ip_not_whitelisted": "The IP {peer} is not whitelisted for this user",
    "invalid_ip": "Invalid vendor ip [{peer}]",
    "not_allowed": NOT_ALLOWED,
}


def answer(fault: Fault, peer: str) -> Answer:
    """The refusal for a caller at this address, in the fault's form and with its status."""
    words = fault.options["message"] or _WORDS[fault.kind].format(peer=peer)
    status = int(fault.options["status"])
    match fault.options["form"]:
        case "bare":
            return Answer(status, b"", "text/html; charset=utf-8")
        case "html":
            return Answer(status, HTML, "text/html; charset=utf-8")
        case "errors":
            said: dict[str, object] = {"messages": [], "errors": [{"message": words}]}
        case "objects":
            said = {"messages": [{"type": "error", "text": words}]}
        case _:
            said = {"messages": [words]}
    return plain(status, {"isError": True, **said, "results": []})
