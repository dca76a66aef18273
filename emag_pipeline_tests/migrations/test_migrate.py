from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.script import ScriptDirectory

from emag_pipeline.errors import SchemaMismatch
from emag_pipeline.store import migrate
from emag_pipeline.store.engine import Database


def test_concurrent_starts_are_safe(empty_url: str) -> None:
    databases = [Database(empty_url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(migrate.upgrade, databases))
    assert sorted(before or "" for before, _ in results)[0] == ""
    assert len([before for before, _ in results if before is None]) == 1
    migrate.check(databases[0])
    for database in databases:
        database.close()


def test_the_configured_schema_is_used_and_no_other(empty_url: str) -> None:
    database = Database(empty_url, "shop_copy")
    migrate.upgrade(database)
    with database.transaction() as tx:
        schemas = tx.run(
            "SELECT DISTINCT table_schema FROM information_schema.tables WHERE table_name LIKE 'emag%'"
        ).scalars()
        assert list(schemas) == ["shop_copy"]
    database.close()


def test_a_database_that_is_newer_than_the_code_is_refused(database: Database) -> None:
    with database.transaction() as tx:
        tx.run("UPDATE emag_alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaMismatch, match="9999, which this code does not know"):
        migrate.upgrade(database)


def test_an_unmigrated_database_is_named_with_its_remedy(empty_url: str) -> None:
    database = Database(empty_url)
    with pytest.raises(SchemaMismatch, match="Run `emag-pipeline migrate`"):
        migrate.check(database)
    database.close()


def test_versions_are_those_that_alembic_would_go_through() -> None:
    scripts = list(ScriptDirectory(str(migrate._MIGRATIONS)).walk_revisions())
    assert [script.revision for script in reversed(scripts)] == list(migrate._versions())


def test_the_sums_of_what_was_published_before_them_are_counted_by_the_migration(empty_url: str) -> None:
    database = Database(empty_url)
    migrate.upgrade(database, "0001")
    with database.transaction() as tx:
        tx.run(
            """INSERT INTO emag_product_offers
                   (account_type, emag_offer_id, validation_status, translation_validation_status, is_saleable,
                    sale_price, row_hash, first_seen_at, changed_at, deleted_at, rejected_at, last_sync_id)
               SELECT 'main', n, '{}', '{}', n <= 3, 10, '', now(), now(),
                      CASE WHEN n > 8 THEN now() END, CASE WHEN n = 1 THEN now() END, gen_random_uuid()
               FROM generate_series(1, 10) n"""
        )
    migrate.upgrade(database)
    with database.transaction() as tx:
        figures = tx.run("SELECT offers, saleable, deleted, quarantined FROM emag_account_figures").one()
    assert tuple(figures) == (8, 3, 2, 1)
    database.close()
