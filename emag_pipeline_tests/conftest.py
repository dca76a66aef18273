"""One PostgreSQL cluster a test process, one template database with the schema, one copy of it a test."""

import itertools
import os
import signal
import time
from collections.abc import Generator, Iterator

import pytest

from emag_pipeline import embedded
from emag_pipeline.drills.scratch_server import ScratchServer
from emag_pipeline.store import migrate
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.databases import administer, copied, drop
from emag_pipeline_tests.midnight import seconds_to_wait

_serial = itertools.count(1)
#: A test's database need not survive a power cut.
_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "64MB"}


def pytest_configure() -> None:
    """Signals mean what they mean at a terminal, also where the tests were started in a script's background.

    There SIGINT is ignored, every child inherits that, and Dagster makes SIGTERM do what SIGINT does.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """No test asks for today before midnight and for its answer after it."""
    time.sleep(seconds_to_wait(time.time()))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: "pytest.CallInfo[None]"
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where EMAG_NO_SKIP is set (CI), a skipped test is a failed one: its system tool should have been there."""
    report = yield
    if report.skipped and os.environ.get("EMAG_NO_SKIP"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def cluster() -> Iterator[embedded.EmbeddedServer]:
    with ScratchServer.opened(_FAST) as server:
        yield server.running()


@pytest.fixture(scope="session")
def template(cluster: embedded.EmbeddedServer) -> str:
    database = Database(cluster.url("template_emag"))
    migrate.upgrade(database)
    database.close()
    return "template_emag"


@pytest.fixture(scope="session")
def read_only_database(cluster: embedded.EmbeddedServer, template: str) -> Iterator[Database]:
    """The schema and nothing in it, shared by tests that write nothing: a copy of their own would cost most of them."""
    with copied(cluster, template, "read_only") as url:
        administer(cluster, "ALTER DATABASE read_only SET default_transaction_read_only = on")
        database = Database(url, pool_size=2)
        yield database
        database.close()


@pytest.fixture
def empty_url(cluster: embedded.EmbeddedServer) -> Iterator[str]:
    """The URL of a database without the schema."""
    name = f"empty_{next(_serial)}"
    yield cluster.url(name)
    drop(cluster, name)


@pytest.fixture
def database_url(cluster: embedded.EmbeddedServer, template: str) -> Iterator[str]:
    """The URL of a database with the schema and nothing in it."""
    with copied(cluster, template, f"test_{next(_serial)}") as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url, pool_size=8)
    yield database
    database.close()
