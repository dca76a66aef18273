"""0006, the history of VAT rates, on rates that the version before has read."""

from collections.abc import Iterator

import pytest

from emag_pipeline.store import migrate
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.sync.syncs import execute, rows


@pytest.fixture
def filled(empty_url: str) -> Iterator[Database]:
    """A rate that is shown, and one that is gone, upgraded."""
    database = Database(empty_url)
    migrate.upgrade(database, "0005")
    execute(
        database,
        """INSERT INTO emag_vat_rates (marketplace, vat_id, rate, raw, changed_at, deleted_at)
           VALUES ('emag_ro', 1, 0.19, '{}', '2026-01-01 12:00Z', NULL),
                  ('emag_ro', 2, 0.05, '{}', '2026-02-01 12:00Z', '2026-02-01 12:00Z')""",
    )
    execute(database, "INSERT INTO emag_accounts (account_type, marketplace) VALUES ('main', 'emag_ro')")
    migrate.upgrade(database)
    yield database
    database.close()


def test_todays_rates_hold_since_the_first_reading_and_before(filled: Database) -> None:
    found = rows(filled, "SELECT vat_id, rate::text, valid_to IS NULL FROM emag_vat_rate_history ORDER BY 1")
    assert [tuple(row) for row in found] == [(1, "0.1900", True), (2, "0.0500", False)]
    for at in ("2020-01-01", "2026-01-15", "2026-06-01"):
        told = rows(filled, "SELECT vat_id, vat_rate::text FROM emag_vat_rates_as_of('main', :at)", at=at)
        assert sorted(tuple(row) for row in told) == [(1, "0.1900"), (2, "0.0500")]
