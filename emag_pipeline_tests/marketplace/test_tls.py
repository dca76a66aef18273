"""Over TLS everything is as without it: kept connections, limits of time, aborts."""

import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from emag_pipeline.errors import ApiUnavailable, CallAborted
from emag_pipeline.marketplace import Timeouts
from emag_pipeline_tests.marketplace.clients import client_of

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")

_BODY = b'{"isError":false,"messages":[],"results":{"noOfItems":5,"noOfPages":1,"itemsPerPage":100}}'
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(_BODY)
_CONNECTION_CLOSE = _HEAD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and its certificate for 127.0.0.1 in one file."""
    home = tmp_path_factory.mktemp("tls")
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1 "
        "-addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out certificate.pem"
    )
    subprocess.run(command.split(), cwd=home, check=True, capture_output=True)
    both = home / "both.pem"
    both.write_text((home / "key.pem").read_text() + (home / "certificate.pem").read_text())
    return both


class Server:
    """Accepts TLS connections; answers each request through the given function; counts both."""

    def __init__(self, certificate: Path, answer: Callable[[ssl.SSLSocket], None]) -> None:
        self.answer = answer
        self.connections = self.requests = 0
        self.handshake_starts_after_seconds = 0.0
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._listening.getsockname()[1]}/api-3"
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                raw, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(raw,), daemon=True).start()

    def _serve(self, raw: socket.socket) -> None:
        time.sleep(self.handshake_starts_after_seconds)
        try:
            with self._context.wrap_socket(raw, server_side=True) as connection:
                self.connections += 1
                while self._read(connection):
                    self.requests += 1
                    self.answer(connection)
        except OSError:
            return  # the client hung up

    def _read(self, connection: ssl.SSLSocket) -> bool:
        request = b""
        while not request.endswith(b"}}"):
            received = connection.recv(65_536)
            if not received:
                return False
            request += received
        return True


def good(connection: ssl.SSLSocket) -> None:
    connection.sendall(_HEAD + _BODY)


def dribble(connection: ssl.SSLSocket) -> None:
    for byte in _CONNECTION_CLOSE + _BODY:
        connection.sendall(bytes([byte]))
        time.sleep(0.02)


def dribble_the_body(connection: ssl.SSLSocket) -> None:
    connection.sendall(_CONNECTION_CLOSE)
    for byte in _BODY:
        connection.sendall(bytes([byte]))
        time.sleep(0.1)


@pytest.fixture
def serve(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Server]]:
    """Starts servers whose certificate the client trusts."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    started: list[Server] = []

    def start(answer: Callable[[ssl.SSLSocket], None]) -> Server:
        started.append(Server(certificate, answer))
        return started[-1]

    yield start
    for server in started:
        server.stop()


def test_a_connection_is_kept(serve: Callable[..., Server]) -> None:
    server = serve(good)
    with client_of(server.url) as client:
        for _ in range(5):
            assert client.count().rows == 5
    assert (server.connections, server.requests) == (1, 5)


def test_making_the_connection_comes_before_the_slot_and_is_no_part_of_the_call(serve: Callable[..., Server]) -> None:
    server = serve(good)
    server.handshake_starts_after_seconds = 1.0
    began = time.time()
    with client_of(server.url) as client:
        client.count()
    assert client.records[0].sent_at.timestamp() - began >= 1.0
    assert client.records[0].seconds < 1.0


@pytest.mark.parametrize("answer", [dribble, dribble_the_body])
def test_a_dribbling_server_is_cut(serve: Callable[..., Server], answer: Callable[[ssl.SSLSocket], None]) -> None:
    server = serve(answer)
    with client_of(server.url, timeouts=Timeouts(total_seconds=0.8), attempts=1) as client:
        with pytest.raises(ApiUnavailable, match="not complete after"):
            client.count()
        server.answer = good
        assert client.count().rows == 5


def test_an_abort_cuts_a_call(serve: Callable[..., Server]) -> None:
    server = serve(lambda connection: time.sleep(3))
    with client_of(server.url) as client, ThreadPoolExecutor(1) as pool:
        call = pool.submit(client.count)
        while not server.requests:
            time.sleep(0.01)
        client.abort()
        assert isinstance(call.exception(timeout=10), CallAborted)


def test_an_unknown_certificate_is_refused(serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(good)
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with client_of(server.url, attempts=1) as client, pytest.raises(ApiUnavailable, match="the TLS connection to"):
        client.count()
    assert server.requests == 0
