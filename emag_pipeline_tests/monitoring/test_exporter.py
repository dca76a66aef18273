"""The exporter's two ports, in this process; what needs a process of its own is in local/test_exporter.py."""

import logging
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
import requests
from starlette.responses import Response

from emag_pipeline.errors import SettingsError
from emag_pipeline.monitoring import web
from emag_pipeline.monitoring.exporter import Exporter
from emag_pipeline.settings import Settings, load_settings
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.local.ups import free_ports


def _settings(metrics: int, health: int) -> Settings:
    given = {"EMAG_SYNC_METRICS_PORT": str(metrics), "EMAG_SYNC_HEALTH_PORT": str(health)}
    return load_settings(given, env_file=None)


@pytest.fixture
def exporter(database: Database) -> Iterator[Exporter]:
    exporter = Exporter(_settings(*free_ports(2)), lambda: database)
    exporter.start()
    yield exporter
    exporter.stop()


def test_a_scrape_gets_the_figures_in_prometheus_own_format(exporter: Exporter) -> None:
    answer = requests.get(f"{exporter.metrics.url}/metrics", timeout=30)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "emag_sync_database_up 1.0\n" in answer.text


def test_a_scrape_that_asks_for_openmetrics_gets_it(exporter: Exporter) -> None:
    accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
    answer = requests.get(f"{exporter.metrics.url}/metrics", headers=accept, timeout=30)
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


def test_head_says_the_same_without_a_body(exporter: Exporter) -> None:
    answer = requests.head(f"{exporter.health.url}/ready", timeout=30)
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["Content-Length"]) > 0


def test_an_unknown_page_is_404_and_names_those_that_are_there(exporter: Exporter) -> None:
    answer = requests.get(f"{exporter.health.url}/metrics", timeout=30)
    assert answer.status_code == 404
    assert "/health /ready" in answer.text


def test_nothing_can_be_posted(exporter: Exporter) -> None:
    answer = requests.post(f"{exporter.health.url}/health", data=b"x" * 100_000, timeout=30)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_health_and_ready_differ(exporter: Exporter) -> None:
    assert requests.get(f"{exporter.health.url}/ready", timeout=30).status_code == 200
    assert requests.get(f"{exporter.health.url}/health", timeout=30).status_code == 503  # nothing is published yet


def test_many_scrapes_at_once_are_all_answered(exporter: Exporter) -> None:
    with ThreadPoolExecutor(12) as crowd:
        answers = list(crowd.map(lambda _: requests.get(f"{exporter.metrics.url}/metrics", timeout=60), range(24)))
    assert {answer.status_code for answer in answers} == {200}
    assert all("emag_sync_database_up 1.0" in answer.text for answer in answers)


def test_a_crowd_that_says_nothing_costs_no_more_than_its_places(exporter: Exporter) -> None:
    silent = [socket.create_connection(exporter.health.address) for _ in range(40)]
    refused = [connection for connection in silent[16:] if connection.recv(100).startswith(b"HTTP/1.1 503")]
    assert len(refused) == 24
    for connection in silent:
        connection.close()


@pytest.mark.parametrize(
    "begins", [b"", b"GET /ready HTTP/1.1\r\nX: ", b"POST /ready HTTP/1.1\r\nContent-Length: 999\r\n\r\n"]
)
def test_a_caller_that_dribbles_is_cut_off_and_frees_its_place(
    exporter: Exporter, monkeypatch: pytest.MonkeyPatch, begins: bytes
) -> None:
    monkeypatch.setattr(web, "_REQUEST_SECONDS", 1.0)
    slow = [socket.create_connection(exporter.health.address) for _ in range(16)]
    began = time.monotonic()
    for connection in slow:
        connection.sendall(begins)
    while begins and slow and time.monotonic() - began < 10:
        slow = [connection for connection in slow if _still_takes(connection, b"x")]
        time.sleep(0.1)
    for connection in slow:
        connection.settimeout(10)
        with suppress(ConnectionError):
            assert connection.recv(1) == b""
    assert time.monotonic() - began < 5
    assert requests.get(f"{exporter.health.url}/ready", timeout=30).status_code == 200


def _still_takes(connection: socket.socket, piece: bytes) -> bool:
    try:
        connection.sendall(piece)
    except OSError:
        return False
    return True


def test_a_caller_that_reads_nothing_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "_ANSWER_SECONDS", 1.0)
    size = 50_000_000
    server = web.Server("127.0.0.1", 0, "PORT", {"/big": lambda _: Response(b"x" * size)})
    server.start()
    with socket.create_connection(server.address) as deaf:
        deaf.sendall(b"GET /big HTTP/1.1\r\nHost: h\r\n\r\n")
        time.sleep(2)
        received = 0
        with suppress(ConnectionError):
            while piece := deaf.recv(1 << 20):
                received += len(piece)
    assert 0 < received < size
    server.stop()


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (b"GET /ready HTTP/1.1\r\nHost: h\r\nX: " + b"x" * 20_000, b"400"),
        (b"no HTTP at all\r\n\r\n", b"400"),
        (b"BREW /ready HTTP/1.1\r\nHost: h\r\n\r\n", b"405"),
        (b"GET /ready/ HTTP/1.1\r\nHost: evil\r\n\r\n", b"404"),
        (b"GET /ready HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", b"200"),
        (b"GET /ready HTTP/1.0\r\n\r\n", b"200"),
        (b"GET /ready?x=1 HTTP/1.1\r\nHost: h\r\n\r\nGET /ready HTTP/1.1\r\nHost: h\r\n\r\n", b"200"),
    ],
)
def test_an_odd_request_has_one_answer_and_no_line_in_the_log(
    exporter: Exporter, caplog: pytest.LogCaptureFixture, asked: bytes, status: bytes
) -> None:
    with socket.create_connection(exporter.health.address, timeout=30) as caller:
        caller.sendall(asked)
        answer = b""
        with suppress(ConnectionError):
            while piece := caller.recv(1 << 16):
                answer += piece
    assert answer.split()[1] == status
    assert answer.count(b"HTTP/1.1 ") == 1
    assert caplog.records == []


def test_at_debug_the_server_is_heard_but_for_each_request(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    server = web.Server("127.0.0.1", 0, "PORT", {"/here": lambda _: Response(b"yes")})
    server.start()
    assert requests.get(f"{server.url}/here", timeout=30).content == b"yes"
    with socket.create_connection(server.address, timeout=30) as caller:
        caller.sendall(b"no HTTP at all\r\n\r\n")
        assert caller.recv(100).startswith(b"HTTP/1.1 400")
    server.stop()
    logged = [record.getMessage() for record in caplog.records if record.name.startswith("uvicorn")]
    assert "Invalid HTTP request received." in logged
    assert [line for line in logged if "/here" in line] == []


def test_answers_name_no_software_and_are_not_kept(exporter: Exporter) -> None:
    answer = requests.get(f"{exporter.health.url}/ready", timeout=30)
    assert (answer.headers["Server"], answer.headers["Cache-Control"]) == ("emag-pipeline", "no-store")
    assert answer.headers["Connection"] == "close"


def test_a_defect_costs_that_answer_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: str) -> Response:
        raise ValueError("a defect")

    server = web.Server("127.0.0.1", 0, "PORT", {"/broken": broken})
    server.start()
    for _ in range(2):
        assert requests.get(f"{server.url}/broken", timeout=30).status_code == 500
    assert [record.getMessage() for record in caplog.records] == ["answer_failed"] * 2
    server.stop()


def test_all_addresses_means_those_of_ipv4_too() -> None:
    server = web.Server("::", 0, "PORT", {"/here": lambda _: Response(b"yes")})
    server.start()
    for host in ("127.0.0.1", "[::1]"):
        assert requests.get(f"http://{host}:{server.address[1]}/here", timeout=30).content == b"yes"
    server.stop()


@pytest.mark.parametrize("variable", ["EMAG_SYNC_METRICS_PORT", "EMAG_SYNC_HEALTH_PORT"])
def test_a_taken_port_is_a_wrong_setting(variable: str, database: Database) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken, (free,) = listener.getsockname()[1], free_ports(1)
        settings = _settings(taken, free) if "METRICS" in variable else _settings(free, taken)
        with pytest.raises(SettingsError, match=f"{variable} is {taken}, and nothing can listen there"):
            Exporter(settings, lambda: database)
