"""G9: re-syncing an unchanged catalogue changes no offer row and writes next to nothing.

What is measured is what the sync itself writes. The server's own doing is switched off meanwhile: autovacuum, and the
whole pages that are logged after each checkpoint.
"""

from collections.abc import Iterator

import pytest

from emag_pipeline.embedded import EmbeddedServer
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.databases import administer
from emag_pipeline_tests.promises.watching import versions
from emag_pipeline_tests.sandbox.sandboxes import unlimited_sandbox
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.refresh import context_for, refresh
from emag_pipeline_tests.sync.syncs import rows, sync

_PUBLISHED = ("emag_product_offers", "emag_products", "emag_offer_states")
_OFFERS = 5_000


@pytest.fixture(autouse=True)
def quiet_server(cluster: EmbeddedServer) -> Iterator[None]:
    settings = {"autovacuum": "off", "full_page_writes": "off", "checkpoint_timeout": "'1d'", "max_wal_size": "'64GB'"}
    for name, value in settings.items():
        administer(cluster, f"ALTER SYSTEM SET {name} = {value}")
    administer(cluster, "SELECT pg_reload_conf()")
    yield
    for name in settings:
        administer(cluster, f"ALTER SYSTEM RESET {name}")
    administer(cluster, "SELECT pg_reload_conf()")


def _wal_position(database: Database) -> str:
    return str(rows(database, "SELECT pg_current_wal_insert_lsn() AS at")[0].at)


def _wal_bytes_since(database: Database, position: str) -> int:
    sql = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), CAST(:at AS pg_lsn)) AS bytes"
    return int(rows(database, sql, at=position)[0].bytes)


def test_g9_an_unchanged_catalogue_read_again_through_the_api_rewrites_no_row(database: Database) -> None:
    with unlimited_sandbox(accounts={"main": 2_000}) as market:
        refresh(context_for(database, market.url))
        before = versions(database, *_PUBLISHED)
        position = _wal_position(database)
        market.settings(quirk_share=1)  # the same offers in other words
        assert refresh(context_for(database, market.url)).published.unchanged == 2_000
        written = _wal_bytes_since(database, position)
        assert versions(database, *_PUBLISHED) == before
        assert written / 2_000 < 60  # ledger, request log, rate budget, and heartbeats as long as it takes


def test_g9_an_unchanged_resync_rewrites_no_row_and_writes_few_bytes_of_wal(database: Database) -> None:
    catalogue = [offer(id_, description="<p>" + "text " * 200 + "</p>") for id_ in range(1, _OFFERS + 1)]
    sync(database, catalogue)
    before = versions(database, *_PUBLISHED)
    position = _wal_position(database)
    assert sync(database, catalogue).unchanged == _OFFERS
    written = _wal_bytes_since(database, position)
    assert versions(database, *_PUBLISHED) == before
    assert written / _OFFERS < 20
