"""One shop a module, and one account of which nothing is known."""

import itertools
from collections.abc import Iterator

import pytest

from emag_pipeline.embedded import EmbeddedServer
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.conftest import administer
from emag_pipeline_tests.report.shops import open_shop

_serial = itertools.count(1)


@pytest.fixture(scope="module")
def shop(cluster: EmbeddedServer, template: str) -> Iterator[Database]:
    """A database in which `main` has ten days behind it, and `fbe` nothing."""
    name = f"shop_{next(_serial)}"
    administer(cluster, f"CREATE DATABASE {name} TEMPLATE {template}")
    database = Database(cluster.url(name))
    open_shop(database)
    yield database
    database.close()
    administer(cluster, f"DROP DATABASE {name} WITH (FORCE)")
