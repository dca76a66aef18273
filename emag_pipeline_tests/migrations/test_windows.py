"""0007 on a database that the version before has filled: scans in every state, each with two readings of all pages."""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from emag_pipeline import embedded
from emag_pipeline.errors import RefusedError
from emag_pipeline.settings import Settings, load_settings
from emag_pipeline.store import migrate
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import figures as audit
from emag_pipeline.sync import ledger
from emag_pipeline.sync.approval import approve
from emag_pipeline_tests.databases import copied
from emag_pipeline_tests.sync.syncs import begin, execute, rows

#: Three offers, of which one is published and not shown: a count of two.
_PROOF = {
    "count_before": 2, "count_after": 2, "pages_expected": 2, "pages_staged": 2, "rows": 2, "distinct_ids": 2,
    "rejected": 0, "quarantined": 0, "rows_beyond": 0, "found_by_id": 0, "confirmed_gone": 0, "missing": 0,
    "published_before": 9, "arrivals": 0, "rounds": 2, "positions": 2, "positions_end": 2, "unreadable_positions": 0,
    "unreadable_by_id": 0, "unreadable_rows": 0, "vanished_unpublished": 0,
}  # fmt: skip
#: account: status, phase, error class, whether approved, what its proof has otherwise
_SYNCS: dict[str, tuple[str, str, str | None, bool, dict[str, int] | None]] = {
    "running": ("running", "scanning", None, False, None),
    "interrupted": ("cancelled", "confirming", "Interrupted", False, {}),
    "refused": ("failed", "auditing", "RefusedError", False, {}),
    "approved": ("failed", "auditing", "RefusedError", True, {}),
    "died": ("failed", "confirming", "OwnerDied", True, {}),
    "publishing": ("running", "publishing", None, True, {}),
    "completed": ("completed", "publishing", None, False, {"pages_staged": 1}),
}
#: What keeps a refused scan from being complete by the rule of version 0006.
_INCOMPLETE = {
    "pages": {"pages_staged": 1},
    "positions": {"positions": 1},
    "fewer_positions": {"positions": 1, "positions_end": 1},
    "behind": {"rows_beyond": 3},
    "moved": {"count_after": 3},
    "counted_more": {"count_before": 900, "count_after": 900, "positions": 900, "positions_end": 900},
    "counted_less": {"count_before": 1, "count_after": 1},
    "repeats": {"rows": 3},
    "by_id": {"unreadable_by_id": 1},
}
_SYNC = """
    INSERT INTO emag_offer_syncs
        (sync_id, account_type, status, phase, lease_token, deadline_at, dagster_run_id, pages_expected, pages_done,
         offers_expected, error_class, completed_at, proof, round, heartbeat_at, approved_at, approved_by)
    VALUES (gen_random_uuid(), :account, :status, :phase, gen_random_uuid(), now() + interval '2 hours', :account, 2, 2,
            2, :error, CASE WHEN :status <> 'running' THEN now() END, CAST(:proof AS jsonb), 2,
            now() - interval '1 hour', CASE WHEN :approved THEN now() END, CASE WHEN :approved THEN 'ana' END)
"""
#: Each reading has two pages of one offer, one row in quarantine and one offer that was asked for by its id.
_STAGED = (
    """INSERT INTO emag_scan_pages
           (sync_id, round, page, page_size, first_position, positions, offers, rejects, content_hash, fetched_at)
       SELECT sync_id, reading, page, 1, page - 1, 1, 1, 0, '', now()
       FROM emag_offer_syncs s, generate_series(1, 2) reading, generate_series(1, 2) page""",
    """INSERT INTO emag_scan_offers
           (sync_id, round, page, fetched_at, emag_offer_id, row_hash, content_hash, validation_status,
            translation_validation_status, is_saleable, ean, raw, unreadable)
       SELECT sync_id, reading, page, now(), page, '', '', '{}', '{}', true, '{}', '{}', '{}'
       FROM emag_offer_syncs s, generate_series(1, 2) reading, generate_series(1, 2) page""",
    """INSERT INTO emag_offer_rejects (account_type, sync_id, round, page, emag_offer_id, reason, payload)
       SELECT account_type, sync_id, reading, 1, NULL, 'reading ' || reading, '{}'
       FROM emag_offer_syncs s, generate_series(1, 2) reading""",
    """INSERT INTO emag_scan_confirmations (sync_id, round, emag_offer_id, is_found)
       SELECT sync_id, reading, 3, reading = 1 FROM emag_offer_syncs s, generate_series(1, 2) reading""",
)


def _fill(database: Database) -> None:
    incomplete = {account: ("failed", "auditing", "RefusedError", False, what) for account, what in _INCOMPLETE.items()}
    for account, (status, phase, error, approved, proof) in {**_SYNCS, **incomplete}.items():
        stored = None if proof is None else json.dumps({**_PROOF, **proof})
        sync = {"account": account, "status": status, "phase": phase, "error": error, "approved": approved}
        execute(database, _SYNC, **sync, proof=stored)
    for sql in _STAGED:
        execute(database, sql)


@pytest.fixture(scope="module")
def migrated(cluster: embedded.EmbeddedServer) -> str:
    """The name of a database of version 0006 that was filled and brought to the newest one."""
    database = Database(cluster.url("filled_windows"))
    migrate.upgrade(database, "0006")
    _fill(database)
    migrate.upgrade(database)
    database.close()
    return "filled_windows"


@pytest.fixture
def filled(cluster: embedded.EmbeddedServer, migrated: str) -> Iterator[Database]:
    """A copy of it."""
    with copied(cluster, migrated, f"{migrated}_copy") as url, closing(Database(url)) as database:
        yield database


@pytest.fixture
def settings() -> Settings:
    return load_settings({"DATABASE_SYNC_URL": "postgresql://nobody@localhost/nothing"}, env_file=None)


def _sync(database: Database, account: str) -> Any:
    (found,) = rows(database, "SELECT * FROM emag_offer_syncs WHERE account_type = :a", a=account)
    return found


def _staged(database: Database, account: str) -> tuple[int, int, int, int]:
    """Windows, offers, confirmations and rejects of the account's sync."""
    tables = ("emag_scan_pages", "emag_scan_offers", "emag_scan_confirmations", "emag_offer_rejects")
    sync = _sync(database, account).sync_id
    sql = "SELECT count(*) AS found FROM {} WHERE sync_id = :id"
    first, second, third, fourth = (rows(database, sql.format(table), id=sync)[0].found for table in tables)
    return first, second, third, fourth


@pytest.mark.parametrize("account", ["running", "interrupted"])
def test_a_scan_that_was_under_way_begins_anew(filled: Database, account: str) -> None:
    old = _sync(filled, account)
    assert _staged(filled, account)[:2] == (0, 0)
    lease = begin(filled, account, run_has_ended=lambda _: True)
    assert (lease.sync_id != old.sync_id, lease.resumed) == (True, False)


@pytest.mark.parametrize("account", ["refused", "approved", "died", "publishing", "completed"])
def test_of_a_scan_that_stays_the_last_reading_stays(filled: Database, account: str) -> None:
    assert _staged(filled, account) == (2, 2, 1, 1)
    sync = _sync(filled, account).sync_id
    kept = rows(filled, "SELECT reason FROM emag_offer_rejects WHERE sync_id = :id", id=sync)
    assert [row.reason for row in kept] == ["reading 2"]
    (asked,) = rows(filled, "SELECT is_found FROM emag_scan_confirmations WHERE sync_id = :id", id=sync)
    assert asked.is_found is False
    windows = rows(
        filled,
        "SELECT number, reading, ids, size, position FROM emag_scan_pages WHERE sync_id = :id ORDER BY number",
        id=sync,
    )
    assert [tuple(window) for window in windows] == [(1, 1, [], 1, 0), (2, 1, [], 1, 1)]
    assert (_sync(filled, account).windows_staged, _sync(filled, account).proof["proven"]) == (2, 1)


@pytest.mark.parametrize("account", ["approved", "died", "publishing"])
def test_an_approval_outlives_the_migration(filled: Database, account: str) -> None:
    old = _sync(filled, account)
    lease = begin(filled, account, run_has_ended=lambda _: True)
    assert (lease.sync_id, lease.resumed, lease.approved) == (old.sync_id, True, True)
    figures = audit.figures(filled, lease.sync_id)
    assert (figures.proven, figures.rows, figures.confirmed_gone, figures.unstaged) == (1, 2, 1, 0)


def test_a_scan_that_waits_for_an_approval_can_be_approved_and_taken_up(filled: Database, settings: Settings) -> None:
    old = _sync(filled, "refused")
    assert approve(filled, settings, old.sync_id, "ana") == "refused"
    lease = begin(filled, "refused")
    assert (lease.sync_id, lease.resumed, lease.approved) == (old.sync_id, True, True)
    assert ledger.read(filled, old.sync_id).windows_staged == 2


@pytest.mark.parametrize("account", _INCOMPLETE)
def test_a_scan_that_was_refused_as_incomplete_stays_incomplete(
    filled: Database, settings: Settings, account: str
) -> None:
    with pytest.raises(RefusedError, match="has not proven that no offer is left out"):
        approve(filled, settings, _sync(filled, account).sync_id, "ana")
