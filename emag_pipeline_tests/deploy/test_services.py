"""The services as deploy/deploy installs them, each started by its unit's own command: install, sync, stop, go on."""

import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from emag_pipeline import embedded, processes
from emag_pipeline.local import programs
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.databases import drop
from emag_pipeline_tests.deploy.sites import Site, make_site
from emag_pipeline_tests.local.ups import wait_until
from emag_pipeline_tests.promises.watching import durable_pages, newest, wait_for, wait_for_pages
from emag_pipeline_tests.sandbox.sandboxes import unlimited_sandbox
from emag_pipeline_tests.sync.truth import assert_published_exactly

pytestmark = pytest.mark.services

_UNITS = [f"emag-pipeline-{name}.service" for name in ("code-location", "daemon", "webserver", "exporter")]


@pytest.fixture(scope="module")
def market() -> Iterator[SandboxServer]:
    """Ten pages; nothing comes after the fifth one until the faults are cleared."""
    with unlimited_sandbox(accounts={"main": 950}) as market:
        market.add_fault("hang", pages=list(range(6, 12)))
        yield market


@pytest.fixture(scope="module")
def database(cluster: embedded.EmbeddedServer) -> Iterator[Database]:
    """An empty one, as an administrator hands it over."""
    cluster.ensure_database("services_dagster")
    database = Database(cluster.url("services"))
    yield database
    database.close()
    for name in ("services", "services_dagster"):
        drop(cluster, name)


@pytest.fixture(scope="module")
def site(market: SandboxServer, database: Database, cluster: embedded.EmbeddedServer, wheel: Path) -> Iterator[Site]:
    """All services, installed and working."""
    with tempfile.TemporaryDirectory(prefix="emag-services-") as directory:
        site = make_site(
            Path(directory),
            EMAG_API_BASE_URL=market.url,
            EMAG_API_USERNAME="main@sandbox.example",
            EMAG_API_PASSWORD="sandbox",
            EMAG_API_REQUESTS_PER_SECOND=50,
            EMAG_API_REQUESTS_PER_MINUTE=3000,
            DATABASE_SYNC_URL=cluster.url("services"),
            DAGSTER_PG_URL=cluster.url("services_dagster"),
        )
        try:
            done = site.install(wheel)
            assert done.returncode == 0, done.stdout + done.stderr + site.logs()
            yield site
        finally:
            processes.kill(site.processes())


def test_from_an_empty_database_the_services_begin_a_sync_without_a_click(site: Site, database: Database) -> None:
    wait_for_pages(database, 5, seconds=60)
    wait_until(lambda: programs.is_loaded(site.ui), 30, site.logs)


def test_nothing_listens_beyond_this_machine(site: Site) -> None:
    listening = []
    for process in site.processes():
        with suppress(psutil.NoSuchProcess):  # short-lived ones, such as a run that has just ended
            found = process.net_connections("inet")
            listening += [connection.laddr for connection in found if connection.status == psutil.CONN_LISTEN]
    assert len(listening) == 4
    assert {address.ip.removeprefix("::ffff:") for address in listening} == {"127.0.0.1"}


def test_a_stop_interrupts_the_sync_which_says_so_and_leaves_nothing_running(site: Site, database: Database) -> None:
    site.systemctl("stop", *reversed(_UNITS))
    row = newest(database)
    assert (row.status, row.error_class) == ("cancelled", "Interrupted")
    assert site.processes() == []
    assert (site.systemd / "killed").read_text() == "", "nothing had to be killed"
    assert durable_pages(database) == {1, 2, 3, 4, 5}


def test_the_next_start_goes_on_after_the_last_durable_page_and_publishes(
    site: Site, database: Database, market: SandboxServer
) -> None:
    market.clear_faults()
    market.reset_stats()
    site.systemctl("start", *_UNITS)
    wait_for(database, seconds=180, status="completed")
    assert newest(database).attempt == 2
    assert_published_exactly(database, market, "main")
