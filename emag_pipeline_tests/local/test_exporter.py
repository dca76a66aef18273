"""The exporter as a process, and a database server that is frozen, locked, stopped and started under it."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from emag_pipeline import embedded
from emag_pipeline.drills.scratch_server import ScratchServer
from emag_pipeline.store import migrate, monitoring_tables
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.cli.commands import emag_pipeline, environment
from emag_pipeline_tests.local.ups import free_ports, wait_until
from emag_pipeline_tests.monitoring.expositions import value
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import sync

pytestmark = pytest.mark.services

#: What Prometheus waits by default.
_SCRAPE_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Exporter:
    """One exporter, the server that it asks, and where its output goes."""

    home: Path
    server: embedded.EmbeddedServer
    metrics: str
    health: str
    output: Path
    process: "subprocess.Popen[bytes]"

    def scrape(self) -> str:
        return requests.get(f"{self.metrics}/metrics", timeout=_SCRAPE_SECONDS).text

    def is_up(self) -> bool:
        return value(self.scrape(), "emag_sync_database_up") == 1

    def asked(self, path: str) -> tuple[int, Any]:
        answer = requests.get(f"{self.health}{path}", timeout=30)
        return answer.status_code, answer.json()

    def database(self) -> Database:
        return Database(self.server.url("emag"))


def _start(home: Path, server: embedded.EmbeddedServer) -> Exporter:
    metrics, health = free_ports(2)
    variables = {
        "EMAG_SYNC_METRICS_PORT": str(metrics),
        "EMAG_SYNC_HEALTH_PORT": str(health),
        "DATABASE_SYNC_URL": server.url("emag").replace("postgres@", "postgres:s3cret@"),
    }
    output = home / f"exporter-{metrics}.txt"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "emag_pipeline", "exporter"],
            env=environment(home, **variables), cwd=home, stdout=file, stderr=file,
        )  # fmt: skip
    exporter = Exporter(home, server, f"http://127.0.0.1:{metrics}", f"http://127.0.0.1:{health}", output, process)
    wait_until(lambda: "health: " in output.read_text() or process.poll() is not None, 60, output.read_text)
    return exporter


@pytest.fixture(scope="module")
def exporter() -> Iterator[Exporter]:
    with ScratchServer.opened({}) as server:
        with closing(Database(server.url("emag"))) as database:
            migrate.upgrade(database)
            sync(database, [offer(1), offer(2)])
        exporter = _start(server.home, server.running())
        yield exporter
        exporter.process.kill()
        exporter.process.wait()


@contextmanager
def _frozen(exporter: Exporter) -> Iterator[None]:
    postmaster = exporter.server.postmaster()
    processes = [postmaster, *postmaster.children()]
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


def _wait_until_up(exporter: Exporter) -> None:
    wait_until(exporter.is_up, 60, exporter.output.read_text)


def test_it_tells_what_is_published_and_that_nobody_looks_after_it(exporter: Exporter) -> None:
    assert value(exporter.scrape(), "emag_offers", account_type="main", state="saleable") == 2
    code, health = exporter.asked("/health")
    assert code == 503
    assert health["accounts"]["main"]["state"] == "completed"
    assert "daemon" in {problem["subject"] for problem in health["problems"]}
    assert exporter.asked("/ready")[0] == 200


def test_a_frozen_server_is_told_in_time_for_prometheus_and_is_found_again(exporter: Exporter) -> None:
    _wait_until_up(exporter)
    with _frozen(exporter):
        assert not exporter.is_up()
        code, health = exporter.asked("/health")
        assert (code, health["problems"][0]["subject"]) == (503, "database")
        assert "no response within 3 s" in health["problems"][0]["what"]
    _wait_until_up(exporter)


def test_a_table_that_is_locked_delays_a_scrape_no_longer_than_prometheus_waits(exporter: Exporter) -> None:
    _wait_until_up(exporter)
    database = exporter.database()
    with database.transaction() as tx:
        tx.run("LOCK TABLE emag_counters IN ACCESS EXCLUSIVE MODE")
        assert not exporter.is_up()
    database.close()
    _wait_until_up(exporter)


def test_a_server_that_is_stopped_is_a_reason_with_a_remedy_and_comes_back_by_itself(exporter: Exporter) -> None:
    _wait_until_up(exporter)
    exporter.server.stop()
    assert not exporter.is_up()
    for path in ("/health", "/ready"):
        code, answer = exporter.asked(path)
        assert code == 503
        assert answer["problems"][0]["subject"] == "database"
        assert answer["problems"][0]["remedy"].startswith("Start it")
    embedded.start(exporter.home)
    _wait_until_up(exporter)
    assert exporter.process.poll() is None


def test_counters_go_on_where_they_were_in_another_exporter(exporter: Exporter) -> None:
    _wait_until_up(exporter)
    database = exporter.database()
    with database.transaction() as tx:
        monitoring_tables.add_to_counters(tx, {("emag_sync_stuck_syncs_total", (("account_type", "main"),)): 3})
    database.close()
    other = _start(exporter.home, exporter.server)
    assert value(other.scrape(), "emag_sync_stuck_syncs_total", account_type="main") == 3
    other.process.send_signal(signal.SIGTERM)
    assert other.process.wait(30) == 0


def test_sigterm_ends_it_at_once_even_in_the_middle_of_a_scrape(exporter: Exporter) -> None:
    other = _start(exporter.home, exporter.server)
    with _frozen(exporter):
        with pytest.raises(requests.Timeout):
            requests.get(f"{other.metrics}/metrics", timeout=1)
        began = time.monotonic()
        other.process.send_signal(signal.SIGTERM)
        assert other.process.wait(30) == 0
        assert time.monotonic() - began < 3


def test_the_password_is_nowhere(exporter: Exporter) -> None:
    exporter.server.stop()
    told = [exporter.scrape(), str(exporter.asked("/health")), str(exporter.asked("/ready"))]
    embedded.start(exporter.home)
    _wait_until_up(exporter)
    told += [exporter.output.read_text(), " ".join(psutil.Process(exporter.process.pid).cmdline())]
    assert "s3cret" not in " ".join(told)


def test_a_taken_port_ends_the_start_with_its_name(exporter: Exporter, tmp_path: Path) -> None:
    taken = exporter.health.rpartition(":")[2]
    done = emag_pipeline(
        tmp_path, "exporter", EMAG_SYNC_METRICS_PORT=str(free_ports(1)[0]), EMAG_SYNC_HEALTH_PORT=taken
    )
    assert done.returncode == 2
    assert f"EMAG_SYNC_HEALTH_PORT is {taken}, and nothing can listen there" in done.stderr
    assert list(tmp_path.iterdir()) == []
