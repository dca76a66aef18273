from concurrent.futures import ThreadPoolExecutor

import pytest

from emag_pipeline.db import migrate
from emag_pipeline.db.engine import Database
from emag_pipeline.errors import SchemaMismatch


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
        tx.run("UPDATE {schema}.emag_alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaMismatch, match="9999, which this code does not know"):
        migrate.upgrade(database)


def test_an_unmigrated_database_is_named_with_its_remedy(empty_url: str) -> None:
    database = Database(empty_url)
    with pytest.raises(SchemaMismatch, match="Run `emag-pipeline migrate`"):
        migrate.check(database)
    database.close()
