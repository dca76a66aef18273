"""0006 on a ledger that the version before has filled: what is known of its syncs is kept, and the order goes on."""

from collections.abc import Iterator

import pytest

from emag_pipeline.store import migrate
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.status import account_statuses, sync_progress
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import begin, rows, sync

_SYNCS = """
    INSERT INTO emag_offer_syncs
        (sync_id, account_type, status, phase, lease_token, started_at, attempt_started_at, completed_at, deadline_at,
         dagster_run_id)
    SELECT gen_random_uuid(), account, status, 'publishing', gen_random_uuid(), began, began + interval '20 minutes',
           ended, began + interval '2 hours', 'of the version before'
    FROM (VALUES ('main', 'completed', now() - interval '2 days', now() - interval '47 hours'),
                 ('fbe', 'running', now() - interval '1 minute', NULL),
                 ('main', 'completed', now() - interval '3 days', now() - interval '71 hours'),
                 ('main', 'failed', now() - interval '1 day', now() - interval '23 hours'))
         v (account, status, began, ended)
"""


@pytest.fixture
def filled(empty_url: str) -> Iterator[Database]:
    database = Database(empty_url)
    migrate.upgrade(database, "0005")
    with database.transaction() as tx:
        tx.run(_SYNCS)
    migrate.upgrade(database)
    yield database
    database.close()


def test_syncs_are_numbered_as_they_began(filled: Database) -> None:
    numbered = rows(filled, "SELECT account_type, status FROM emag_offer_syncs ORDER BY sync_number")
    assert [tuple(row) for row in numbered] == [
        ("main", "completed"),
        ("main", "completed"),
        ("main", "failed"),
        ("fbe", "running"),
    ]


def test_a_publish_of_before_is_as_old_as_its_sync_and_has_the_length_of_its_last_attempt(filled: Database) -> None:
    (status,) = account_statuses(filled, ["main"])
    assert status.age_seconds == pytest.approx(48 * 3600, abs=60)
    assert status.published_seconds_ago == pytest.approx(47 * 3600, abs=60)
    assert status.scan_seconds == pytest.approx(40 * 60, abs=60)


def test_the_next_sync_is_the_newest(filled: Database) -> None:
    sync(filled, [offer(1)])
    newest = sync_progress(filled, "main")
    assert newest is not None
    assert newest.status == "completed"
    assert rows(filled, "SELECT max(sync_number) AS newest FROM emag_offer_syncs")[0].newest == 5


def test_a_sync_that_the_version_before_has_begun_is_dead_by_its_silence_alone(filled: Database) -> None:
    with filled.transaction() as tx:
        tx.run("UPDATE emag_offer_syncs SET heartbeat_at = now() - interval '121 s' WHERE status = 'running'")
    assert begin(filled, "fbe").attempt == 1
