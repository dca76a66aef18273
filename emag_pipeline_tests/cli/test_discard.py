"""`emag-pipeline discard` as a person has it."""

import json
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from emag_pipeline.dagster_runs.resource import Pipeline
from emag_pipeline.refresh.dagster import _awaits_decision
from emag_pipeline.settings import load_settings
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import ledger, staging
from emag_pipeline_tests.cli.commands import emag_pipeline
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import begin, execute, rows, stage, sync

_STAGED = "SELECT count(*) FROM emag_scan_pages", "SELECT count(*) FROM emag_scan_offers"


def _ended(database: Database, error_class: str, **approval: str) -> UUID:
    """A sync of two offers that ended unpublished; where it was refused, approved by somebody."""
    lease = begin(database)
    stage(database, lease, [offer(1), offer(2)])
    words = {"message": f"{lease.where}: it failed.", "remedy": "Do this"}
    ledger.end(database, lease, "failed", error_class=error_class, **words)
    if approval:
        execute(database, "UPDATE emag_offer_syncs SET approved_at = now(), approved_by = :by", **approval)
    return lease.sync_id


def _staged(database: Database) -> tuple[int, int]:
    return rows(database, _STAGED[0])[0][0], rows(database, _STAGED[1])[0][0]


def test_a_dry_run_says_what_would_be_thrown_away_and_leaves_it(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    sync_id = _ended(database, "ApiUnavailable")
    done = emag_pipeline(tmp_path, "discard", str(sync_id), "--dry-run", DATABASE_SYNC_URL=database_url)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        f"main, sync {sync_id}: 1 staged page with 2 offers would be discarded; "
        "the next run would read the whole catalogue again\n"
    )
    assert _staged(database) == (1, 2)
    assert begin(database).resumed


@pytest.mark.parametrize(
    ("error_class", "approval"), [("ApiUnavailable", {}), ("RefusedError", {}), ("RefusedError", {"by": "ana"})]
)
def test_what_is_staged_goes_and_the_next_run_reads_anew(
    error_class: str, approval: dict[str, str], database: Database, database_url: str, tmp_path: Path
) -> None:
    sync_id = _ended(database, error_class, **approval)
    done = emag_pipeline(tmp_path, "discard", str(sync_id), "--json", DATABASE_SYNC_URL=database_url)
    assert done.returncode == 0, done.stderr
    told = {"sync_id": str(sync_id), "account": "main", "pages": 1, "offers": 2, "dry_run": False}
    assert json.loads(done.stdout) == told
    assert _staged(database) == (0, 0)
    ((by, status),) = rows(database, "SELECT discarded_by, status FROM emag_offer_syncs")
    assert (bool(by), status) == (True, "failed")
    shown = json.loads(emag_pipeline(tmp_path, "status", "--json", DATABASE_SYNC_URL=database_url).stdout)
    error = shown["accounts"][0]["last_error"]
    assert error["sync_id"] == str(sync_id)
    assert (error["message"], error["remedy"]) == (
        f"main, sync {sync_id}: it failed.",
        "Its staged pages were discarded: the next run reads the catalogue from scratch",
    )
    assert not _awaits_decision(Pipeline(load_settings({"DATABASE_SYNC_URL": database_url}, env_file=None)), "main")
    lease = begin(database)
    assert (lease.sync_id != sync_id, lease.resumed, lease.approved) == (True, False, False)


def test_an_empty_scan_that_was_approved_is_not_published_after_all(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    lease = begin(database)
    staging.plan(database, lease, pages=0, offers=0)
    ledger.end(database, lease, "failed", error_class="RefusedError", message="", remedy="")
    execute(database, "UPDATE emag_offer_syncs SET approved_at = now(), approved_by = 'ana'")
    assert emag_pipeline(tmp_path, "discard", str(lease.sync_id), DATABASE_SYNC_URL=database_url).returncode == 0
    assert begin(database).sync_id != lease.sync_id


def test_a_discarded_scan_cannot_be_approved(database: Database, database_url: str, tmp_path: Path) -> None:
    sync_id = _ended(database, "RefusedError")
    for command, code in (("discard", 0), ("approve", 3), ("discard", 0)):
        done = emag_pipeline(tmp_path, command, str(sync_id), DATABASE_SYNC_URL=database_url)
        assert done.returncode == code, done.stderr


def test_a_running_sync_is_refused_with_4(database: Database, database_url: str, tmp_path: Path) -> None:
    lease = begin(database)
    stage(database, lease, [offer(1)])
    done = emag_pipeline(tmp_path, "discard", str(lease.sync_id), DATABASE_SYNC_URL=database_url)
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith(f"emag-pipeline: main: sync {lease.sync_id} is not discarded: it is running")
    with database.transaction() as tx:  # while it publishes
        ledger.hold(tx, lease)
        done = emag_pipeline(tmp_path, "discard", str(lease.sync_id), DATABASE_SYNC_URL=database_url)
        assert done.returncode == 4
    assert _staged(database) == (1, 1)


def test_a_published_sync_and_an_unknown_one_are_wrong_usage(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    sync(database, [offer(1)])
    ((sync_id,),) = rows(database, "SELECT sync_id FROM emag_offer_syncs")
    for one, said in ((sync_id, "published offers are not discarded"), (uuid4(), "there is no sync")):
        done = emag_pipeline(tmp_path, "discard", str(one), DATABASE_SYNC_URL=database_url)
        assert done.returncode == 2
        assert said in done.stderr
    assert _staged(database) == (1, 1)
