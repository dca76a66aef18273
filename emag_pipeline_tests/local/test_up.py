import json
import os
import re
import signal
import socket
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests

from emag_pipeline import embedded, processes, running_up
from emag_pipeline.local import ports
from emag_pipeline.reference.tables import RESOURCES, last_reads
from emag_pipeline.sandbox import SandboxControl
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.status import account_statuses
from emag_pipeline_tests.cli.commands import emag_pipeline
from emag_pipeline_tests.local.ups import Up, processes_of, start, wait_until
from emag_pipeline_tests.monitoring.expositions import value

pytestmark = pytest.mark.services

#: Those that have one plain value in the API and one column.
_FIELDS = (
    "part_number_key", "part_number", "status", "sale_price", "recommended_price", "best_offer_sale_price",
    "best_offer_recommended_price", "buy_button_rank", "number_of_offers", "currency", "general_stock",
    "estimated_stock", "warranty", "vat_id", "name", "brand", "description", "url", "safety_information",
    "category_id", "vendor_category_id", "ownership", "genius_eligibility", "genius_eligibility_type",
    "genius_computed", "ean",
)  # fmt: skip
_READY = "ready: look at http://127.0.0.1:"


def _cleared(home: Path) -> None:
    """End whatever a failed test has left."""
    processes.kill(running_up.members(home))
    server = embedded.running(home)
    if server is not None:
        server.stop()


@pytest.fixture
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="emag-up-") as directory:
        yield Path(directory) / "home"
        _cleared(Path(directory) / "home")


@pytest.fixture(scope="module")
def newcomer() -> Iterator[Up]:
    """`up` without any settings of database or accounts."""
    with tempfile.TemporaryDirectory(prefix="emag-up-") as directory:
        up = start(Path(directory) / "home")
        try:
            up.wait_for(_READY)
            yield up
        finally:
            if up.process.poll() is None:
                up.end(signal.SIGTERM)
            _cleared(up.home)


@pytest.fixture
def published(newcomer: Up) -> Iterator[Database]:
    """The newcomer's database once everything is published."""
    newcomer.wait_for("all accounts are published")
    server = embedded.running(newcomer.home)
    assert server is not None
    database = Database(server.url("emag"))
    yield database
    database.close()


def test_it_says_what_it_uses_and_where_to_look(newcomer: Up) -> None:
    said = newcomer.said()
    assert f"embedded PostgreSQL in {newcomer.home}" in said
    assert "account main: sandbox" in said
    assert f"starting the exporter: http://127.0.0.1:{newcomer.metrics_port}/metrics" in said
    assert f"{_READY}{newcomer.ui_port}" in said


def test_both_accounts_are_published_without_a_click(newcomer: Up, published: Database) -> None:
    statuses = account_statuses(published, ["main", "fbe"])
    assert [(status.state, status.offers) for status in statuses] == [("completed", 1200), ("completed", 800)]


def test_reference_data_is_read_without_a_click(published: Database) -> None:
    wait_until(lambda: set(last_reads(published, "sandbox")) == {one.name for one in RESOURCES}, 60)


@pytest.mark.parametrize("account", ["main", "fbe"])
def test_what_is_published_is_the_marketplaces_truth_field_by_field(
    account: str, newcomer: Up, published: Database
) -> None:
    truth = SandboxControl(newcomer.sandbox_url).command(
        "truth", {"account": account, "page": 1, "items_per_page": 2000}
    )
    saleable = set(truth["saleable"])
    wanted = {offer["id"]: (*(_exact(offer[f]) for f in _FIELDS), offer["id"] in saleable) for offer in truth["offers"]}
    with published.transaction() as tx:
        rows = tx.run(
            f"SELECT emag_offer_id, {', '.join(_FIELDS)}, is_saleable FROM emag_product_offers"
            " JOIN emag_products USING (account_type, emag_offer_id)"
            " WHERE account_type = :account AND deleted_at IS NULL",
            account=account,
        ).all()
    found = {row[0]: tuple(map(_exact, row[1:])) for row in rows}
    assert found == wanted


def _exact(value: object) -> object:
    """Money without its trailing zeros, and never as a float."""
    return Decimal(str(value)).normalize() if isinstance(value, float | Decimal) else value


def test_the_ui_shows_each_account_as_materialized_and_audited(newcomer: Up) -> None:
    newcomer.wait_for("all accounts are published")
    query = """query ($asset: AssetKeyInput!) { assetNodeOrError(assetKey: $asset) { ... on AssetNode {
        assetPartitionStatuses { ... on DefaultPartitionStatuses { materializedPartitions } }
        assetChecksOrError { ... on AssetChecks { checks {
            name latest: executionForLatestMaterialization { status } } } } } } }"""

    def shown(asset: str) -> Any:
        return newcomer.graphql(query, asset={"path": [asset]})["assetNodeOrError"]

    def materialized(asset: str) -> list[str]:
        return sorted(shown(asset)["assetPartitionStatuses"]["materializedPartitions"])

    checks = set()
    for asset in ("staged_offers", "offers"):
        # Dagster notes it when the step is over, a moment after the publish
        wait_until(lambda: materialized(asset) == ["fbe", "main"], 60, lambda: str(shown(asset)))  # noqa: B023
        node = shown(asset)
        checks |= {
            (one["name"], one["latest"]["status"]) for one in node["assetChecksOrError"]["checks"] if one["latest"]
        }
    assert checks >= {
        (name, "SUCCEEDED")
        for name in (
            "scan_is_complete",
            "offer_ids_are_unique",
            "rejects_within_tolerance",
            "volume_has_not_collapsed",
        )
    }


def test_its_exporter_tells_what_was_published_and_is_started_again_when_it_dies(newcomer: Up) -> None:
    newcomer.wait_for("all accounts are published")
    assert value(_metrics(newcomer), "emag_offers", account_type="fbe", state="deleted") == 0
    (exporter,) = (one for one in running_up.members(newcomer.home) if "exporter" in one.cmdline())
    exporter.kill()
    newcomer.wait_for("exporter was killed by signal 9; restarting it")
    wait_until(lambda: ports.answers(newcomer.metrics_port), 60, newcomer.said)
    processed = value(_metrics(newcomer), "emag_sync_offers_processed_total", account_type="main")
    assert processed >= 1200


def _metrics(up: Up) -> str:
    return requests.get(f"http://127.0.0.1:{up.metrics_port}/metrics", timeout=30).text


def test_a_second_up_only_says_that_it_runs(newcomer: Up) -> None:
    second = start(newcomer.home)
    assert second.process.wait(60) == 0
    began = r"since \d{4}-\d\d-\d\d \d\d:\d\d UTC, "
    assert re.match(f"already running: process {newcomer.process.pid}, {began}", second.said())
    assert f"UI at http://127.0.0.1:{newcomer.ui_port}" in second.said()
    kept = f"EMAG_UI_PORT is {second.ui_port} here, and is ignored: it stays at {newcomer.ui_port}"
    assert f"{kept} until that `up` is stopped" in second.said()
    assert f"EMAG_SYNC_HEALTH_PORT is {second.health_port} here, and is ignored" in second.said()
    assert newcomer.process.poll() is None


def test_status_reads_the_database_of_a_running_up(newcomer: Up) -> None:
    done = emag_pipeline(newcomer.home, "status")
    assert done.returncode == 0
    assert "main" in done.stdout


_PORTS = ("EMAG_UI_PORT", "EMAG_SANDBOX_PORT", "EMAG_SYNC_METRICS_PORT", "EMAG_SYNC_HEALTH_PORT")


@pytest.mark.parametrize("variable", _PORTS)
def test_a_taken_port_is_a_wrong_setting_and_nothing_is_started(variable: str, home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        up = start(home, **{variable: str(port)})
        assert up.process.wait(60) == 2
    assert f"{variable} is {port}, and that port is taken" in up.said()
    assert not (home / "postgres").exists()


def test_sigterm_leaves_nothing_and_no_command_line_held_the_password(
    home: Path, database_url: str, cluster: embedded.EmbeddedServer
) -> None:
    up = start(home, EMAG_SANDBOX="1", DATABASE_SYNC_URL=database_url.replace("postgres@", "postgres:s3cret@"))
    up.wait_for(_READY)
    running = processes_of(home)
    assert len(running) >= 5
    assert "s3cret" not in " ".join(running) + up.said()
    assert "postgres:***@" in up.said()
    assert up.end(signal.SIGTERM) == 0
    assert processes_of(home) == []
    assert not ports.answers(up.ui_port)
    assert not ports.answers(up.sandbox_port)
    assert not ports.answers(up.metrics_port)
    assert not (home / "postgres").exists()


def test_after_a_kill_the_next_up_clears_away_what_was_left_and_ctrl_c_stops_it_all(home: Path) -> None:
    killed = start(home)
    killed.wait_for("starting Dagster's webserver")
    killed.end(signal.SIGKILL)
    assert processes_of(home) != []
    told = f"`up` (process {killed.process.pid}) was killed; its programs ("
    document = json.loads(emag_pipeline(home, "doctor", "--json").stdout)
    (finding,) = [one for one in document["findings"] if one["subject"] == "programs"]
    assert (finding["verdict"], finding["what"][: len(told)]) == ("broken", told)
    (line,) = [line for line in emag_pipeline(home, "status").stdout.splitlines() if told in line]
    assert line.endswith("run unsupervised. Run `emag-pipeline up` again, which ends them first.")
    up = start(home, EMAG_UI_PORT=str(killed.ui_port), EMAG_SANDBOX_PORT=str(killed.sandbox_port))
    up.wait_for(_READY)
    assert "left behind by an `up` that was killed" in up.said()
    assert up.end(signal.SIGINT) == 130
    assert processes_of(home) == []


def test_ctrl_c_while_it_starts_is_no_failure(home: Path) -> None:
    up = start(home)
    up.wait_for("starting the embedded PostgreSQL")
    assert up.end(signal.SIGINT) == 130
    assert "stopped" in up.said()
    assert processes_of(home) == []


def test_definitions_that_do_not_load_are_named(home: Path, database_url: str) -> None:
    path = os.pathsep.join([str(_without_definitions(home)), *os.environ.get("PYTHONPATH", "").split(os.pathsep)])
    up = start(home, EMAG_SANDBOX="1", DATABASE_SYNC_URL=database_url, PYTHONPATH=path.rstrip(os.pathsep))
    assert up.process.wait(120) == 5, up.said()
    assert "Dagster could not load emag_pipeline.definitions" in up.said()
    assert processes_of(home) == []


def _without_definitions(home: Path) -> Path:
    """A directory for PYTHONPATH that keeps Dagster's processes, and only them, from importing the definitions."""
    directory = home.with_name("hooks")
    directory.mkdir()
    hook = "import sys\nif 'grpc' in sys.argv or 'grpc' in ' '.join(sys.orig_argv): sys.modules['requests'] = None\n"
    (directory / "sitecustomize.py").write_text(hook)
    return directory
