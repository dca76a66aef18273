"""0007 on a database that the version before has filled, with a scan under way."""

from collections.abc import Iterator

import pytest

from emag_pipeline.db import ledger, migrate
from emag_pipeline.db.engine import Database
from emag_pipeline.settings import load_settings
from emag_pipeline.sync.approval import approve
from emag_pipeline_tests.db.syncs import begin, execute, rows

_SYNCS = """
    INSERT INTO {schema}.emag_offer_syncs
        (sync_id, account_type, status, phase, lease_token, deadline_at, dagster_run_id, pages_expected, pages_done,
         offers_expected, error_class, completed_at, proof, round, heartbeat_at)
    SELECT gen_random_uuid(), account, status, phase, gen_random_uuid(), now() + interval '2 hours', account, 3, 2,
           2, error, CASE WHEN status <> 'running' THEN now() END, CAST(proof AS jsonb), round,
           now() - interval '1 hour'
    FROM (VALUES ('main', 'running', 'scanning', NULL, NULL, 1),
                 ('fbe', 'failed', 'auditing', 'RefusedError', :proof, 2))
         v (account, status, phase, error, proof, round)
"""
_PROOF = """{"count_before": 2, "count_after": 2, "pages_expected": 3, "pages_staged": 2, "rows": 2, "distinct_ids": 2,
    "rejected": 0, "quarantined": 0, "rows_beyond": 0, "found_by_id": 0, "confirmed_gone": 0, "missing": 0,
    "published_before": 9, "arrivals": 0, "rounds": 2, "positions": 2, "positions_end": 2, "unreadable_positions": 0,
    "unreadable_by_id": 0, "unreadable_rows": 0, "vanished_unpublished": 0}"""
_PAGES = """
    INSERT INTO {schema}.emag_scan_pages
        (sync_id, round, page, page_size, first_position, positions, offers, rejects, content_hash, fetched_at)
    SELECT sync_id, reading, page, 1, page - 1, 1, 1, 0, '', now()
    FROM {schema}.emag_offer_syncs s, generate_series(1, s.round) reading, generate_series(1, 2) page
"""


@pytest.fixture
def filled(empty_url: str) -> Iterator[Database]:
    database = Database(empty_url)
    migrate.upgrade(database, "0006")
    execute(database, _SYNCS, proof=_PROOF)
    execute(database, _PAGES)
    migrate.upgrade(database)
    yield database
    database.close()


def test_a_scan_that_was_under_way_begins_anew(filled: Database) -> None:
    (old,) = rows(filled, "SELECT sync_id FROM {schema}.emag_offer_syncs WHERE account_type = 'main'")
    lease = begin(filled, run_has_ended=lambda _: True)
    assert (lease.sync_id != old.sync_id, lease.resumed) == (True, False)
    assert rows(filled, "SELECT 1 FROM {schema}.emag_scan_pages p WHERE sync_id = :id", id=old.sync_id) == []


def test_a_scan_that_waits_for_an_approval_can_be_approved_and_taken_up(filled: Database, empty_url: str) -> None:
    (old,) = rows(filled, "SELECT sync_id, windows_staged FROM {schema}.emag_offer_syncs WHERE account_type = 'fbe'")
    settings = load_settings({"DATABASE_SYNC_URL": empty_url}, env_file=None)
    assert approve(filled, settings, old.sync_id, "ana") == "fbe"
    lease = begin(filled, "fbe")
    assert (lease.sync_id, lease.resumed, lease.approved) == (old.sync_id, True, True)
    assert ledger.read(filled, old.sync_id).windows_staged == 2
    windows = rows(filled, "SELECT number, reading, ids, size, position FROM {schema}.emag_scan_pages ORDER BY number")
    assert [tuple(window) for window in windows] == [(1, 1, [], 1, 0), (2, 1, [], 1, 1)]
