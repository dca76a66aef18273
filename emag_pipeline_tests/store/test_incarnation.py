"""A copy of a database is told from the original, also by a user who may do little."""

from contextlib import closing

from emag_pipeline.embedded import EmbeddedServer
from emag_pipeline.store.engine import Database
from emag_pipeline.store.server import incarnation
from emag_pipeline_tests.databases import administer, copied
from emag_pipeline_tests.sync.syncs import execute

_TABLE = "instance_info"


def test_an_ordinary_user_may_ask(cluster: EmbeddedServer, database: Database) -> None:
    execute(database, f"CREATE TABLE public.{_TABLE} (run_storage_id text)")
    administer(cluster, "CREATE ROLE nobody_special LOGIN")
    ordinary = Database(database.engine.url.set(username="nobody_special").render_as_string(hide_password=False))
    try:
        assert incarnation(ordinary, _TABLE) == incarnation(database, _TABLE)
    finally:
        ordinary.close()
        administer(cluster, "DROP ROLE nobody_special")


def test_a_table_that_was_made_anew_is_another_one(database: Database) -> None:
    execute(database, f"CREATE TABLE public.{_TABLE} (run_storage_id text)")
    before = incarnation(database, _TABLE)
    execute(database, f"DROP TABLE public.{_TABLE}")
    execute(database, f"CREATE TABLE public.{_TABLE} (run_storage_id text)")
    assert incarnation(database, _TABLE) != before


def test_a_clone_is_another_one(cluster: EmbeddedServer, database: Database) -> None:
    execute(database, f"CREATE TABLE public.{_TABLE} (run_storage_id text)")
    before = incarnation(database, _TABLE)
    database.close()
    original = str(database.engine.url.database)
    with copied(cluster, original, "a_clone") as url, closing(Database(url)) as clone:
        assert incarnation(clone, _TABLE) != before
