"""0006 on publishes of the version before: they are numbered in the order of their times, and the past stays."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest

from emag_pipeline.store import migrate
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import rows, sync


def _on(day: int) -> datetime:
    return datetime(2026, 3, day, tzinfo=UTC)


_SYNCS = """
    INSERT INTO emag_offer_syncs
        (sync_id, account_type, status, phase, lease_token, started_at, completed_at, deadline_at)
    SELECT gen_random_uuid(), account, status, 'publishing', gen_random_uuid(), at - interval '1 hour', at, at
    FROM (VALUES ('main', 'completed', timestamptz '2026-03-05Z'), ('fbe', 'completed', '2026-03-04Z'),
                 ('main', 'failed', '2026-03-06Z'), ('main', 'completed', '2026-03-03Z')) v (account, status, at)
"""
#: The first publish is no longer in the ledger; nor is the one that ended offer 2.
_STATES = """
    INSERT INTO emag_offer_history
        (account_type, emag_offer_id, validation_status, translation_validation_status, is_saleable, sale_price,
         valid_from, valid_to, sync_id)
    SELECT 'main', offer, '{9}', '{}', true, price, began, ended, gen_random_uuid()
    FROM (VALUES (1, 10, timestamptz '2026-03-01Z', timestamptz '2026-03-03Z'), (1, 11, '2026-03-03Z', NULL),
                 (2, 20, '2026-03-01Z', '2026-03-02Z')) v (offer, price, began, ended)
"""
_OFFERS = """
    INSERT INTO emag_product_offers
        (account_type, emag_offer_id, validation_status, translation_validation_status, is_saleable, sale_price,
         row_hash, first_seen_at, changed_at, deleted_at, last_sync_id)
    SELECT 'main', offer, '{9}', '{}', true, price, '', '2026-03-01Z', changed, gone, gen_random_uuid()
    FROM (VALUES (1, 11, timestamptz '2026-03-03Z', NULL), (2, 20, '2026-03-02Z', timestamptz '2026-03-02Z'))
         v (offer, price, changed, gone)
"""


@pytest.fixture
def filled(empty_url: str) -> Iterator[Database]:
    database = Database(empty_url)
    migrate.upgrade(database, "0005")
    with database.transaction() as tx:
        for statement in (_SYNCS, _STATES, _OFFERS):
            tx.run(statement)
    migrate.upgrade(database)
    yield database
    database.close()


def test_every_publish_that_is_known_has_a_number_in_the_order_of_times(filled: Database) -> None:
    numbered = rows(filled, "SELECT account_type, published_at, stamp FROM emag_publishes ORDER BY publish_number")
    accounts = ["main", "main", "main", "fbe", "main"]
    assert [tuple(row) for row in numbered] == [
        (account, _on(day), _on(day)) for day, account in enumerate(accounts, start=1)
    ]


def test_the_ledger_has_the_numbers_of_its_publishes_and_none_for_what_failed(filled: Database) -> None:
    told = rows(
        filled,
        """SELECT account_type, completed_at FROM emag_offer_syncs
           WHERE status = 'completed' ORDER BY publish_number""",
    )
    assert [tuple(row) for row in told] == [("main", _on(3)), ("fbe", _on(4)), ("main", _on(5))]
    without = rows(filled, "SELECT status FROM emag_offer_syncs WHERE publish_number IS NULL")
    assert [row.status for row in without] == ["failed"]


def test_the_past_is_read_as_before(filled: Database) -> None:
    history = "SELECT emag_offer_id, valid_from, valid_to FROM emag_offer_history ORDER BY 1, 2"
    assert [tuple(row) for row in rows(filled, history)] == [
        (1, _on(1), _on(3)),
        (1, _on(3), None),
        (2, _on(1), _on(2)),
    ]
    past = "SELECT emag_offer_id, sale_price FROM emag_offers_as_of('main', :at) ORDER BY 1"
    told = [[tuple(row) for row in rows(filled, past, at=_on(day))] for day in (1, 2, 3)]
    assert told == [[(1, 10), (2, 20)], [(1, 10)], [(1, 11)]]


def test_the_next_publish_has_the_next_number(filled: Database) -> None:
    sync(filled, [offer(1)], account="fbe")
    newest = rows(filled, "SELECT max(publish_number) AS newest FROM emag_offer_syncs")
    assert newest[0].newest == 6


_AT_ONCE = """
    INSERT INTO emag_offer_syncs
        (sync_id, account_type, status, phase, lease_token, started_at, completed_at, deadline_at)
    SELECT CAST(id AS uuid), account, 'completed', 'publishing', gen_random_uuid(), at - interval '1 hour', at, at
    FROM (VALUES ('00000000-0000-0000-0000-000000000003', 'aaa'), ('00000000-0000-0000-0000-000000000002', 'zzz'),
                 ('00000000-0000-0000-0000-000000000005', 'main'), ('00000000-0000-0000-0000-000000000004', 'main'))
             v (id, account),
         (SELECT timestamptz '2026-03-05 06:00:00.000001Z') moment (at)
"""
_STATE_AT_ONCE = """
    INSERT INTO emag_offer_history
        (account_type, emag_offer_id, validation_status, translation_validation_status, is_saleable, sale_price,
         valid_from, sync_id)
    SELECT account_type, 1, '{9}', '{}', true, 10, completed_at, sync_id
    FROM emag_offer_syncs WHERE sync_id <> '00000000-0000-0000-0000-000000000005'
"""


def test_publishes_of_the_same_microsecond_are_ordered_by_the_ids_of_their_syncs(empty_url: str) -> None:
    with closing(Database(empty_url)) as database:
        migrate.upgrade(database, "0005")
        with database.transaction() as tx:
            tx.run(_AT_ONCE)
            tx.run(_STATE_AT_ONCE)
        migrate.upgrade(database)
        numbered = "SELECT right(sync_id::text, 1), account_type FROM emag_publishes ORDER BY publish_number"
        assert [tuple(row) for row in rows(database, numbered)] == [("2", "zzz"), ("3", "aaa"), ("4", "main")]
        told = """SELECT right(sync_id::text, 1), publish_number FROM emag_offer_syncs
                  WHERE publish_number IS NOT NULL ORDER BY publish_number"""
        assert [tuple(row) for row in rows(database, told)] == [("2", 1), ("3", 2), ("4", 3)]
        sync(database, [offer(1)])
        assert rows(database, "SELECT max(publish_number) FROM emag_publishes")[0][0] == 4
