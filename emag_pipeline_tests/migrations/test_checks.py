"""0006 on a ledger that the version before has filled: errors and their remedies stand apart."""

from emag_pipeline.store import migrate
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.sync.syncs import rows

_SYNCS = """
    INSERT INTO emag_offer_syncs
        (sync_id, account_type, status, phase, lease_token, started_at, attempt_started_at, completed_at, deadline_at,
         error_class, error_message, error_remedy)
    SELECT gen_random_uuid(), 'main', 'failed', 'scanning', gen_random_uuid(), began, began, began, began,
           'ApiUnavailable', message, remedy
    FROM (VALUES (now() - interval '3 days', 'main: no answer: tried 5 times. Wait.', 'Wait'),
                 (now() - interval '2 days', 'main: dead', 'Nothing is to be done'),
                 (now() - interval '1 day', 'main: a 100 % odd one. See a_b.', 'See a_b'))
         v (began, message, remedy)
"""


def test_what_was_wrong_is_told_without_what_to_do(empty_url: str) -> None:
    database = Database(empty_url)
    migrate.upgrade(database, "0005")
    with database.transaction() as tx:
        tx.run(_SYNCS)
    migrate.upgrade(database)
    found = rows(database, "SELECT error_message, error_remedy FROM emag_offer_syncs ORDER BY started_at")
    database.close()
    assert [tuple(row) for row in found] == [
        ("main: no answer: tried 5 times", "Wait"),
        ("main: dead", "Nothing is to be done"),
        ("main: a 100 % odd one", "See a_b"),
    ]
