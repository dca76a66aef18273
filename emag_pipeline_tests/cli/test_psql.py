from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from emag_pipeline import embedded
from emag_pipeline.local.embedded_use import in_use
from emag_pipeline.local.surroundings import migrated
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.cli.commands import emag_pipeline
from emag_pipeline_tests.embedded.homes import set_up
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import sync

#: As an older version made the reader, and as it may have changed itself; and DB_SCHEMA was another one meanwhile.
_AS_OTHERS_LEFT_IT = (
    "GRANT CONNECT, TEMPORARY ON DATABASE emag, postgres, template1 TO PUBLIC",
    "GRANT EXECUTE ON FUNCTION lo_create(oid), lo_from_bytea(oid, bytea) TO PUBLIC",
    "ALTER ROLE emag_reader IN DATABASE emag SET search_path = elsewhere, public",
)


def test_it_opens_the_embedded_database_that_sleeps_with_the_schema_in_reach_also_for_a_reader(home: Path) -> None:
    with in_use(set_up(home)) as server:
        database = Database(server.url("emag"))
        migrated(database, is_embedded=True)
        for statement in _AS_OTHERS_LEFT_IT:
            with database.transaction() as tx:
                tx.run(statement)
        dagster = Database(server.url("emag_dagster"))
        migrated(database, is_embedded=True)
        with dagster.transaction() as tx:
            assert tx.run("SELECT 1").scalar_one() == 1
        dagster.close()
        sync(database, [offer(1), offer(2)])
        database.close()
        shown = emag_pipeline(home, "psql", "--print")
        told = dict(line.split(maxsplit=1) for line in shown.stdout.splitlines())
        assert "that only this operating system user can open" in shown.stderr
        assert (told["user"], told["database"], "password" in told) == ("emag_reader", "emag", False)
        _reads_and_writes_nothing(psycopg2.connect(told["URL"]))
        for other in ("emag_dagster", "postgres", "template1"):
            with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
                psycopg2.connect(told["URL"].replace("/emag?", f"/{other}?"))
        _reads_and_writes_nothing(
            psycopg2.connect(host=told["host"], port=told["port"], user=told["user"], dbname=told["database"])
        )
    done = emag_pipeline(home, "psql", "--", "-At", "-c", "SELECT count(*) FROM emag_product_offers")
    assert (done.returncode, done.stdout, done.stderr) == (0, "2\n", "")
    assert embedded.running(home) is None


def _reads_and_writes_nothing(connection: Any) -> None:
    with closing(connection), connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("SELECT count(*) FROM emag_current_offers")
        assert cursor.fetchone() == (2,)
        with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction):
            cursor.execute("DELETE FROM emag_product_offers")
        cursor.execute("SET default_transaction_read_only = off")
        for refused in (
            "INSERT INTO emag_accounts (account_type) VALUES ('mine')", "SELECT * FROM emag_requests",
            "CREATE TABLE public.mine ()", "CREATE TEMP TABLE mine ()", "SELECT lo_create(0)",
            "SELECT lo_from_bytea(0, 'mine')", "SELECT lo_creat(-1)", "COPY emag_products TO PROGRAM 'cat'",
        ):  # fmt: skip
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                cursor.execute(refused)


def test_it_opens_the_configured_database_and_ends_with_psqls_code(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    sync(database, [offer(1)])
    count = emag_pipeline(
        tmp_path, "psql", "-At", "-c", "SELECT count(*) FROM app.emag_products", DATABASE_SYNC_URL=database_url
    )
    assert (count.returncode, count.stdout) == (0, "1\n")
    shown = emag_pipeline(tmp_path, "psql", "--print", DATABASE_SYNC_URL=database_url)
    assert (shown.returncode, "postgres@" in shown.stdout, "user " in shown.stdout) == (0, False, False)
    assert "a member of the group emag_reader" in shown.stderr
    wrong = emag_pipeline(tmp_path, "psql", "-c", "SELECT nonsense", DATABASE_SYNC_URL=database_url)
    assert wrong.returncode == 1
    assert "nonsense" in wrong.stderr


def test_without_any_database_it_says_so_in_a_sentence(home: Path) -> None:
    done = emag_pipeline(home, "psql")
    assert done.returncode == 1
    assert "the embedded PostgreSQL is not running" in done.stderr
    assert len(done.stderr.splitlines()) == 1
