"""The commands for a sandbox in another process."""

import json
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from emag_pipeline.sandbox.face import SandboxFace

_open = build_opener(ProxyHandler({})).open  # a sandbox is near: never behind a proxy


class SandboxControl(SandboxFace):
    """Commands a running sandbox, given any URL of it, e.g. its API's base URL."""

    def __init__(self, url: str, *, timeout_seconds: float = 30.0) -> None:
        address = urlsplit(url)
        self._base = f"{address.scheme}://{address.netloc}/_control/"
        self._timeout_seconds = timeout_seconds

    def command(self, verb: str, body: Any) -> dict[str, Any]:
        """Carry out a command. Raises ValueError when it makes no sense, OSError when nobody answers."""
        request = Request(  # noqa: S310 - the address is the caller's own sandbox
            self._base + verb,
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
            method="POST",
        )
        try:
            with _open(request, timeout=self._timeout_seconds) as answer:
                content: dict[str, Any] = json.load(answer)
        except HTTPError as error:
            with error:
                raise ValueError(json.load(error)["error"]) from None
        return content
