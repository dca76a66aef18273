"""`stuck`, `recover` and `stop` where Dagster was never started; with daemons and runs: local/test_recovery.py."""

import json
from pathlib import Path
from typing import Any

from emag_pipeline.monitoring.incidents import open_incidents
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import ledger
from emag_pipeline.sync.ledger import Lease
from emag_pipeline_tests.cli.commands import emag_pipeline
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import begin, execute, rows, stage


def _dead(database: Database) -> Lease:
    lease = begin(database, run_id="r1")
    stage(database, lease, [offer(1)])
    with database.transaction() as tx:
        tx.run("UPDATE emag_offer_syncs SET heartbeat_at = now() - interval '130 seconds'")
    return lease


def _row(database: Database) -> Any:
    (row,) = rows(database, "SELECT * FROM emag_offer_syncs")
    return row


def test_stuck_tells_what_is_wrong_and_what_it_could_not_look_at(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    lease = _dead(database)
    done = emag_pipeline(tmp_path, "stuck", "--json", DATABASE_SYNC_URL=database_url)
    assert done.returncode == 0
    (found,) = json.loads(done.stdout)["stuck"]
    assert found == {
        "account": "main",
        "condition": "dead",
        "why": found["why"],
        "sync_id": str(lease.sync_id),
        "dagster_run_id": "r1",
        "pages_done": 1,
        "pages_expected": 1,
    }
    assert found["why"].endswith("the limit is 120 s")
    assert "only the ledger can be examined" in done.stderr
    assert _row(database).status == "running"


def test_where_nothing_is_stuck_it_says_what_runs(database: Database, database_url: str, tmp_path: Path) -> None:
    """`sync` may have just said that another one runs."""
    lease = begin(database, run_id="r1")
    stage(database, lease, [offer(1)])
    done = emag_pipeline(tmp_path, "stuck", DATABASE_SYNC_URL=database_url)
    first, second = done.stdout.splitlines()
    assert first == "nothing is stuck"
    assert second.startswith("main: a sync is running (page 1 of 1); its last heartbeat was ")
    assert second.endswith(" s ago, and after 120 s without one it counts as dead")
    done = emag_pipeline(tmp_path, "stuck", "--json", DATABASE_SYNC_URL=database_url)
    (running,) = json.loads(done.stdout)["running"]
    assert (running["account"], running["sync_id"], running["pages_done"]) == ("main", str(lease.sync_id), 1)
    assert running["obstacle"] is None


def test_what_a_sync_waits_for_is_told_of_one_that_runs_and_of_one_that_is_stuck(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    held = "waiting for emag_product_offers, held by the database's process 7 (user ana, psql)"
    ledger.beat(database, begin(database, run_id="r1"), held)
    lines = emag_pipeline(tmp_path, "stuck", DATABASE_SYNC_URL=database_url).stdout.splitlines()
    assert lines[1].endswith(f"it counts as dead; {held}")
    (running,) = json.loads(emag_pipeline(tmp_path, "stuck", "--json", DATABASE_SYNC_URL=database_url).stdout)[
        "running"
    ]
    assert running["obstacle"] == held
    execute(database, "UPDATE emag_offer_syncs SET progressed_at = now() - interval '9 hours'")
    done = emag_pipeline(tmp_path, "stuck", DATABASE_SYNC_URL=database_url)
    assert done.stdout.splitlines()[0].endswith(f"the limit is 3600 s; {held}")


def test_a_dry_recovery_only_says_what_it_would_do(database: Database, database_url: str, tmp_path: Path) -> None:
    begin(database)
    done = emag_pipeline(tmp_path, "recover", "--max-age-hours", "0", "--dry-run", DATABASE_SYNC_URL=database_url)
    assert done.returncode == 0
    assert done.stdout.startswith("main: cancelled: ended by ")
    assert "with `emag-pipeline recover`, it was not stuck; would be ended" in done.stdout
    assert _row(database).status == "running"


def test_recover_ends_what_is_dead_and_spares_what_lives(database: Database, database_url: str, tmp_path: Path) -> None:
    _dead(database)
    living = begin(database, "fbe")
    done = emag_pipeline(tmp_path, "recover", "--json", DATABASE_SYNC_URL=database_url)
    document = json.loads(done.stdout)
    assert [one["account"] for one in document["recovered"]] == ["main"]
    assert document["left_alone"] == []
    statuses = rows(database, "SELECT sync_id, status, error_class FROM emag_offer_syncs ORDER BY account_type")
    assert [(row.status, row.error_class) for row in statuses] == [("running", None), ("failed", "OwnerDied")]
    assert statuses[0].sync_id == living.sync_id


def test_a_healthy_sync_that_a_person_ends_is_no_incident_and_was_not_stuck(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    begin(database)
    done = emag_pipeline(tmp_path, "recover", "--max-age-hours", "0", DATABASE_SYNC_URL=database_url)
    assert "it was not stuck; marked as cancelled; the account's next run continues" in done.stdout
    row = _row(database)
    assert (row.status, row.error_class) == ("cancelled", "Interrupted")
    assert "with `emag-pipeline recover`" in row.error_message
    assert open_incidents(database) == []
    counted = rows(database, "SELECT 1 FROM emag_counters WHERE name LIKE 'emag_sync_%%_syncs_total'")
    assert not counted
    assert "nothing is stuck" in emag_pipeline(tmp_path, "stuck", DATABASE_SYNC_URL=database_url).stdout


def test_stop_releases_every_lease_in_a_line_an_account_and_owns_up_to_what_it_could_not_reach(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    stage(database, begin(database), [offer(1)])
    done = emag_pipeline(tmp_path, "stop", "--all", DATABASE_SYNC_URL=database_url)
    assert done.returncode == 1
    assert done.stdout.splitlines()[:2] == [
        "main: lease released, 1 of 1 page is durable",
        "fbe: nothing was running, as far as could be seen",
    ]
    assert "Dagster was never started here" in done.stderr
    assert (_row(database).status, _row(database).error_class) == ("cancelled", "Interrupted")
    assert "with `emag-pipeline stop --all`" in _row(database).error_message


def test_stop_wants_to_be_told_that_all_is_meant(tmp_path: Path) -> None:
    done = emag_pipeline(tmp_path, "stop")
    assert done.returncode == 2
    assert "emag-pipeline stop --all" in done.stderr
