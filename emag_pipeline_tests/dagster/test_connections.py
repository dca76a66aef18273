"""Dagster's storage keeps connections within a burst of calls, and meets a server that has ended them."""

from pathlib import Path

import dagster as dg
import pytest
from sqlalchemy import event

from emag_pipeline.dagster_runs import storage
from emag_pipeline.embedded import EmbeddedServer
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.dagster.stored_instance import stored_instance
from emag_pipeline_tests.local.ups import wait_until

_CALLS = 30


@pytest.fixture
def one_burst(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is, a test is one."""
    monkeypatch.setattr(storage, "_IDLE_SECONDS", 600.0)


@pytest.mark.usefixtures("one_burst")
def test_calls_share_a_connection(cluster: EmbeddedServer, tmp_path: Path) -> None:
    with stored_instance(cluster, tmp_path) as instance:
        assert _sessions_of(instance, _CALLS) <= 2


@pytest.mark.usefixtures("one_burst")
def test_a_connection_that_the_server_has_ended_is_made_anew(cluster: EmbeddedServer, tmp_path: Path) -> None:
    with stored_instance(cluster, tmp_path) as instance:
        _look(instance, 1)
        assert _end_sessions(instance) > 0
        _look(instance, 3)


def test_none_is_kept_while_a_step_works(cluster: EmbeddedServer, tmp_path: Path) -> None:
    with stored_instance(cluster, tmp_path) as instance:
        for _ in range(2):
            _look(instance, 1)
            wait_until(lambda: _open_now(instance) == 0, 120)


@pytest.mark.usefixtures("one_burst")
def test_what_its_tables_are_like_is_asked_once(cluster: EmbeddedServer, tmp_path: Path) -> None:
    """Dagster's own asks the catalogue before most calls."""
    with stored_instance(cluster, tmp_path) as instance:
        said: list[str] = []
        engine = instance.run_storage._engine  # type: ignore[attr-defined]
        event.listen(engine, "before_cursor_execute", lambda *given: said.append(given[2]))
        _look(instance, 1)
        first, said[:] = list(said), []
        _look(instance, 5)
    assert any("pg_catalog" in statement for statement in first)
    assert said
    assert not any("pg_catalog" in statement for statement in said), said


def _look(instance: dg.DagsterInstance, times: int) -> None:
    for _ in range(times):
        assert instance.get_runs() == []
        assert instance.all_asset_keys() == []


def _sessions_of(instance: dg.DagsterInstance, times: int) -> int:
    """How many sessions so many looks begin."""
    database = Database(str(instance.run_storage.postgres_url))  # type: ignore[attr-defined]
    try:
        before = _sessions(database)
        _look(instance, times)
        return _sessions(database) - before
    finally:
        database.close()


def _sessions(database: Database) -> int:
    """Backends are numbered by the server; statistics would come late."""
    with database.transaction() as tx:
        tx.run("SELECT pg_stat_force_next_flush()")
    with database.transaction() as tx:
        found = tx.run("SELECT sessions FROM pg_stat_database WHERE datname = current_database()").scalar_one()
    return int(found)


def _open_now(instance: dg.DagsterInstance) -> int:
    """Sessions of the instance's database, without the one that asks."""
    database = Database(str(instance.run_storage.postgres_url))  # type: ignore[attr-defined]
    try:
        with database.transaction() as tx:
            found = tx.run(
                """SELECT count(*) FROM pg_stat_activity
                   WHERE datname = current_database() AND pid <> pg_backend_pid()"""
            ).scalar_one()
            return int(found)
    finally:
        database.close()


def _end_sessions(instance: dg.DagsterInstance) -> int:
    database = Database(str(instance.run_storage.postgres_url))  # type: ignore[attr-defined]
    try:
        with database.transaction() as tx:
            return len(
                tx.run(
                    """SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
                       WHERE datname = current_database() AND pid <> pg_backend_pid()"""
                ).all()
            )
    finally:
        database.close()
