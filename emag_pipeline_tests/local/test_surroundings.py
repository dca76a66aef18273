import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from emag_pipeline import embedded
from emag_pipeline.databases import attached
from emag_pipeline.errors import DatabaseUnavailable
from emag_pipeline.local.embedded_use import in_use
from emag_pipeline.local.surroundings import migrated, surroundings
from emag_pipeline.settings import load_settings
from emag_pipeline.store import migrate
from emag_pipeline.store.engine import Database
from emag_pipeline_tests.cli.commands import FAST, emag_pipeline
from emag_pipeline_tests.embedded.homes import set_up


@pytest.fixture
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="emag-home-") as directory:
        home = Path(directory)
        yield home
        server = embedded.running(home)
        if server is not None:
            server.stop()


def test_without_settings_everything_is_in_the_home_and_stopped_at_the_end(home: Path) -> None:
    with surroundings(load_settings({"EMAG_HOME": str(home)}, env_file=None)) as around:
        migrate.check(Database(around.environment["DATABASE_SYNC_URL"]))
        with Database(around.environment["DAGSTER_PG_URL"]).transaction() as tx:
            assert tx.run("SELECT current_database()").scalar_one() == "emag_dagster"
        assert Path(around.environment["DAGSTER_HOME"]).is_relative_to(home)
    assert embedded.running(home) is None


def test_the_last_command_to_leave_stops_the_server(home: Path) -> None:
    with in_use(set_up(home)) as first:
        with in_use(home) as second:
            assert (first.started_here, second.started_here) == (True, False)
        assert embedded.running(home) is not None
    assert embedded.running(home) is None


def test_a_configured_server_gets_dagsters_database(
    empty_url: str, cluster: embedded.EmbeddedServer, home: Path
) -> None:
    settings = load_settings({"EMAG_HOME": str(home), "DATABASE_SYNC_URL": empty_url}, env_file=None)
    said: list[str] = []
    with surroundings(settings, said.append):
        assert "database: created Dagster's own" in said
        assert embedded.running(home) is None
    again: list[str] = []
    with surroundings(settings, again.append):
        assert "database: created Dagster's own" not in again


def test_children_see_what_was_decided_and_what_was_given(database_url: str, home: Path) -> None:
    settings = load_settings({"EMAG_HOME": str(home), "DATABASE_SYNC_URL": database_url}, env_file=None)
    with surroundings(settings) as around:
        assert around.environment["DATABASE_SYNC_URL"] == database_url
        assert around.environment["EMAG_HOME"] == str(home.resolve())
        assert around.environment["PATH"] == os.environ["PATH"]


def test_surroundings_do_not_print_their_secrets(database_url: str, home: Path) -> None:
    secret = database_url.replace("postgres@", "postgres:s3cret@")
    settings = load_settings({"EMAG_HOME": str(home), "DATABASE_SYNC_URL": secret}, env_file=None)
    said: list[str] = []
    with surroundings(settings, said.append) as around:
        assert "s3cret" in around.environment["DATABASE_SYNC_URL"]
        assert "s3cret" not in repr(around) + " ".join(said)


def test_reading_the_status_starts_nothing(home: Path) -> None:
    settings = load_settings({"EMAG_HOME": str(home)}, env_file=None)
    with pytest.raises(DatabaseUnavailable, match="emag-pipeline up"), attached(settings):
        pass
    assert list(home.iterdir()) == []


_WRITES = "SELECT has_table_privilege('emag_writer', 'app.emag_offer_syncs', 'INSERT')"


def test_whatever_migrates_grants_too(home: Path) -> None:
    """`probe` was the one that did not."""
    server = embedded.start(set_up(home))
    database = Database(server.url("emag"))
    with database.transaction() as tx:
        tx.run("CREATE ROLE emag_writer")
        tx.run("CREATE ROLE emag_reader")
    assert migrated(database).are_rights_granted
    with database.transaction() as tx:
        assert tx.run(_WRITES).scalar_one()
        tx.run("REVOKE ALL ON app.emag_offer_syncs FROM emag_writer")
    assert not migrated(database).are_rights_granted, "a start writes nothing where nothing is new"
    assert migrated(database, always_grants=True).are_rights_granted
    with database.transaction() as tx:
        assert tx.run(_WRITES).scalar_one()
    database.close()


def test_a_probe_on_a_new_schema_grants_too(home: Path) -> None:
    database = Database(embedded.start(set_up(home)).url("emag"))
    with database.transaction() as tx:
        tx.run("CREATE ROLE emag_writer")
        tx.run("CREATE ROLE emag_reader")
    done = emag_pipeline(home, "probe", **FAST)
    assert done.returncode == 0, done.stderr
    with database.transaction() as tx:
        assert tx.run(_WRITES).scalar_one()
    database.close()
