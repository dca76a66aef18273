"""Databases in which an account is published already: a copy of one costs a fraction of a whole sync."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager

from emag_pipeline.embedded import EmbeddedServer
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.databases import copied
from emag_pipeline_tests.sandbox.sandboxes import unlimited_sandbox
from emag_pipeline_tests.sync.refresh import context_for, refresh


@contextmanager
def published_once(server: EmbeddedServer, template: str, name: str, accounts: Mapping[str, int]) -> Iterator[str]:
    """The name of a new database into which one sync published `main` of a sandbox with these accounts.

    Sandboxes with equally many offers hold the same ones, so a test's own sandbox continues where this one ended.
    """
    with copied(server, template, name) as url:
        with unlimited_sandbox(accounts=accounts) as market, closing(Database(url, pool_size=8)) as database:
            refresh(context_for(database, market.url))
        yield name
