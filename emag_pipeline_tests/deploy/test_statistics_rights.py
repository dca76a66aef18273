"""The writer brings the planner's statistics up to date, before PostgreSQL 17 and since: reltuples proves it."""

import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from emag_pipeline import embedded
from emag_pipeline.embedded import programs
from emag_pipeline.errors import PermanentError
from emag_pipeline.marts.refresh import refresh
from emag_pipeline.marts.registry import OFFER_ISSUES
from emag_pipeline.store import migrate, roles
from emag_pipeline.store.engine import Database
from emag_pipeline.sync import staging_room, statistics
from emag_pipeline_tests.databases import administer
from emag_pipeline_tests.deploy.servers import _PROGRAMS
from emag_pipeline_tests.sync.offers import offer
from emag_pipeline_tests.sync.syncs import rows, sync

pytestmark = pytest.mark.services

_OFFERS = 40


@pytest.fixture(scope="module", params=["the package's", "the system's"])
def server(request: pytest.FixtureRequest) -> Iterator[embedded.EmbeddedServer]:
    """A server of either version with the roles made, which never analyses anything by itself."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory(prefix="emag-rights-") as home:
        if request.param == "the system's":
            if not _PROGRAMS:
                pytest.skip("PostgreSQL's server (Debian: postgresql) is not installed")
            patch.setattr(programs, "_PROGRAMS", _PROGRAMS[0])
        started = embedded.start(Path(home), {"fsync": "off", "autovacuum": "off"})
        started.ensure_database("emag")
        for role in ("emag_owner", "emag_writer", "emag_stranger"):
            administer(started, f"CREATE ROLE {role} LOGIN")
        administer(started, "CREATE ROLE emag_reader")
        administer(started, "GRANT CREATE ON DATABASE emag TO emag_owner")
        owner = _as("emag_owner", started)
        migrate.upgrade(owner)
        with owner.transaction() as tx:
            tx.run("GRANT USAGE ON SCHEMA {schema} TO emag_writer, emag_stranger")
        assert roles.grant(owner)
        owner.close()
        yield started
        started.stop()


def _as(user: str, server: embedded.EmbeddedServer) -> Database:
    return Database(server.address("emag").replace("postgres@", f"{user}@"))


@pytest.fixture
def writer(server: embedded.EmbeddedServer) -> Iterator[Database]:
    database = _as("emag_writer", server)
    yield database
    database.close()


def _known_rows(database: Database, table: str) -> float:
    sql = "SELECT reltuples FROM pg_class WHERE oid = to_regclass(:name)"
    return float(rows(database, sql, name=f'"{database.schema}".{table}')[0].reltuples)


def test_the_planner_knows_what_the_writer_has_changed(writer: Database) -> None:
    sync(
        writer, [offer(number, general_stock=0, is_saleable=False, row_digest=b"x") for number in range(1, _OFFERS + 1)]
    )
    assert {_known_rows(writer, table) for table in statistics.PUBLISHED} <= {0.0, -1.0}
    statistics.renew(writer, statistics.PUBLISHED)
    assert {_known_rows(writer, table) for table in statistics.PUBLISHED} == {_OFFERS, 1}, "and one publish"
    statistics.renew_staged(writer, "main")
    assert _known_rows(writer, staging_room.name("emag_scan_offers", "main")) == _OFFERS
    issues = refresh(writer, OFFER_ISSUES, "main")
    assert _known_rows(writer, OFFER_ISSUES.table) == issues.rows > 0


def test_a_table_that_somebody_analyses_is_left_alone_said_once_and_tried_again(
    server: embedded.EmbeddedServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = Database(server.address("emag").replace("postgres@", "emag_writer@"), pool_size=1)
    with writer.transaction() as tx:
        wire = tx.connection.connection.driver_connection
        assert wire is not None
        tx.run("INSERT INTO emag_sensor_ticks (sensor, ticked_at) VALUES ('one', now())")
    owner = _as("emag_owner", server)
    lock = "LOCK TABLE emag_sensor_ticks IN SHARE UPDATE EXCLUSIVE MODE"  # as VACUUM and ANALYZE do
    monkeypatch.setattr(statistics, "_PAUSES_SECONDS", (0.1, 0.1))
    with owner.transaction() as tx:
        tx.run(lock)
        statistics.renew(writer, ["emag_sensor_ticks"])
    assert wire.notices == [], "the server's log holds the same warning"
    assert _known_rows(writer, "emag_sensor_ticks") < 1
    said = [one.getMessage() for one in caplog.records if "statistics_not_renewed" in one.getMessage()]
    assert len(said) == 1
    assert "another process vacuums" in said[0]
    with owner.transaction() as tx:  # between the look whether it is free and the statement itself
        tx.run(lock)
        monkeypatch.setitem(statistics._SQL, "is_free", "SELECT CAST(:table AS text) IS NOT NULL AS is_free")
        statistics.renew(writer, ["emag_sensor_ticks"])
    assert len([one for one in caplog.records if "statistics_not_renewed" in one.getMessage()]) == 2
    monkeypatch.undo()
    caplog.clear()
    monkeypatch.setattr(statistics, "_PAUSES_SECONDS", (0.1,) * 600)
    with owner.transaction() as tx:
        tx.run(lock)
        later = threading.Thread(target=statistics.renew, args=(writer, ["emag_sensor_ticks"]))
        later.start()
        time.sleep(0.5)
    later.join()  # the lock is gone amid its pauses
    owner.close()
    assert _known_rows(writer, "emag_sensor_ticks") == 1
    assert "statistics_not_renewed" not in caplog.text
    writer.close()


def test_the_function_analyses_tables_of_the_pipeline_alone(server: embedded.EmbeddedServer) -> None:
    owner = _as("emag_owner", server)
    for table in ("pg_class", "emag_none; DROP TABLE emag_requests"):
        with pytest.raises(PermanentError), owner.transaction() as tx:
            tx.run("SELECT emag_analyze(:table)", table=table)
    owner.close()


@pytest.mark.parametrize(
    "call", ["make_room('x')", "empty_room('main', NULL)", "remove_room('main')", "analyze('emag_requests')"]
)
def test_what_the_owner_lends_the_writer_nobody_else_has(
    server: embedded.EmbeddedServer, writer: Database, call: str
) -> None:
    stranger = _as("emag_stranger", server)
    with pytest.raises(PermanentError, match="permission denied for function"), stranger.transaction() as tx:
        tx.run(f"SELECT emag_{call}")
    stranger.close()
    rows(writer, f"SELECT emag_{call}")


def test_whoever_may_not_says_so_in_the_log(server: embedded.EmbeddedServer, caplog: pytest.LogCaptureFixture) -> None:
    stranger = _as("emag_stranger", server)
    statistics.renew(stranger, ["emag_requests"])
    stranger.close()
    assert "statistics_not_renewed" in caplog.text
    assert "docs/how-to/roles.md" in caplog.text
