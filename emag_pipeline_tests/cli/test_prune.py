import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from emag_pipeline.embedded import EmbeddedServer
from emag_pipeline.local import surroundings
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.cli.commands import emag_pipeline
from emag_pipeline_tests.databases import drop
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import rows, sync


@pytest.fixture
def variables(
    cluster: EmbeddedServer, database: Database, database_url: str, tmp_path: Path
) -> Iterator[dict[str, str]]:
    """A database with one old sync beside the newest, and a Dagster that was started once."""
    for _ in range(2):
        sync(database, [offer(1)])
    with database.transaction() as tx:
        tx.run("UPDATE emag_offer_syncs SET heartbeat_at = now() - interval '31 days'")
    surroundings.prepare(tmp_path)
    name = f"{database.engine.url.database}_dagster"
    yield {"DATABASE_SYNC_URL": database_url, "DAGSTER_PG_URL": cluster.url(name)}
    drop(cluster, name)


def test_a_dry_run_says_what_would_go_and_the_real_one_removes_it(
    variables: dict[str, str], database: Database, tmp_path: Path
) -> None:
    foretold = emag_pipeline(tmp_path, "prune", "--dry-run", "--older-than", "36h", **variables)
    assert foretold.returncode == 0, foretold.stderr
    assert "1 ledger row would be removed" in foretold.stdout
    assert "calls are always kept for 30 days" in foretold.stdout
    assert rows(database, "SELECT count(*) FROM emag_offer_syncs")[0][0] == 2
    done = json.loads(emag_pipeline(tmp_path, "prune", "--json", **variables).stdout)
    assert (done["older_than_days"], done["dry_run"]) == (30, False)
    assert done["removed"] == {
        "syncs": 1, "rejects": 0, "payloads": 0, "surprises": 0, "requests": 0, "check_results": 0,
        "incidents": 0, "staged_rows": 0, "dagster_runs": 0,
    }  # fmt: skip


def test_an_age_that_is_none_is_wrong_usage(tmp_path: Path) -> None:
    done = emag_pipeline(tmp_path, "prune", "--older-than", "a month")
    assert (done.returncode, done.stderr) == (
        2, "emag-pipeline: --older-than is 'a month'. Give a number with h, d or w, such as 30d.\n",
    )  # fmt: skip


@pytest.mark.parametrize("age", ["0d", "23h", "0w"])
def test_what_is_of_today_is_not_removed(
    variables: dict[str, str], database: Database, tmp_path: Path, age: str
) -> None:
    done = emag_pipeline(tmp_path, "prune", "--older-than", age, **variables)
    assert (done.returncode, f"--older-than is '{age}', less than a day" in done.stderr) == (2, True)
    assert rows(database, "SELECT count(*) FROM emag_offer_syncs")[0][0] == 2


def test_nothing_is_removed_when_dagsters_runs_are_out_of_reach(
    variables: dict[str, str], database: Database, tmp_path: Path
) -> None:
    done = emag_pipeline(tmp_path / "another-home", "prune", **variables)
    assert (done.returncode, "Dagster was never started here" in done.stderr) == (1, True)
    assert rows(database, "SELECT count(*) FROM emag_offer_syncs")[0][0] == 2
