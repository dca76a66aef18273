from pathlib import Path

from emag_pipeline.store.engine import Database
from emag_pipeline_tests.cli.commands import emag_pipeline
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import sync


def test_the_report_is_written_into_the_home_and_its_place_is_printed(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    sync(database, [offer(1, name="Ceainic & ceașcă")])
    done = emag_pipeline(tmp_path, "report", "main", DATABASE_SYNC_URL=database_url)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{tmp_path}/reports/main.html\n", "")
    assert "as published" in (tmp_path / "reports" / "main.html").read_text(encoding="utf-8")


def test_the_report_is_written_where_it_is_told(database_url: str, tmp_path: Path) -> None:
    done = emag_pipeline(tmp_path, "report", "fbe", "-o", "fbe.html", DATABASE_SYNC_URL=database_url)
    assert (done.returncode, done.stdout) == (0, "fbe.html\n")
    assert "nothing has been published yet" in (tmp_path / "fbe.html").read_text(encoding="utf-8")


def test_an_account_that_does_not_exist_is_wrong_usage(database_url: str, tmp_path: Path) -> None:
    done = emag_pipeline(tmp_path, "report", "nobody", DATABASE_SYNC_URL=database_url)
    assert (done.returncode, done.stderr) == (
        2,
        "emag-pipeline: there is no account 'nobody'. Use one of: main, fbe.\n",
    )
