"""The webhook: one JSON POST with one time limit for all of it. Its URL is a secret and appears in no text.

The standard library's client and not `requests`, whose urllib3 logs every path at level debug. Either bounds single
waits only: an answer that dribbles would hold a sensor for ever. The call is therefore made in a thread of its own,
which is left to itself when the time is over.
"""

import json
import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TimedOut
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from pydantic import SecretStr

#: Of the whole call. Sensors wait for it, so it is short; what was not taken is told at their next tick.
DEADLINE_SECONDS = 10.0


class _NoRedirect(HTTPRedirectHandler):
    """A redirect would tell the URL to whoever it names."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follow none: it is an answer like any other that is not 2xx."""


def post(url: SecretStr, document: dict[str, Any], deadline_seconds: float = DEADLINE_SECONDS) -> str:
    """Send the document as JSON. Returns what went wrong in a few words, nothing when it was taken; never raises."""
    outcome: Future[str] = Future()
    threading.Thread(
        target=lambda: outcome.set_result(_post(url, document, deadline_seconds)), name="webhook", daemon=True
    ).start()
    try:
        return outcome.result(timeout=deadline_seconds)
    except TimedOut:
        return f"no answer within {deadline_seconds:g} seconds"


def _post(url: SecretStr, document: dict[str, Any], seconds: float) -> str:
    """Texts of errors are not passed on: they may hold the URL."""
    try:
        if not url.get_secret_value().startswith(("http://", "https://")):
            return "it is no http:// or https:// address"
        headers = {"Content-Type": "application/json", "User-Agent": "emag-pipeline"}
        request = Request(url.get_secret_value(), json.dumps(document).encode(), headers, method="POST")  # noqa: S310
        with build_opener(_NoRedirect).open(request, timeout=seconds):
            return ""
    except HTTPError as answer:
        return f"the answer was HTTP {answer.code}"
    except Exception as error:  # a host that is none, a broken certificate, whatever: an alert harms nobody
        return f"it cannot be reached ({_kind(error)})"


def _kind(error: Exception) -> str:
    """The innermost class: urllib wraps what the socket said."""
    return type(getattr(error, "reason", None) or error).__name__
