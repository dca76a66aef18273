"""A restore beside whoever writes: nobody becomes the victim of a deadlock."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from emag_pipeline.admin.backup import backup
from emag_pipeline.admin.restore import restore
from emag_pipeline.errors import AnotherSyncRunning
from emag_pipeline.settings import Settings, load_settings
from emag_pipeline.store import migrate
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.embedded import homes
from emag_pipeline_tests.local.ups import wait_until
from emag_pipeline_tests.store.own_server import OwnServer
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import execute, rows, sync

#: Sessions of this database that wait for a lock.
_WAITING = """
    SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
#: The restore, as soon as it wants to lock.
_LOCKING = r"""
    SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
      AND (query LIKE 'LOCK TABLE%' OR query LIKE 'ROLLBACK TO%' OR query LIKE '%lock_timeout%')
"""

_SLOWLY = """
    ALTER TABLE emag_offer_states SET (autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1,
        autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0)
"""


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as threads:
        yield threads


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return load_settings({"DATABASE_SYNC_URL": database_url, "EMAG_HOME": str(tmp_path)}, env_file=None)


@pytest.fixture
def restored(database: Database, settings: Settings, tmp_path: Path) -> Callable[[], None]:
    """Puts back what the database holds: two offers, published."""
    sync(database, [offer(1), offer(2)])
    backup(settings, tmp_path / "emag.dump", force=False, say=lambda _: None, wait=lambda _: None)
    return lambda: restore(settings, tmp_path / "emag.dump", replace=True, say=lambda _: None) and None


def test_a_publish_that_is_under_way_goes_through_and_the_restore_is_refused(
    database: Database, restored: Callable[[], None], threads: ThreadPoolExecutor
) -> None:
    with database.transaction() as holder:  # the publish stands in the middle of its work
        holder.run("SELECT FROM emag_product_offers WHERE emag_offer_id = 1 FOR UPDATE")
        publishing = threads.submit(sync, database, [offer(1, sale_price="1.00"), offer(2)])
        wait_until(lambda: len(rows(database, _WAITING)) == 1, 60)
        restoring = threads.submit(restored)
        wait_until(lambda: restoring.done() or len(rows(database, _WAITING)) == 2, 60)
    assert publishing.result(120).updated == 1
    with pytest.raises(AnotherSyncRunning, match="main: a sync is running, nothing was restored"):
        restoring.result(120)
    assert rows(database, "SELECT count(*) FROM emag_publishes")[0][0] == 2


def test_whoever_writes_to_the_tables_in_another_order_goes_through_and_then_the_restore(
    database: Database, restored: Callable[[], None], threads: ThreadPoolExecutor
) -> None:
    execute(database, "UPDATE emag_product_offers SET sale_price = 1")
    with database.transaction() as writer:
        writer.run("DELETE FROM emag_publishes WHERE false")
        restoring: Future[None] = threads.submit(restored)
        wait_until(lambda: restoring.done() or bool(rows(database, _LOCKING)), 60)
        writer.run("UPDATE emag_account_figures SET counted_at = now()")
    restoring.result(120)
    assert rows(database, "SELECT count(*) FROM emag_product_offers WHERE sale_price = 1")[0][0] == 0


def test_autovacuum_gives_way_to_a_restore(tmp_path: Path) -> None:
    """It does so only where somebody waits for the table, a second at least."""
    often = {"autovacuum": "on", "autovacuum_naptime": "1s"}
    with (
        homes.temporary() as home,
        OwnServer.opened(often, home) as server,
        closing(Database(server.url("emag"))) as database,
    ):
        migrate.upgrade(database)
        settings = load_settings({"DATABASE_SYNC_URL": server.url("emag"), "EMAG_HOME": str(tmp_path)}, env_file=None)
        sync(database, [offer(number) for number in range(1, 500)])
        backup(settings, tmp_path / "emag.dump", force=False, say=lambda _: None, wait=lambda _: None)
        execute(database, _SLOWLY)
        execute(database, "UPDATE emag_offer_states SET stamp_to = stamp_to")
        wait_until(lambda: bool(rows(database, "SELECT FROM pg_stat_progress_vacuum")), 120)
        restore(settings, tmp_path / "emag.dump", replace=True, say=lambda _: None)


def test_a_migration_that_is_under_way_goes_through_and_then_the_restore(
    database: Database, restored: Callable[[], None], threads: ThreadPoolExecutor
) -> None:
    with database.transaction() as migrating:
        migrate.upgrade_within(migrating)
        restoring: Future[None] = threads.submit(restored)
        wait_until(lambda: restoring.done() or bool(rows(database, _WAITING)), 60)
        migrating.run("ALTER TABLE emag_account_figures ADD COLUMN of_tomorrow integer")
        migrating.run("ALTER TABLE emag_account_figures DROP COLUMN of_tomorrow")
    restoring.result(120)
