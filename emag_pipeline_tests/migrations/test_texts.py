"""0006, texts of any length, on a database that the version before has filled."""

import random
from collections.abc import Iterator

import pytest

from emag_pipeline.store import migrate
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import execute, rows, sync


@pytest.fixture
def filled(empty_url: str) -> Iterator[Database]:
    """Two offers and a failed sync of the version before, upgraded."""
    database = Database(empty_url)
    migrate.upgrade(database, "0005")
    execute(
        database,
        """INSERT INTO emag_product_offers
               (account_type, emag_offer_id, part_number_key, validation_status, translation_validation_status,
                is_saleable, row_hash, first_seen_at, changed_at, last_sync_id)
           SELECT 'main', id, key, '{9}', '{}', true, decode(md5('x'), 'hex'), now(), now(), gen_random_uuid()
           FROM (VALUES (1, 'DKEY'), (2, NULL)) v (id, key)""",
    )
    execute(
        database,
        """INSERT INTO emag_offer_syncs
               (sync_id, account_type, status, phase, lease_token, deadline_at, error_class)
           VALUES (gen_random_uuid(), 'main', 'failed', 'publishing', gen_random_uuid(), now(), 'PermanentError')""",
    )
    migrate.upgrade(database)
    yield database
    database.close()


def test_offers_are_found_by_their_key_as_before_and_by_one_of_any_length(filled: Database) -> None:
    by_key = "SELECT emag_offer_id FROM emag_product_offers WHERE part_number_key = :key"
    assert [row.emag_offer_id for row in rows(filled, by_key, key="DKEY")] == [1]
    long = "".join(random.choices([chr(code) for code in range(0x4E00, 0x9FFF)], k=30_000))
    sync(filled, [offer(1, part_number_key="DKEY"), offer(2, part_number_key=long)])
    assert [row.emag_offer_id for row in rows(filled, by_key, key=long)] == [2]


def test_earlier_syncs_are_not_discarded(filled: Database) -> None:
    assert rows(filled, "SELECT discarded_at, discarded_by FROM emag_offer_syncs") == [(None, None)]
