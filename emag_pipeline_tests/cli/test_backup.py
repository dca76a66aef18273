"""`backup` and `restore` as an operator types them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from emag_pipeline import embedded
from emag_pipeline.admin.postgres_programs import pg_dump_for
from emag_pipeline.errors import PermanentError
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.cli.commands import emag_pipeline, environment
from emag_pipeline_tests.local.ups import wait_until
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import rows, sync

_WRAPPER = """#!/bin/sh
case "$1" in --version) echo "pg_dump (PostgreSQL) {version}"; exit;; esac
echo "$@" > {seen}/arguments
printenv PGPASSWORD > {seen}/password
exec {real} "$@"
"""


def _own_pg_dump(directory: Path, version: int) -> str:
    """A pg_dump of the machine's own, in front of the others, which notes how it was called; returns the PATH."""
    directory.mkdir()
    wrapper = directory / "pg_dump"
    wrapper.write_text(_WRAPPER.format(version=version, seen=directory, real=embedded.program("pg_dump")))
    wrapper.chmod(0o755)
    return f"{directory}:{os.environ['PATH']}"


def test_it_backs_up_refuses_and_restores_and_says_so(
    database: Database, database_url: str, empty_url: str, tmp_path: Path
) -> None:
    sync(database, [offer(1), offer(2)])
    made = emag_pipeline(tmp_path, "backup", "emag.dump", DATABASE_SYNC_URL=database_url)
    assert made.returncode == 0, made.stderr
    assert "emag.dump: 0." in made.stdout
    refused = emag_pipeline(tmp_path, "restore", "emag.dump", DATABASE_SYNC_URL=database_url)
    assert (refused.returncode, "it holds 2 offers, 1 syncs" in refused.stderr) == (5, True)
    done = emag_pipeline(tmp_path, "restore", "emag.dump", DATABASE_SYNC_URL=empty_url)
    assert done.returncode == 0, done.stderr
    assert "emag_product_offers: 2 rows" in done.stdout
    assert "the next sync continues from there" in done.stdout


def test_the_password_reaches_pg_dump_by_its_environment_alone(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    path = _own_pg_dump(tmp_path / "bin", 99)
    url = database_url.replace("postgres@", "postgres:ein-Geheimnis!@")
    done = emag_pipeline(tmp_path, "backup", "emag.dump", DATABASE_SYNC_URL=url, PATH=path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "bin" / "password").read_text() == "ein-Geheimnis!\n"
    assert "--format=custom" in (tmp_path / "bin" / "arguments").read_text()
    assert "Geheimnis" not in (tmp_path / "bin" / "arguments").read_text() + done.stdout + done.stderr


def test_a_pg_dump_that_is_older_than_the_server_is_passed_over(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    path = _own_pg_dump(tmp_path / "bin", 9)
    done = emag_pipeline(tmp_path, "backup", "emag.dump", DATABASE_SYNC_URL=database_url, PATH=path)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "bin" / "arguments").exists()


def test_no_pg_dump_for_a_newer_server_is_an_error_with_a_remedy() -> None:
    with pytest.raises(PermanentError, match=r"which is PostgreSQL 99: .*postgresql-client-99"):
        pg_dump_for(99, is_embedded=True)


def test_a_file_that_exists_is_wrong_usage(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "emag.dump").write_text("precious")
    done = emag_pipeline(tmp_path, "backup", "emag.dump", DATABASE_SYNC_URL=database_url)
    assert (done.returncode, done.stderr) == (
        2, "emag-pipeline: emag.dump exists. Give another name, or --force to overwrite it.\n",
    )  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_restore_that_is_stopped_leaves_the_target_as_it_was(
    number: signal.Signals, database: Database, database_url: str, empty_url: str, tmp_path: Path
) -> None:
    sync(database, [offer(1)])
    with database.transaction() as tx:
        tx.run(
            """INSERT INTO emag_requests (sent_at, account_type, resource, outcome, seconds, bytes)
               SELECT now(), 'main', 'product_offer/read', 'ok', 0.1, 10 FROM generate_series(1, 500000)"""
        )
    assert emag_pipeline(tmp_path, "backup", "emag.dump", DATABASE_SYNC_URL=database_url).returncode == 0
    command = [sys.executable, "-m", "emag_pipeline", "restore", "emag.dump"]
    variables = environment(tmp_path, DATABASE_SYNC_URL=empty_url)
    process = subprocess.Popen(command, env=variables, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert any(line.strip().endswith("emag_products: 1 row") for line in process.stdout), "the requests come after it"
    process.send_signal(number)
    assert process.wait(300) == 130
    target = Database(empty_url)
    try:
        wait_until(lambda: not rows(target, _SESSIONS), 10)
        assert not rows(target, "SELECT 1 FROM pg_namespace WHERE nspname = 'app'")
    finally:
        target.close()


#: What a restore prints before it has a lock, in the middle of its tables, and while it fills the largest.
_POINTS = ("restoring into schema", "emag_offer_states: ", "emag_publishes: ")


def test_a_restore_that_is_killed_at_any_point_leaves_the_former_state_and_can_be_repeated(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    sync(database, [offer(1, name="of the backup")])
    with database.transaction() as tx:
        tx.run(
            """INSERT INTO emag_requests (sent_at, account_type, resource, outcome, seconds, bytes)
               SELECT now(), 'main', 'product_offer/read', 'ok', 0.1, 10 FROM generate_series(1, 100000)"""
        )
    assert emag_pipeline(tmp_path, "backup", "emag.dump", DATABASE_SYNC_URL=database_url).returncode == 0
    sync(database, [offer(1, name="newer"), offer(2)])
    before = _state(database)
    for point in _POINTS:
        process = subprocess.Popen(
            [sys.executable, "-m", "emag_pipeline", "restore", "--replace", "emag.dump"],
            env=environment(tmp_path, DATABASE_SYNC_URL=database_url), cwd=tmp_path, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        assert any(point in line for line in process.stdout), point
        process.kill()
        process.wait(60)
        process.stdout.close()
        wait_until(lambda: not rows(database, _RESTORING), 60)
        assert _state(database) == before, point
    done = emag_pipeline(tmp_path, "restore", "--replace", "emag.dump", DATABASE_SYNC_URL=database_url)
    assert done.returncode == 0, done.stderr
    assert _state(database) == ([("of the backup",)], 1, 100_000)


def _state(database: Database) -> tuple[list[tuple[str]], int, int]:
    """Names of the current offers, in their order; how many publishes and calls there are."""
    names = [tuple(row) for row in rows(database, "SELECT name FROM emag_current_offers ORDER BY emag_offer_id")]
    ((publishes,),) = rows(database, "SELECT count(*) FROM emag_publishes")
    ((calls,),) = rows(database, "SELECT count(*) FROM emag_requests")
    return names, publishes, calls


_RESTORING = """
    SELECT 1 FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
    WHERE c.relname = 'emag_product_offers' AND l.mode = 'ExclusiveLock'
"""
_SESSIONS = """
    SELECT 1 FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'emag_pipeline'
"""
