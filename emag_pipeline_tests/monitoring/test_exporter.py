"""The exporter's two ports, in this process; what needs a process of its own is in process/test_exporter.py."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from emag_pipeline.errors import SettingsError
from emag_pipeline.monitoring.exporter import Exporter
from emag_pipeline.settings import Settings, load_settings
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.process.ups import free_ports


def _settings(metrics: int, health: int) -> Settings:
    given = {"EMAG_SYNC_METRICS_PORT": str(metrics), "EMAG_SYNC_HEALTH_PORT": str(health)}
    return load_settings(given, env_file=None)


@pytest.fixture
def exporter(database: Database) -> Iterator[Exporter]:
    exporter = Exporter(_settings(*free_ports(2)), lambda: database)
    exporter.start()
    yield exporter
    for server in (exporter.metrics, exporter.health):
        server.shutdown()
        server.server_close()


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
    address = exporter.health.server_address
    silent = [socket.create_connection((str(address[0]), int(address[1]))) for _ in range(40)]
    refused = [connection for connection in silent[16:] if connection.recv(100).startswith(b"HTTP/1.0 503")]
    assert len(refused) == 24
    for connection in silent:
        connection.close()


@pytest.mark.parametrize("variable", ["EMAG_SYNC_METRICS_PORT", "EMAG_SYNC_HEALTH_PORT"])
def test_a_taken_port_is_a_wrong_setting(variable: str, database: Database) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken, (free,) = listener.getsockname()[1], free_ports(1)
        settings = _settings(taken, free) if "METRICS" in variable else _settings(free, taken)
        with pytest.raises(SettingsError, match=f"{variable} is {taken}, and nothing can listen there"):
            Exporter(settings, lambda: database)
