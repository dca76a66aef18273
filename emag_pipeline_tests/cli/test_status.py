import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

from emag_pipeline.db import ledger
from emag_pipeline.db.engine import Database
from emag_pipeline.db.incidents import Finding, note
from emag_pipeline_tests.cli.commands import emag_pipeline
from emag_pipeline_tests.db.offers import offer
from emag_pipeline_tests.db.syncs import begin, stage, sync


def test_json_says_what_was_published_and_what_was_not(database: Database, database_url: str, tmp_path: Path) -> None:
    published = sync(database, [offer(1), offer(2, is_saleable=False)])
    done = emag_pipeline(tmp_path, "status", "--json", DATABASE_SYNC_URL=database_url)
    assert done.returncode == 0
    main, fbe = json.loads(done.stdout)["accounts"]
    assert main | {"age_seconds": 0} == {
        "account": "main",
        "state": "completed",
        "last_publish_at": main["last_publish_at"],
        "oldest_page_at": main["oldest_page_at"],
        "age_seconds": 0,
        "offers": 2,
        "saleable": 1,
        "deleted": 0,
        "quarantined": 0,
        "flagged": 0,
        "running": None,
        "last_error": None,
    }
    read = datetime.fromisoformat(main["last_publish_at"])
    assert abs((read - published.published_at).total_seconds()) < 0.001
    assert main["last_publish_at"].endswith("Z")
    assert (fbe["state"], fbe["last_publish_at"], fbe["age_seconds"]) == ("never synced", None, None)


def test_rows_in_quarantine_are_counted_even_where_nothing_was_ever_published(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    lease = begin(database)
    bad = [SimpleNamespace(emag_offer_id=number, reason="no id", payload="{}") for number in (1234, 1235, 1236)]
    stage(database, lease, [], rejects=bad)
    ledger.end(database, lease, "failed", error_class="RefusedError", message="refused", remedy="Look")
    table, document = (
        emag_pipeline(tmp_path, "status", *options, DATABASE_SYNC_URL=database_url) for options in ((), ("--json",))
    )
    main = json.loads(document.stdout)["accounts"][0]
    assert (main["quarantined"], main["flagged"]) == (3, 0)
    assert table.stdout.splitlines()[1].split() == ["main", "failed", "never", "0", "0", "0", "3"]


def test_json_shows_a_running_sync_and_its_pages(database: Database, database_url: str, tmp_path: Path) -> None:
    stage(database, begin(database, run_id="r1"), [offer(1)])
    done = emag_pipeline(tmp_path, "status", "--json", DATABASE_SYNC_URL=database_url)
    running = json.loads(done.stdout)["accounts"][0]["running"]
    assert (running["phase"], running["pages_done"], running["pages_expected"]) == ("scanning", 1, 1)
    assert running["dagster_run_id"] == "r1"
    assert datetime.fromisoformat(running["started_at"]).tzinfo == UTC


def test_the_table_tells_why_an_account_failed_and_what_to_do(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    ledger.end(database, begin(database), "failed", error_class="AccessRefused", message="refused", remedy="Log in")
    done = emag_pipeline(tmp_path, "status", DATABASE_SYNC_URL=database_url)
    assert done.returncode == 0
    assert "main: refused. Log in." in done.stdout


def test_open_incidents_are_listed_under_the_table_and_in_the_json(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    note(database, Finding("daemon", "silent", "it says nothing", "Start it"))
    table, document = (
        emag_pipeline(tmp_path, "status", *options, DATABASE_SYNC_URL=database_url) for options in ((), ("--json",))
    )
    assert "daemon: silent for " in table.stdout
    assert ": it says nothing. Start it." in table.stdout
    (incident,) = json.loads(document.stdout)["incidents"]
    assert incident | {"since": ""} == {
        "subject": "daemon",
        "kind": "silent",
        "error_class": None,
        "message": "it says nothing",
        "remedy": "Start it",
        "run_url": None,
        "since": "",
        "is_told": False,
    }


def test_without_a_running_database_it_says_how_to_get_one(tmp_path: Path) -> None:
    done = emag_pipeline(tmp_path, "status")
    assert done.returncode == 1
    assert "Start it with `emag-pipeline up`" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_schema_that_was_never_made_is_5(empty_url: str, tmp_path: Path) -> None:
    done = emag_pipeline(tmp_path, "status", DATABASE_SYNC_URL=empty_url)
    assert done.returncode == 5
    assert "emag-pipeline migrate" in done.stderr
