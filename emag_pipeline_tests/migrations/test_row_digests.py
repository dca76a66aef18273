"""0009 on a database that the version before has filled: what is staged stays as it is, and may be published."""

from collections.abc import Iterator

import pytest

from emag_pipeline import embedded
from emag_pipeline.errors import PermanentError
from emag_pipeline.model import Unchanged
from emag_pipeline.store import migrate
from emag_pipeline.store.catalog import logged_tables
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import staging_room
from emag_pipeline_tests.databases import administer, drop
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import execute, rows, sync

_STAGED = """
    INSERT INTO emag_scan_offers
        (account_type, sync_id, page, fetched_at, emag_offer_id, row_hash, content_hash, validation_status,
         translation_validation_status, is_saleable, ean, raw, unreadable, name)
    SELECT 'main', gen_random_uuid(), 1, now(), number, '', '', '{9}', '{}', true, '{594}', '{"a": 1}', '{}', 'Cafea'
    FROM generate_series(1, 2) number
"""


@pytest.fixture
def filled(cluster: embedded.EmbeddedServer) -> Iterator[Database]:
    """A database of version 0008 in which two offers are staged, and that somebody may read, brought to the newest."""
    administer(cluster, "CREATE DATABASE filled_digests")
    administer(cluster, "CREATE ROLE digests_reader")
    database = Database(cluster.url("filled_digests"))
    try:
        migrate.upgrade(database, "0008")
        execute(database, "SELECT emag_make_room('main')")
        execute(database, _STAGED)
        execute(database, "GRANT SELECT ON emag_scan_pages TO digests_reader")
        migrate.upgrade(database)
        yield database
    finally:
        database.close()
        drop(cluster, "filled_digests")
        administer(cluster, "DROP ROLE digests_reader")


def test_what_was_staged_stays_and_was_read_in_full(filled: Database) -> None:
    found = rows(filled, "SELECT is_unchanged, row_digest, name FROM emag_scan_offers")
    assert [(row.is_unchanged, row.row_digest, row.name) for row in found] == [(False, None, "Cafea")] * 2


def test_a_row_that_was_read_has_to_be_whole(filled: Database) -> None:
    table = staging_room.name("emag_scan_offers", "main")
    with pytest.raises(PermanentError, match="emag_scan_offers_is_read"):
        execute(filled, f"UPDATE {table} SET raw = NULL")


def test_what_is_remembered_is_in_no_backup_and_may_be_read_by_whoever_may_read_staging(filled: Database) -> None:
    with filled.transaction() as tx:
        assert "emag_row_digests" not in logged_tables(tx)
    sql = f"SELECT has_table_privilege('digests_reader', '\"{filled.schema}\".emag_row_digests', 'SELECT') AS may"
    assert rows(filled, sql)[0].may


def test_no_index_is_of_what_each_change_of_an_offer_changes(filled: Database) -> None:
    indexes = rows(filled, "SELECT indexdef FROM pg_indexes WHERE tablename = 'emag_product_offers'")
    assert len(indexes) > 2
    assert [one.indexdef for one in indexes if "row_hash" in one.indexdef] == [], "it could not be written in place"


def test_offers_are_published_whether_they_were_read_or_not(filled: Database) -> None:
    one, two = offer(1), offer(2)
    assert sync(filled, [one, two]).created == 2
    assert sync(filled, [Unchanged(1, one.row_hash, one.content_hash), two]).unchanged == 2
