"""One shop a module, and one account of which nothing is known."""

import itertools
from collections.abc import Iterator
from contextlib import closing

import pytest

from emag_pipeline.embedded import EmbeddedServer
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.databases import copied
from emag_pipeline_tests.report.shops import open_shop

_serial = itertools.count(1)


@pytest.fixture(scope="module")
def shop(cluster: EmbeddedServer, template: str) -> Iterator[Database]:
    """A database in which `main` has ten days behind it, and `fbe` nothing."""
    with copied(cluster, template, f"shop_{next(_serial)}") as url, closing(Database(url)) as database:
        open_shop(database)
        yield database
