"""Refusals are told by their words, whatever HTTP status and form they come with.

Source: docs/marketplace-api.md, "Errors and refusals".
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from threading import Thread
from typing import Any

import pytest

from emag_pipeline.errors import AccessRefused, PipelineError, RequestRefused
from emag_pipeline.marketplace.responses import results_of
from emag_pipeline_tests.marketplace.clients import client_of

_ADDRESS = "the marketplace refuses this machine's address"
_CREDENTIALS = "the marketplace refuses the credentials"
_ACCESS = "the marketplace refuses access"
_WHITELIST = "to the whitelist in the seller's marketplace account"
_BOTH = (
    "Check the account's user name and password, check that the user has API rights, and add this machine's public "
    f"IP address {_WHITELIST}"
)
_LOGIN = "Correct the account's user name and password, and check that the user has API rights"

#: words, what the error says, its remedy
_REFUSALS = [
    ("Invalid vendor ip [188.214.106.10]", _ADDRESS, f"Add 188.214.106.10 {_WHITELIST}"),
    ("ERROR: Invalid vendor ip [188.214.106.10]", _ADDRESS, f"Add 188.214.106.10 {_WHITELIST}"),
    ("Invalid vendor ip [2a02:2f0e::1f]", _ADDRESS, f"Add 2a02:2f0e::1f {_WHITELIST}"),
    ("The IP 10.0.0.7 is not whitelisted for this user", _ADDRESS, f"Add 10.0.0.7 {_WHITELIST}"),
    ("IP not on the white list", _ADDRESS, f"Add this machine's public IP address {_WHITELIST}"),
    ("You are not allowed to use this API.", _ACCESS, _BOTH),
    ("ERROR: You are not allowed to use this API", _ACCESS, _BOTH),
    ("Unauthorized", _ACCESS, _BOTH),
    ("Invalid username or password", _CREDENTIALS, _LOGIN),
    ("Authentication failed", _CREDENTIALS, _LOGIN),
]
_STATUSES = (200, 400, 401, 403)
_FORMS: dict[str, Any] = {
    "messages": lambda words: {"messages": [words]},
    "one text": lambda words: {"messages": words},
    "objects": lambda words: {"messages": [{"type": "error", "code": 17, "text": words}]},
    "nested": lambda words: {"messages": [[{"message": {"text": words}}]]},
    "keyed": lambda words: {"messages": {"0": words}},
    "errors": lambda words: {"messages": [], "errors": [words]},
    "error objects": lambda words: {"messages": [], "errors": [{"message": words}]},
    "message": lambda words: {"message": words},
    "everywhere": lambda words: {"messages": [words], "message": words, "errors": [{"message": words}]},
}
_FRAMES: dict[str, dict[str, object]] = {"isError": {"isError": True, "results": []}, "without isError": {}}


def error_of(status: int, content: object) -> PipelineError:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    with pytest.raises(PipelineError) as caught:
        results_of(status, {}, body)
    return caught.value


@pytest.mark.parametrize(("words", "what", "remedy"), _REFUSALS)
@pytest.mark.parametrize("status", _STATUSES)
def test_words_decide_whatever_the_status_and_form(status: int, words: str, what: str, remedy: str) -> None:
    for form, frame in product(_FORMS, _FRAMES):
        error = error_of(status, _FRAMES[frame] | _FORMS[form](words))
        assert type(error) is AccessRefused, (form, frame)
        assert (error.what, error.remedy) == (what, remedy), (form, frame)
        assert error.why.count(words.rstrip(".")) == 1, (form, frame)


@pytest.mark.parametrize(
    "content",
    [b"", b"Forbidden", b"<html>403</html>", {}, [], {"isError": True, "messages": []}, {"isError": False}],
)
@pytest.mark.parametrize("status", [401, 403])
def test_a_bare_refusal_names_both_remedies(status: int, content: object) -> None:
    error = error_of(status, content)
    assert type(error) is AccessRefused
    assert (error.what, error.why, error.remedy) == (_ACCESS, f"HTTP {status}", _BOTH)


@pytest.mark.parametrize("status", [401, 403])
def test_unknown_words_with_a_refusing_status_are_quoted(status: int) -> None:
    error = error_of(status, {"isError": True, "messages": ["Contul este suspendat"]})
    assert (error.why, error.remedy) == (f"HTTP {status}, Contul este suspendat", _BOTH)


@pytest.mark.parametrize(
    ("status", "content", "remedy"),
    [
        (400, {"isError": True, "messages": ["currentPage must be an integer"]}, "bug in the pipeline"),
        (400, {"isError": True, "messages": ["Mandatory key data is missing"]}, "bug in the pipeline"),
        (400, {"isError": True, "message": "Maximum input vars of 4000 exceeded"}, "bug in the pipeline"),
        (200, {"isError": True, "message": "Maximum input vars of 4000 exceeded"}, "bug in the pipeline"),
        (200, {"isError": True, "messages": ["Missing mandatory parameter: id"]}, "bug in the pipeline"),
        (400, {"message": "Invalid content"}, "bug in the pipeline"),
        (405, {"isError": True, "messages": ["Only POST"]}, "bug in the pipeline"),
        (404, {"isError": True, "messages": ["Unknown resource"]}, "base URL"),
        (400, {"isError": True, "messages": ["Contractul a expirat"]}, "seller's marketplace account"),
        (400, {"isError": True, "errors": [{"message": "Contractul a expirat"}]}, "seller's marketplace account"),
        (400, {"message": "Validation errors", "errors": [{"message": "too low", "field": "price"}]}, "seller's"),
        (400, {"isError": True, "messages": []}, "gives no reason"),
    ],
)
def test_only_a_mistake_of_the_caller_is_called_a_defect(status: int, content: object, remedy: str) -> None:
    error = error_of(status, content)
    assert type(error) is RequestRefused
    assert remedy in error.remedy
    assert ("defect" in error.remedy) == ("defect" in remedy)


def test_the_field_that_a_detail_is_about_is_named() -> None:
    error = error_of(400, {"isError": True, "errors": [{"field": "id", "message": "a wrong value."}, "other"]})
    assert error.why == "HTTP 400, id: a wrong value; other"


def test_words_beside_a_good_answer_refuse_nothing() -> None:
    body = json.dumps({"isError": False, "messages": ["Invalid vendor ip [1.2.3.4]"], "errors": [], "results": [1]})
    assert results_of(200, {}, body.encode()) == [1]


def test_details_that_are_nested_without_end_are_no_crash() -> None:
    error = error_of(400, b'{"isError": true, "messages": ' + b"[" * 600 + b'"deep"' + b"]" * 600 + b"}")
    assert type(error) is RequestRefused


@contextmanager
def _answering(status: int, content: object) -> Iterator[tuple[str, list[str]]]:
    """A marketplace that answers every call so; its base URL, and the addresses of the calls it took."""
    taken: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            taken.append(self.path)
            body = json.dumps(content).encode() if content is not None else b""
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/api-3", taken
        server.shutdown()


@pytest.mark.parametrize(
    ("content", "remedy"),
    [
        ({"isError": True, "messages": ["Invalid vendor ip [188.214.106.10]"]}, f"Add 188.214.106.10 {_WHITELIST}"),
        ({"isError": True, "messages": ["Wrong password for user ana@firma.ro"]}, "EMAG_FBE_API_PASSWORD"),
        ({"isError": True, "errors": ["You are not allowed to use this API."]}, "EMAG_FBE_API_PASSWORD"),
    ],
)
@pytest.mark.parametrize("status", _STATUSES)
def test_a_refusal_costs_one_call_and_its_remedy_names_the_accounts_own_variables(
    status: int, content: object, remedy: str
) -> None:
    variables = ("EMAG_FBE_API_USERNAME", "EMAG_FBE_API_PASSWORD")
    with (
        _answering(status, content) as (url, taken),
        client_of(url, variables=variables) as client,
        pytest.raises(AccessRefused) as caught,
    ):
        client.count()
    assert remedy in caught.value.remedy
    assert "ana@firma.ro" not in caught.value.message
    assert caught.value.exit_code == 5
    assert taken == ["/api-3/product_offer/count"]


@pytest.mark.parametrize("status", [401, 403])
def test_a_bare_refusal_names_the_accounts_own_variables(status: int) -> None:
    with _answering(status, None) as (url, taken), client_of(url) as client, pytest.raises(AccessRefused) as caught:
        client.read_page(1)
    assert "(EMAG_API_USERNAME and EMAG_API_PASSWORD)" in caught.value.remedy
    assert "whitelist" in caught.value.remedy
    assert len(taken) == 1
