"""Connections are kept, and credentials go nowhere but to the account's address."""

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pydantic import SecretStr

from emag_pipeline.errors import ApiUnavailable, RequestRefused
from emag_pipeline.marketplace import MarketplaceClient, ProcessBudget
from emag_pipeline.model import RequestRecord
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.settings.accounts import Account, AccountName
from emag_pipeline_tests.marketplace.clients import client_of

_COUNT = b'{"isError":false,"messages":[],"results":{"noOfItems":5,"noOfPages":1,"itemsPerPage":100}}'


class Server(ThreadingHTTPServer):
    """Answers every request in one way, and notes each caller's port and authorization."""

    daemon_threads = True

    def __init__(self, status: int = 200, body: bytes = _COUNT, **headers: str) -> None:
        self.status, self.body, self.headers = status, body, headers
        self.idle_seconds = 30.0
        self.ports: list[int] = []
        self.authorizations: list[str | None] = []
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/api-3"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def setup(self) -> None:
        self.timeout = self.server.idle_seconds  # type: ignore[misc]  # the base class reads it from the handler
        super().setup()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.ports.append(self.client_address[1])
        self.server.authorizations.append(self.headers["Authorization"])
        self.send_response(self.server.status)
        headers = {"Content-Length": str(len(self.server.body)), **self.server.headers}
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(self.server.body)
        self.close_connection = headers.get("Connection") == "close"

    do_GET = do_POST

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def test_one_thread_needs_one_connection() -> None:
    with serving(Server()) as server, client_of(server.url) as client:
        for _ in range(10):
            client.count()
    assert len(server.ports) == 10
    assert len(set(server.ports)) == 1


def test_a_connection_that_the_server_closed_is_made_anew() -> None:
    with serving(Server(Connection="close")) as server, client_of(server.url) as client:
        for _ in range(3):
            client.count()
    assert len(set(server.ports)) == 3
    assert client.outcomes == ["ok"] * 3


class Slots(ProcessBudget):
    """Slots at once, but for the second one."""

    def __init__(self, second_seconds: float = 0.0) -> None:
        super().__init__(1000, 60_000)
        self.second_seconds = second_seconds
        self.reserved = 0

    def reserve(self, account: str) -> float:
        self.reserved += 1
        return self.second_seconds if self.reserved == 2 else super().reserve(account)


def count_twice(server: Server, budget: Slots) -> list[RequestRecord]:
    records = list[RequestRecord]()
    account = Account(AccountName("main"), server.url, "user", SecretStr("password"))
    with serving(server), closing(MarketplaceClient(account, budget, record=records.append)) as marketplace:
        marketplace.count()
        marketplace.count()
    return records


def test_a_call_takes_one_slot_whether_it_needs_a_new_connection_or_not() -> None:
    budget = Slots()
    count_twice(Server(), budget)
    assert budget.reserved == 2


def test_a_connection_that_is_closed_during_the_wait_for_a_slot_is_made_anew_and_waits_for_another() -> None:
    server, budget = Server(), Slots(second_seconds=1.0)
    server.idle_seconds = 0.3
    assert [record.outcome for record in count_twice(server, budget)] == ["ok", "ok"]
    assert budget.reserved >= 3


def test_a_connection_that_is_over_is_let_go_at_once() -> None:
    def serve_one(listening: socket.socket) -> bytes:
        connection, _ = listening.accept()
        with connection:
            connection.settimeout(10)
            connection.recv(65_536)
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(_COUNT)}\r\nConnection: close\r\n\r\n"
            connection.sendall(head.encode() + _COUNT)
            while received := connection.recv(65_536):
                pass  # the request's body
            return received

    with socket.create_server(("127.0.0.1", 0)) as listening, ThreadPoolExecutor(1) as pool:
        served = pool.submit(serve_one, listening)
        with client_of(f"http://127.0.0.1:{listening.getsockname()[1]}/api-3") as client:
            client.count()
            assert served.result() == b"", "the client hung up"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(status: int) -> None:
    with serving(Server()) as elsewhere, serving(Server(status, b"", Location=elsewhere.url)) as server:
        expected = RequestRefused if status in (301, 308) else ApiUnavailable
        with client_of(server.url, attempts=1) as client, pytest.raises(expected, match="redirects") as caught:
            client.count()
    assert elsewhere.authorizations == []
    assert "base URL" in caught.value.remedy


def test_netrc_does_not_override_the_accounts_credentials(
    sandbox: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with client_of(sandbox.url) as client:
        assert client.count().rows == 250


def test_a_proxy_from_the_environment_is_not_used_for_this_machine(
    sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with client_of(sandbox.url) as client:
        assert client.count().rows == 250


def test_a_proxy_from_the_environment_is_used_for_other_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(Server()) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.server_port}")
        with client_of("http://marketplace.invalid/api-3") as client:
            assert client.count().rows == 5
    assert len(proxy.ports) == 1


def test_an_answer_beyond_all_bounds_is_not_read_to_its_end() -> None:
    body = b'{"isError": false, "results": "' + b"x" * (65 * 2**20) + b'"}'
    with (
        serving(Server(body=body)) as server,
        client_of(server.url, attempts=1) as client,
        pytest.raises(ApiUnavailable, match="larger than 67,108,864 bytes"),
    ):
        client.count()
    assert client.records[0].bytes < 65 * 2**20
    assert len(client.records[0].error_body or "") <= 2000
