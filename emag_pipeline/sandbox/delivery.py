"""Sending an answer, well or badly: whole, one byte at a time, cut off by a reset, or never."""

import os
import socket
import struct
from collections.abc import Mapping
from http import HTTPStatus
from threading import Event

from emag_pipeline.sandbox.answers import Answer
from emag_pipeline.sandbox.faults import Fault

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


def head(answer: Answer, headers: Mapping[str, str], *, keep_alive: bool) -> bytes:
    """The status line and headers."""
    fields = {
        "Content-Type": answer.content_type,
        "Content-Length": str(len(answer.body)),
        "Connection": "keep-alive" if keep_alive else "close",
        **headers,
        **answer.headers,
    }
    lines = [
        f"HTTP/1.1 {answer.status} {_phrase(answer.status)}",
        *(f"{name}: {value}" for name, value in fields.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def hang(connection: socket.socket, seconds: float | None) -> None:
    """Say nothing until the caller gives up, the time is over, or the server stops."""
    connection.settimeout(seconds)
    try:
        while connection.recv(4096):
            pass
    except OSError:
        pass  # the time is over, or the caller has gone: both end the silence


def reset(connection: socket.socket, sent_before: bytes) -> None:
    """Close with RST instead of FIN, after some bytes of the answer."""
    if sent_before:
        connection.sendall(sent_before)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    os.close(connection.detach())


def dribble(connection: socket.socket, head_bytes: bytes, body: bytes, fault: Fault, stopping: Event) -> None:
    """Send a byte every so many seconds, from the first header on or from the first byte of the body on."""
    if fault.options["part"] == "body":
        connection.sendall(head_bytes)
        slow_part = body
    else:
        slow_part = head_bytes + body
    for place in range(len(slow_part)):
        if stopping.wait(fault.options["seconds"]):
            return
        connection.sendall(slow_part[place : place + 1])


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
