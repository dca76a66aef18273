"""A table that somebody holds: whoever waits for it says so, doctor and status too; the error names the holder."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy.engine import make_url

from emag_pipeline.errors import DatabaseUnavailable
from emag_pipeline.local.surroundings import migrated
from emag_pipeline.sandbox import SandboxServer
from emag_pipeline.store.engine import Database
from emag_pipeline.sync.audit import audit_scan
from emag_pipeline.sync.locks import waits_reported
from emag_pipeline.sync.publish import publish_scan
from emag_pipeline.sync.scan import stage_account
from emag_pipeline.sync.status import sync_progress
from emag_pipeline_tests.admin.doctors import diagnosed, found
from emag_pipeline_tests.local.ups import wait_until
from emag_pipeline_tests.sandbox.sandboxes import unlimited_sandbox
from emag_pipeline_tests.sync.refresh import context_for, ledger_row
from emag_pipeline_tests.sync.syncs import execute

pytestmark = pytest.mark.services


@pytest.fixture
def market() -> Iterator[SandboxServer]:
    with unlimited_sandbox(accounts={"main": 520}) as server:
        yield server


@contextmanager
def _held(database_url: str, table: str) -> Iterator[int]:
    """Somebody's transaction that holds a table; its process at the server."""
    url = make_url(database_url)
    host = url.query.get("host") or url.host
    connection = psycopg2.connect(
        host=host, port=url.port, user=url.username, dbname=url.database, application_name="psql"
    )
    try:
        connection.cursor().execute(f"LOCK TABLE app.{table} IN ACCESS EXCLUSIVE MODE")
        yield connection.info.backend_pid
    finally:
        connection.close()


def test_a_publish_that_waits_for_a_table_says_for_whose_and_its_error_too(
    database: Database, database_url: str, market: SandboxServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emag_pipeline.store.engine.LOCK_TIMEOUT_SECONDS", 15.0)
    context = context_for(database, market.url)
    stage_account(context)
    assert audit_scan(context).accepted
    with _held(database_url, "emag_product_offers") as holder:
        watcher = Database(database_url)
        told: list[str] = []

        def is_told() -> bool:
            progress = sync_progress(watcher, "main")
            told.append(progress.obstacle or "" if progress else "")
            return bool(told[-1])

        publishing = ThreadPoolExecutor(1).submit(publish_scan, context)
        wait_until(is_told, 60)
        watcher.close()
        diagnosis = diagnosed(tmp_path, DATABASE_SYNC_URL=database_url)
        error = publishing.exception(240)
    who = f"emag_product_offers, held by the database's process {holder} (user postgres, psql, idle in transaction)"
    assert told[-1].startswith(f"waiting for {who} since ")
    finding = found(diagnosis, "locks")
    assert re.match(r"emag_pipeline \(the database's process \d+\) has been waiting for \d+ seconds for ", finding.what)
    assert who in finding.what
    assert f"pg_terminate_backend({holder})" in finding.remedy
    assert isinstance(error, DatabaseUnavailable)
    assert f"a table is locked by another transaction: it waited for {who}" in error.message
    assert who in (ledger_row(context).error_message or "")


def test_who_prepares_the_database_says_whom_it_waits_for(database: Database, database_url: str) -> None:
    said: list[str] = []
    with _held(database_url, "emag_offer_history") as holder, ThreadPoolExecutor(1) as aside:

        def work() -> None:
            with waits_reported(database, said.append):
                migrated(database, is_embedded=True)

        begun = aside.submit(work)
        wait_until(lambda: bool(said) or begun.done(), 60)
        who = f"emag_offer_history, held by the database's process {holder} (user postgres, psql"
        assert said[0].startswith(f"the database: waiting for {who}")
        execute(database, f"SELECT pg_terminate_backend({holder})")
        begun.result(60)
    assert len(said) == 1
