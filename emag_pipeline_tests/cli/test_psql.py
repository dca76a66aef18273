from pathlib import Path

from emag_pipeline import embedded
from emag_pipeline.db import migrate
from emag_pipeline.db.engine import Database
from emag_pipeline.operations.embedded_use import in_use
from emag_pipeline_tests.cli.commands import emag_pipeline
from emag_pipeline_tests.db.offers import offer
from emag_pipeline_tests.db.syncs import sync


def test_it_opens_the_embedded_database_that_sleeps_with_the_schema_in_reach(home: Path) -> None:
    with in_use(home) as server:
        database = Database(server.url("emag"))
        migrate.upgrade(database)
        sync(database, [offer(1), offer(2)])
        database.close()
    done = emag_pipeline(home, "psql", "--", "-At", "-c", "SELECT count(*) FROM emag_product_offers")
    assert (done.returncode, done.stdout, done.stderr) == (0, "2\n", "")
    assert embedded.running(home) is None


def test_it_opens_the_configured_database_and_ends_with_psqls_code(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    sync(database, [offer(1)])
    count = emag_pipeline(
        tmp_path, "psql", "--", "-At", "-c", "SELECT count(*) FROM app.emag_products", DATABASE_SYNC_URL=database_url
    )
    assert (count.returncode, count.stdout) == (0, "1\n")
    wrong = emag_pipeline(tmp_path, "psql", "--", "-c", "SELECT nonsense", DATABASE_SYNC_URL=database_url)
    assert wrong.returncode == 1
    assert "nonsense" in wrong.stderr


def test_without_any_database_it_says_so_in_a_sentence(home: Path) -> None:
    done = emag_pipeline(home, "psql")
    assert done.returncode == 1
    assert "the embedded PostgreSQL does not run" in done.stderr
    assert len(done.stderr.splitlines()) == 1
