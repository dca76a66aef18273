"""What is a call at all (docs/marketplace-api.md, "Calls and responses")."""

import json
import socket
from typing import Any

import pytest
import requests

from emag_pipeline.sandbox import SandboxServer
from emag_pipeline_tests.sandbox.reader import Reader


def sent(reader: Reader, body: Any, method: str = "POST", **headers: str) -> requests.Response:
    address = f"{reader.url}/product_offer/read"
    return reader.session.request(method, address, data=body, headers=headers, timeout=20)


def test_a_good_answer_has_the_documented_frame(reader: Reader) -> None:
    answer = reader.call("vat/read")
    assert answer.headers["Content-Type"] == "application/json"
    assert set(answer.json()) == {"isError", "messages", "results"}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("5", "The body must hold an object"),
        ("[1]", "The body must hold an object"),
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
    ],
)
def test_a_body_that_is_no_object_is_refused(reader: Reader, body: str, words: str) -> None:
    answer = sent(reader, body).json()
    assert answer["isError"] is True
    assert words in answer["messages"][0]


@pytest.mark.parametrize("body", ["", "{}", "[]", '{"data": []}', '{"data": 5}'])
def test_a_call_needs_no_parameters(reader: Reader, body: str) -> None:
    assert len(sent(reader, body).json()["results"]) == 100


def test_more_than_4000_elements_are_refused(reader: Reader) -> None:
    body = json.dumps({"data": {"id": [[1] * 2000, [2] * 2001]}})
    assert sent(reader, body).json()["messages"] == ["Maximum input vars of 4000 exceeded"]


def test_a_form_is_understood_as_php_understands_it(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.settings(parameters="both")
    answer = sent(reader, {"data[currentPage]": "2", "data[itemsPerPage]": "7"})
    assert [row["id"] for row in answer.json()["results"]] == reader.ids(2, itemsPerPage=7)


def test_only_post_is_allowed(reader: Reader) -> None:
    assert sent(reader, '{"data": {}}', method="GET").status_code == 405


def test_an_unknown_resource_is_refused(reader: Reader) -> None:
    answer = reader.call("product_offer/save")
    assert answer.status_code == 404
    assert answer.json()["messages"] == ["Unknown resource or action: product_offer/save"]


def test_a_length_that_is_no_number_is_a_bad_request(sandbox: SandboxServer) -> None:
    with socket.create_connection((sandbox.host, sandbox.port), timeout=20) as connection:
        connection.sendall(b"POST /api-3/vat/read HTTP/1.1\r\nContent-Length: -5\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 400 ")


def test_connections_are_kept_alive(sandbox: SandboxServer, reader: Reader) -> None:
    with requests.Session() as session:
        answers = [session.post(f"{sandbox.url}/vat/read", json={"data": {}}, timeout=20) for _ in range(2)]
    assert [answer.headers["Connection"] for answer in answers] == ["keep-alive"] * 2


def test_latency_delays_each_answer(sandbox: SandboxServer, reader: Reader) -> None:
    sandbox.settings(latency_seconds=0.15)
    assert reader.call().elapsed.total_seconds() >= 0.15
