"""0006 on a database whose accounts are known: they take the host of their first start."""

from collections.abc import Iterator

import pytest

from emag_pipeline.store import migrate
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.accounts import first_host
from emag_pipeline_tests.sync.syncs import rows


@pytest.fixture
def before(empty_url: str) -> Iterator[Database]:
    """At 0005, with an account."""
    database = Database(empty_url)
    migrate.upgrade(database, "0005")
    with database.transaction() as tx:
        tx.run("INSERT INTO emag_accounts (account_type, marketplace, currency) VALUES ('main', 'emag_ro', 'RON')")
    yield database
    database.close()


def test_accounts_that_are_there_take_the_host_of_the_first_start(before: Database) -> None:
    migrate.upgrade(before)
    hosts = "SELECT account_type, marketplace, host FROM emag_accounts"
    assert rows(before, hosts) == [("main", "emag_ro", None)]
    assert first_host(before, "main", "emag_ro", "RON", "a.example") == "a.example"
    assert first_host(before, "main", "emag_ro", "RON", "b.example") == "a.example"
    assert first_host(before, "fbe", "emag_bg", "EUR", "b.example") == "b.example"
