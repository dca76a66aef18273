"""G9 (the storage's part): re-syncing an unchanged catalogue changes no offer row and writes next to nothing."""

from emag_pipeline.db.engine import Database
from emag_pipeline_tests.db.offers import offer
from emag_pipeline_tests.db.syncs import rows, sync

_VERSIONS = """
    SELECT o.xmin::text AS offer, p.xmin::text AS product, h.xmin::text AS state
    FROM {schema}.emag_product_offers o JOIN {schema}.emag_products p USING (account_type, emag_offer_id)
    JOIN {schema}.emag_offer_history h USING (account_type, emag_offer_id) ORDER BY o.emag_offer_id
"""
_OFFERS = 5_000


def test_g9_an_unchanged_resync_rewrites_no_row_and_writes_few_bytes_of_wal(database: Database) -> None:
    catalogue = [offer(id_, description="<p>" + "text " * 200 + "</p>") for id_ in range(1, _OFFERS + 1)]
    sync(database, catalogue)
    before = rows(database, _VERSIONS)
    wal = rows(database, "SELECT pg_current_wal_insert_lsn() AS at")[0].at
    assert sync(database, catalogue).unchanged == _OFFERS
    written = rows(database, "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), :at) AS bytes", at=wal)[0].bytes
    assert rows(database, _VERSIONS) == before
    assert written / _OFFERS < 20
